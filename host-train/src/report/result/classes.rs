//! Which classes are told from which.

use undertone_page::chart::{Axis, Bars, Chart, Ink, Matrix, Series, Size};
use undertone_page::{Cell, Figure, Html, Mood, Section, Table};

use super::evidence::{CorpusEvidence, Evidence};
use crate::report::{ReportError, palette};

pub(super) fn section(evidence: Option<&Evidence>) -> Result<Section, ReportError> {
    let mut section = Section::new("Class by class");
    let Some(evidence) = evidence else {
        section.findings([(Mood::Warn, Html::text("Nothing has been measured of this model. Give the corpora that it was trained on with ").and(Html::code("--corpora")).and(Html::text("; its own fold is left to test on.")))]);
        return Ok(section);
    };
    section.figure(&Figure::new("Recall of each class", recall(evidence)?, "Of 100 clips of a class, by speakers that training never heard, how many are recognised; one bar a corpus. The dashed line is guessing."));
    section.heading("What is taken for what");
    let figures: Vec<Figure> = evidence
        .corpora
        .iter()
        .map(|corpus| figure(evidence, corpus))
        .collect::<Result<_, _>>()?;
    section.figures(&figures);
    let mut table = Table::new(
        "Precision, recall and F1",
        &["corpus", "class", "clips", "recall", "precision", "F1"],
    );
    for corpus in &evidence.corpora {
        for (class, label) in evidence.labels.iter().enumerate() {
            let Some(recall) = corpus.figures.recall[class] else {
                continue;
            };
            let precision = corpus.figures.precision[class];
            let f1 = precision
                .filter(|p| p + recall > 0.0)
                .map_or(0.0, |p| 2.0 * p * recall / (p + recall));
            let clips = corpus.figures.confusion[class].iter().sum();
            table.row(vec![
                corpus.name().into(),
                label.as_str().into(),
                Cell::count(clips),
                Cell::percent(recall),
                Cell::percent_or_dash(precision),
                Cell::percent(f1),
            ]);
        }
    }
    section.table(&table);
    Ok(section)
}

/// Recall by class, a bar for each corpus.
pub(super) fn recall(evidence: &Evidence) -> Result<Chart, ReportError> {
    let series = evidence
        .corpora
        .iter()
        .map(|corpus| {
            Series::new(
                corpus.name(),
                corpus.known().map_or(Ink::Accent, palette::corpus),
                corpus.figures.recall.clone(),
            )
        })
        .collect();
    let mut bars = Bars::new(
        evidence.labels.clone(),
        series,
        Axis::percent("recall", 0.0..1.0),
    );
    let chance = evidence.chance();
    bars.level = Some((chance, "guessing".into()));
    Ok(bars.draw(Size::WIDE.tall(300))?)
}

fn figure(evidence: &Evidence, corpus: &CorpusEvidence) -> Result<Figure, ReportError> {
    let chart = matrix(evidence, corpus)?;
    let caption = format!(
        "{} clips of {} speakers: mean recall {:.1} %, accuracy {:.1} %, macro F1 {:.1} %; guessing {:.1} %. Percent of each row.",
        corpus.figures.clips,
        corpus.speaker_count(),
        100.0 * corpus.figures.unweighted_accuracy,
        100.0 * corpus.figures.accuracy,
        100.0 * corpus.figures.macro_f1,
        100.0 * corpus.chance
    );
    Ok(Figure::new(corpus.name(), chart, caption))
}

/// The confusion matrix of a corpus.
pub(super) fn matrix(evidence: &Evidence, corpus: &CorpusEvidence) -> Result<Chart, ReportError> {
    Ok(Matrix {
        names: evidence.labels.clone(),
        titles: ("acted".into(), "heard by the model".into()),
        counts: corpus.figures.confusion.clone(),
    }
    .draw(440)?)
}
