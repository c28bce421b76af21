//! `undertone analyze --report`: one recording as a page: waveform, speech, what was heard over time, level.
//!
//! The page holds no sound. A channel that was left out is not on it in any form.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use undertone_analysis::Channels;
use undertone_deployment::Deployment;
use undertone_page::chart::{Axis, Bars, Ink, Series, Size};
use undertone_page::{Cell, Figure, Html, Mood, Page, Section, Table, chart};

use super::inputs::Inputs;
use super::progress::Progress;
use super::recording::{Listening, hear};
use super::spans::{clock, emotions, ink, seconds, speech};
use super::timeline::{Heard, HeardChannel, Timeline};
use super::trace::{Source, Trace};
use crate::failure::Failure;

/// Seconds of one strip, and the most strips of a channel: longer recordings have longer strips.
const STRIP: f64 = 30.0;
const STRIPS: usize = 40;

/// Hears the one recording that `paths` amount to and writes its page to `file`, whole or not at all.
///
/// # Errors
/// When there is not exactly one recording, when nothing of it can be heard, or the page cannot be written; and, once the
/// page is there, when the recording could not be heard to its end.
pub(super) fn write(
    file: &Path,
    paths: &[PathBuf],
    listening: &Listening<'_>,
    deployment: &Deployment,
) -> Result<()> {
    let (inputs, _) = Inputs::find(paths, None)?.without(&HashSet::new());
    let [input] = inputs.as_slice() else {
        return Err(Failure::error(
            "one-recording",
            format!(
                "--report is about one recording, and {} were found",
                inputs.len()
            ),
            "name one file",
        ));
    };
    undertone_page::may_be_written(file)?;
    let progress = Progress::new(&inputs);
    let mut part = progress.begin(input.bytes);
    let (timeline, outcome) = hear(input, listening, &mut |share| {
        part.reach(share);
        true
    });
    progress.finish();
    if timeline.channels.is_empty() || timeline.seconds == 0.0 {
        outcome.map_err(Error::msg)?;
        return Err(Failure::error(
            "bad-audio",
            format!("{}: holds no sound", timeline.file),
            "record or export it again",
        ));
    }
    let mixed = listening.roles.is_none() && listening.channels == Channels::Mix;
    let sources: Vec<Source> = timeline
        .channels
        .iter()
        .map(|channel| {
            if mixed {
                Source::Mix
            } else {
                Source::Channel(channel.number)
            }
        })
        .collect();
    let traces = Trace::read(input, &sources, timeline.seconds).map_err(Error::msg)?;
    let failure = outcome.as_ref().err().map(String::as_str);
    let html = page(&timeline, failure, &traces, deployment)?.html();
    undertone_page::write(file, &html).with_context(|| {
        format!(
            "cannot write {}; check that its folder exists and may be written to",
            file.display()
        )
    })?;
    eprintln!("{}", file.display());
    outcome.map_err(|reason| Error::msg(format!("heard only in part: {reason}")))
}

fn page(
    timeline: &Timeline,
    failure: Option<&str>,
    traces: &[Trace],
    deployment: &Deployment,
) -> Result<Page> {
    let mut page = Page::new("What a recording sounds like", Html::code(&timeline.file));
    let utterances: Vec<&Heard> = timeline.utterances().collect();
    let spoken: f64 = utterances.iter().map(|heard| seconds(heard)).sum();
    let unknown: f64 = utterances
        .iter()
        .filter(|heard| heard.label == "unknown")
        .map(|heard| seconds(heard))
        .sum();
    page.fact("length", clock(timeline.seconds));
    page.fact("channels analysed", timeline.channels.len().to_string());
    page.fact("utterances", utterances.len().to_string());
    page.fact("speech", clock(spoken));
    page.fact(
        "of it unknown",
        format!("{:.0} %", 100.0 * unknown / spoken.max(1e-9)),
    );
    page.fact("purpose", deployment.purpose.as_str());
    if let Some(reason) = failure {
        page.finding(
            Mood::Bad,
            Html::stressed("It was heard only in part: ", reason, "."),
        );
    }
    for channel in &timeline.channels {
        page.finding(Mood::Note, summary(timeline, channel));
    }
    page.finding(Mood::Note, "A label is how a voice sounds, in the way actors perform an emotion; not what a person feels. Unknown means that the model was not sure enough to say.");
    for (channel, trace) in timeline.channels.iter().zip(traces) {
        page.section(section(timeline, channel, trace)?);
    }
    page.section(table(timeline));
    page.footer("Made by undertone analyze --report. It holds no sound.");
    Ok(page)
}

fn name(timeline: &Timeline, channel: &HeardChannel) -> String {
    match (
        &channel.role,
        timeline.channels.len(),
        timeline.source_channels,
    ) {
        (Some(role), ..) => format!("Channel {}, {role}", channel.number),
        (None, 1, 1) => "The recording".into(),
        (None, 1, _) => "All channels, mixed".into(),
        (None, ..) => format!("Channel {}", channel.number),
    }
}

