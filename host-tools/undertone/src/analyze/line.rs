//! The rows: one JSON object per line, told apart by `kind`.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use undertone_analysis::Channels;
use undertone_deployment::Deployment;
use undertone_events::EndReason;

use super::timeline::{HeardKind, Timeline};

/// The first row: what all others depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "run")]
pub(super) struct Run {
    /// Of this program.
    pub(super) version: String,
    /// Content hash of the model.
    pub(super) model: String,
    /// Its labels, in their order.
    pub(super) labels: Vec<String>,
    /// What was declared.
    pub(super) deployment: Deployment,
    /// Which channels were analysed, unless there are roles.
    pub(super) channels: Channels,
    /// Who is on which channel.
    pub(super) roles: Option<String>,
    /// Whether there are rows while an utterance goes on.
    pub(super) updates: bool,
}

/// What every row but the first has.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    /// Which form of row this is.
    pub(super) kind: String,
    /// The recording it is about.
    pub(super) file: Option<String>,
}

#[derive(Serialize)]
struct HeardLine<'a> {
    kind: HeardKind,
    file: &'a str,
    channel: usize,
    role: Option<&'a str>,
    id: u64,
    start_ms: u64,
    end_ms: u64,
    label: &'a str,
    confidence: f64,
    scores: Scores<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<EndReason>,
}

/// The last row of a recording.
#[derive(Serialize)]
struct FileLine<'a> {
    kind: &'static str,
    file: &'a str,
    seconds: f64,
    sample_rate: u32,
    channels: usize,
    utterances: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Scores by the name of their label, in the model's order.
struct Scores<'a>(&'a [String], &'a [f64]);

impl Serialize for Scores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (label, score) in self.0.iter().zip(self.1) {
            map.serialize_entry(label, score)?;
        }
        map.end()
    }
}

/// All rows of a recording; the last one is `file`, or `error` with the reason why it was not heard to its end.
pub(super) fn lines(timeline: &Timeline, failure: Option<&str>) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    for heard in &timeline.heard {
        put(
            &mut out,
            &HeardLine {
                kind: heard.kind,
                file: &timeline.file,
                channel: heard.channel,
                role: timeline.role(heard.channel),
                id: heard.id,
                start_ms: heard.start_ms,
                end_ms: heard.end_ms,
                label: &heard.label,
                confidence: heard.confidence,
                scores: Scores(&timeline.labels, &heard.scores),
                reason: heard.reason,
            },
        )?;
    }
    put(
        &mut out,
        &FileLine {
            kind: if failure.is_some() { "error" } else { "file" },
            file: &timeline.file,
            seconds: (timeline.seconds * 1e3).round() / 1e3,
            sample_rate: timeline.sample_rate,
            channels: timeline.source_channels,
            utterances: timeline.utterances().count(),
            reason: failure,
        },
    )?;
    Ok(out)
}

fn put(out: &mut Vec<u8>, line: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.push(b'\n');
    Ok(())
}
