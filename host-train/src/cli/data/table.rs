//! The scan as text.

use std::fmt::Write;

use undertone_train::corpora::deep::DeepReport;
use undertone_train::corpora::{Completeness, CorpusReport, Emotion, ScanReport};

/// The most refused files and copies that are listed; `--json` lists all.
const LISTED: usize = 50;

/// The tables, then the oddities.
pub(super) fn report(report: &ScanReport) -> String {
    let mut out = String::new();
    counts(&mut out, report);
    oddities(&mut out, report);
    out
}

fn counts(out: &mut String, report: &ScanReport) {
    let mut header = format!(
        "{:8} {:>6} {:>9} {:>8}",
        "corpus", "clips", "published", "speakers"
    );
    for emotion in Emotion::ALL {
        let _ = write!(header, " {emotion:>8}");
    }
    let _ = writeln!(out, "{header}  state");
    for corpus in &report.corpora {
        let _ = write!(
            out,
            "{:8} {:>6} {:>9} {:>8}",
            corpus.corpus, corpus.clips, corpus.published, corpus.speakers
        );
        for emotion in Emotion::ALL {
            let _ = match corpus.emotions.get(&emotion) {
                Some(count) => write!(out, " {count:>8}"),
                None => write!(out, " {:>8}", "-"),
            };
        }
        let _ = writeln!(out, "  {}", state(corpus));
    }
    let published: usize = report.corpora.iter().map(|c| c.published).sum();
    let _ = write!(
        out,
        "{:8} {:>6} {:>9} {:>8}",
        "total", report.clips, published, report.speakers
    );
    for emotion in Emotion::ALL {
        let sum: usize = report
            .corpora
            .iter()
            .filter_map(|c| c.emotions.get(&emotion))
            .sum();
        let _ = write!(out, " {sum:>8}");
    }
    let _ = writeln!(out, "\n\nproduct classes (calm is merged into neutral)");
    for (label, count) in &report.labels {
        let _ = writeln!(out, "  {label:8} {count:>6}");
    }
}

fn state(corpus: &CorpusReport) -> String {
    let mut state = match corpus.completeness {
        Completeness::Complete => "complete".to_owned(),
        Completeness::Missing(clips) => format!("{clips} missing"),
        Completeness::More(clips) => format!("{clips} more than published"),
    };
    if corpus.speakers < corpus.published_speakers {
        let _ = write!(
            state,
            ", {} speakers missing",
            corpus.published_speakers - corpus.speakers
        );
    }
    state
}

fn oddities(out: &mut String, report: &ScanReport) {
    let mut lines = Vec::new();
    for group in &report.identical {
        let labels = if group.labels_differ {
            " under different labels"
        } else {
            ""
        };
        lines.push(format!(
            "byte-identical{labels}: {}",
            group.clips.join(", ")
        ));
    }
    for id in &report.misspelt {
        lines.push(format!("misspelt in the release: {id}"));
    }
    if report.songs > 0 {
        lines.push(format!(
            "{} files of RAVDESS's song subset: not used",
            report.songs
        ));
    }
    let copies = report.copies.iter().map(|copy| {
        let bytes = if copy.same_bytes { "same" } else { "other" };
        format!(
            "second copy, {bytes} bytes: {} (used: {})",
            copy.path.display(),
            copy.used.display()
        )
    });
    list(&mut lines, copies, report.copies.len(), "second copies");
    let refused = report
        .refused
        .iter()
        .map(|refused| format!("refused: {} {}", refused.path.display(), refused.reason));
    list(&mut lines, refused, report.refused.len(), "refused");
    section(out, "oddities", &lines);
}

/// What decoding found, to follow [`report`].
pub(super) fn audio(audio: &DeepReport, report: &ScanReport) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "\n{:8} {:>6} {:>8} {:>10} {:>9} {:>10}  sampling rates, channels",
        "audio", "clips", "minutes", "shortest s", "longest s", "full scale"
    );
    let mut lines = Vec::new();
    for corpus in &audio.corpora {
        let rates = corpus.sample_rates.iter();
        let rates: Vec<_> = rates
            .map(|(rate, clips)| format!("{clips} at {rate} Hz"))
            .collect();
        let channels = corpus.channels.iter();
        let channels: Vec<_> = channels
            .map(|(count, clips)| format!("{clips} of {count} ch"))
            .collect();
        let _ = writeln!(
            out,
            "{:8} {:>6} {:>8.1} {:>10.2} {:>9.2} {:>10}  {}; {}",
            corpus.corpus,
            corpus.clips,
            corpus.seconds / 60.0,
            corpus.shortest,
            corpus.longest,
            corpus.full_scale_clips,
            rates.join(", "),
            channels.join(", ")
        );
        lines.extend(
            corpus
                .silent
                .iter()
                .map(|id| format!("digital silence: {id}")),
        );
        lines.extend(
            corpus
                .not_finite
                .iter()
                .map(|id| format!("not finite: {id}")),
        );
    }
    for group in &audio.identical_audio {
        if !report.identical.contains(group) {
            let labels = if group.labels_differ {
                " under different labels"
            } else {
                ""
            };
            lines.push(format!("same audio{labels}: {}", group.clips.join(", ")));
        }
    }
    let unreadable = audio
        .unreadable
        .iter()
        .map(|file| format!("unreadable: {} {}", file.path.display(), file.reason));
    list(&mut lines, unreadable, audio.unreadable.len(), "unreadable");
    section(&mut out, "oddities of the audio", &lines);
    out
}

/// A headed list, or the word `none`.
fn section(out: &mut String, head: &str, lines: &[String]) {
    let _ = writeln!(out, "\n{head}");
    if lines.is_empty() {
        let _ = writeln!(out, "  none");
    }
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

/// Adds the first items, and how many more there are.
fn list(lines: &mut Vec<String>, items: impl Iterator<Item = String>, count: usize, what: &str) {
    lines.extend(items.take(LISTED));
    if count > LISTED {
        lines.push(format!("{what}: {} more, all in --json", count - LISTED));
    }
}