/// Seconds of speech by label, the longest first.
fn by_label<'a>(timeline: &'a Timeline, channel: &HeardChannel) -> Vec<(&'a str, f64)> {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for heard in timeline
        .utterances()
        .filter(|heard| heard.channel == channel.number)
    {
        *sums.entry(&heard.label).or_default() += seconds(heard);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    sums
}

fn summary(timeline: &Timeline, channel: &HeardChannel) -> Html {
    let labels = by_label(timeline, channel);
    let spoken: f64 = labels.iter().map(|label| label.1).sum();
    if spoken == 0.0 {
        return Html::stressed(
            &format!("{}: ", name(timeline, channel)),
            "no speech was found",
            ".",
        );
    }
    let shares: Vec<String> = labels
        .iter()
        .map(|(label, seconds)| format!("{label} {:.0} %", 100.0 * seconds / spoken))
        .collect();
    Html::stressed(
        &format!(
            "{}: {} of speech, which sounds ",
            name(timeline, channel),
            clock(spoken)
        ),
        &shares.join(", "),
        " of the time.",
    )
}

fn section(timeline: &Timeline, channel: &HeardChannel, trace: &Trace) -> Result<Section> {
    let mut section = Section::new(&name(timeline, channel));
    let own: Vec<&Heard> = timeline
        .heard
        .iter()
        .filter(|heard| heard.channel == channel.number)
        .collect();
    let rows = [
        ("speech".to_owned(), speech(&own)),
        ("emotion".to_owned(), emotions(&own)),
    ];
    let mut labels: Vec<&str> = own.iter().map(|heard| heard.label.as_str()).collect();
    labels.sort_unstable();
    labels.dedup();
    let legend: Vec<(String, Ink)> = labels
        .iter()
        .map(|label| ((*label).to_owned(), ink(label)))
        .collect();
    let strip = STRIP.max(timeline.seconds / STRIPS as f64);
    let count = ((timeline.seconds / strip).ceil() as usize).max(1);
    for index in 0..count {
        let from = index as f64 * strip;
        let to = if count == 1 {
            timeline.seconds
        } else {
            from + strip
        };
        let chart = chart::Timeline {
            seconds: (from, to),
            envelope: trace.envelope(from, to, 900),
            level: trace.level(from, to, 450),
            rows: rows.to_vec(),
            legend: legend.clone(),
        };
        let title = if count == 1 {
            "The whole of it".to_owned()
        } else {
            format!("{} to {}", clock(from), clock(to.min(timeline.seconds)))
        };
        let caption = if index == 0 {
            "From the top: waveform, scaled to the channel's peak; where somebody speaks, and how each utterance sounds as a whole; how it sounded meanwhile, filled as far as the model is sure (a full box is 100 %); level. A dashed edge is unknown: the model does not say. Rest the pointer on a part for all of it."
        } else {
            ""
        };
        section.figure(&Figure::new(&title, chart.draw(1100)?, caption));
    }
    let labels = by_label(timeline, channel);
    if !labels.is_empty() {
        let spoken: f64 = labels.iter().map(|label| label.1).sum();
        let names = labels.iter().map(|label| label.0.to_owned()).collect();
        let values = labels
            .iter()
            .map(|label| Some(label.1 / spoken.max(1e-9)))
            .collect();
        let mut bars = Bars::new(
            names,
            vec![Series::new("", Ink::Accent, values)],
            Axis::percent("share of speech", 0.0..1.0),
        );
        bars.inks = labels.iter().map(|label| ink(label.0)).collect();
        section.figure(&Figure::new(
            "How much of the speech",
            bars.draw(Size::WIDE.tall(220))?,
            "By the label of each whole utterance.",
        ));
    }
    Ok(section)
}

fn table(timeline: &Timeline) -> Section {
    let mut section = Section::new("Utterances");
    let mut columns = vec!["channel", "from s", "to s", "label", "confidence"];
    columns.extend(timeline.labels.iter().map(String::as_str));
    let mut table = Table::new(
        "Every utterance as a whole, with the probability of each label",
        &columns,
    );
    for heard in timeline.utterances() {
        let channel = timeline
            .role(heard.channel)
            .map_or_else(|| heard.channel.to_string(), str::to_owned);
        let mut row: Vec<Cell> = vec![
            channel.into(),
            Cell::number(heard.start_ms as f64 / 1000.0, 1),
            Cell::number(heard.end_ms as f64 / 1000.0, 1),
            heard.label.as_str().into(),
            Cell::percent(heard.confidence),
        ];
        row.extend(heard.scores.iter().map(|score| Cell::percent(*score)));
        table.row(row);
    }
    if table.is_empty() {
        section.text("No speech was found.");
    }
    section.table(&table);
    section
}
