//! What was heard of a channel, as spans of a chart over time: their places, colours and words.

use std::collections::BTreeMap;

use undertone_page::chart::{Ink, Span};

use super::timeline::{Heard, HeardKind};

/// Labels with colours of their own, those of the other reports.
const COLOURS: [(&str, u8); 8] = [
    ("neutral", 0),
    ("calm", 1),
    ("happy", 2),
    ("sad", 3),
    ("angry", 4),
    ("fear", 5),
    ("disgust", 6),
    ("surprise", 7),
];

/// The colour of a label.
pub(super) fn ink(label: &str) -> Ink {
    if label == "unknown" {
        return Ink::Unknown;
    }
    COLOURS
        .iter()
        .find(|known| known.0 == label)
        .map_or(Ink::Accent, |known| Ink::Series(known.1))
}

/// How long it lasted.
pub(super) fn seconds(heard: &Heard) -> f64 {
    heard.end_ms.saturating_sub(heard.start_ms) as f64 / 1000.0
}

/// `0:07.5`, `61:02.0`.
pub(super) fn clock(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() as u64;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// Where somebody speaks: each utterance as a whole.
pub(super) fn speech(own: &[&Heard]) -> Vec<Span> {
    own.iter()
        .filter(|heard| heard.kind == HeardKind::Utterance)
        .map(|heard| Span {
            seconds: (heard.start_ms as f64 / 1000.0, heard.end_ms as f64 / 1000.0),
            label: heard.label.clone(),
            tip: format!(
                "utterance {}, {} to {}: as a whole {}, {:.0} %",
                heard.id,
                clock(heard.start_ms as f64 / 1000.0),
                clock(heard.end_ms as f64 / 1000.0),
                heard.label,
                100.0 * heard.confidence
            ),
            ink: Ink::Muted,
            strength: 0.35,
            filled: 1.0,
            open: heard.label == "unknown",
        })
        .collect()
}

/// What was heard from one decision about an utterance to the next: each stands for the time up to where it was heard.
pub(super) fn emotions(own: &[&Heard]) -> Vec<Span> {
    let mut until: BTreeMap<u64, u64> = BTreeMap::new();
    let mut spans = Vec::new();
    for heard in own {
        let from = until
            .insert(heard.id, heard.end_ms)
            .unwrap_or(heard.start_ms);
        if heard.end_ms <= from {
            continue;
        }
        spans.push(Span {
            seconds: (from as f64 / 1000.0, heard.end_ms as f64 / 1000.0),
            label: heard.label.clone(),
            tip: format!(
                "{} to {}: {}, {:.0} %",
                clock(from as f64 / 1000.0),
                clock(heard.end_ms as f64 / 1000.0),
                heard.label,
                100.0 * heard.confidence
            ),
            ink: ink(&heard.label),
            strength: heard.confidence,
            filled: heard.confidence,
            open: heard.label == "unknown",
        });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(kind: HeardKind, id: u64, start_ms: u64, end_ms: u64, label: &str) -> Heard {
        Heard {
            kind,
            channel: 0,
            id,
            start_ms,
            end_ms,
            label: label.into(),
            confidence: 0.6,
            scores: vec![0.6, 0.4],
            reason: None,
        }
    }

    #[test]
    fn every_decision_stands_for_the_time_since_the_one_before_and_unknown_has_a_dashed_edge() {
        let all = [
            heard(HeardKind::Start, 1, 500, 1500, "happy"),
            heard(HeardKind::Update, 1, 500, 2000, "unknown"),
            heard(HeardKind::Utterance, 1, 500, 2000, "happy"),
            heard(HeardKind::Start, 2, 4000, 5000, "sad"),
        ];
        let spans = emotions(&all.iter().collect::<Vec<_>>());
        let told: Vec<_> = spans
            .iter()
            .map(|span| (span.seconds, span.label.as_str(), span.open))
            .collect();
        assert_eq!(
            told,
            [
                ((0.5, 1.5), "happy", false),
                ((1.5, 2.0), "unknown", true),
                ((4.0, 5.0), "sad", false)
            ]
        );
    }

    #[test]
    fn times_are_told_as_minutes_and_seconds() {
        assert_eq!(
            [0.04, 7.46, 61.0, 3722.0].map(clock),
            ["0:00.0", "0:07.5", "1:01.0", "62:02.0"]
        );
    }
}
