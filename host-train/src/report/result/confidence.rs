//! Whether its confidence can be believed, and what is won by answering less.

use undertone_page::chart::{Axis, Chart, Ink, Line, Lines, Size};
use undertone_page::{Cell, Figure, Html, Mood, Section, Table};

use super::Opened;
use super::evidence::{CorpusEvidence, Evidence};
use crate::report::{ReportError, palette};

fn ink(corpus: &CorpusEvidence) -> Ink {
    corpus.known().map_or(Ink::Accent, palette::corpus)
}

pub(super) fn section(
    evidence: Option<&Evidence>,
    model: Option<&Opened>,
) -> Result<Section, ReportError> {
    let mut section = Section::new("Confidence");
    let Some(evidence) = evidence else {
        section.findings([(Mood::Warn, Html::text("Calibration has not been measured."))]);
        return Ok(section);
    };
    if let Some(opened) = model {
        section.text(format!(
            "Below a confidence of {:.0} % the box says unknown.",
            100.0 * opened.model.metadata().unknown_threshold
        ));
    }
    let mut table = Table::new(
        "Calibration",
        &[
            "corpus",
            "calibration error",
            "mean recall",
            "mean recall of the most confident 75 %",
            "accuracy",
        ],
    );
    for corpus in &evidence.corpora {
        let figures = &corpus.figures;
        table.row(vec![
            corpus.name().into(),
            Cell::percent(figures.calibration_error),
            Cell::percent(figures.unweighted_accuracy),
            Cell::percent(figures.unweighted_accuracy_at_75),
            Cell::percent(figures.accuracy),
        ]);
    }
    section.table(&table);
    if evidence
        .corpora
        .iter()
        .all(|corpus| corpus.reliability.is_empty())
    {
        section.findings([(Mood::Note, Html::text("The reliability diagram and the risk-coverage curve need every single answer: give the corpora with ").and(Html::code("--corpora")).and(Html::text(".")))]);
        return Ok(section);
    }
    section.figures(&[
        Figure::new("Reliability", reliability(evidence)?, "How often it is right when it says that it is so sure. On the dashed line it can be taken at its word; below it is too sure of itself. Bins of fewer than 10 clips are left out."),
        Figure::new("Risk and coverage", coverage(evidence)?, "How many answers are wrong when only the most confident share of clips is answered. A curve that falls to the left means that its confidence says something."),
    ]);
    Ok(section)
}

/// Accuracy over confidence.
pub(super) fn reliability(evidence: &Evidence) -> Result<Chart, ReportError> {
    let lines = evidence
        .corpora
        .iter()
        .map(|corpus| {
            let bins = corpus.reliability.iter().filter(|bin| bin.clips >= 10);
            Line::new(
                corpus.name(),
                ink(corpus),
                bins.map(|bin| (bin.confidence, bin.accuracy)).collect(),
            )
            .dotted()
        })
        .collect();
    let mut lines = Lines::new(
        lines,
        Axis::percent("confidence", 0.0..1.0),
        Axis::percent("right", 0.0..1.0),
    );
    lines.guide = Some(((0.0, 0.0), (1.0, 1.0)));
    Ok(lines.draw(Size::HALF.tall(330))?)
}

fn coverage(evidence: &Evidence) -> Result<Chart, ReportError> {
    let lines = evidence
        .corpora
        .iter()
        .map(|corpus| {
            Line::new(
                corpus.name(),
                ink(corpus),
                corpus
                    .coverage
                    .iter()
                    .rev()
                    .map(|point| (point.coverage, point.risk))
                    .collect(),
            )
        })
        .collect();
    Ok(Lines::new(
        lines,
        Axis::percent("share of clips answered", 0.0..1.0),
        Axis::percent("wrong answers", 0.0..1.0),
    )
    .draw(Size::HALF.tall(330))?)
}
