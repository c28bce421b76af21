//! What harder listening costs: noises of the street, a telephone line, a room.

use undertone_page::chart::{Axis, Bars, Chart, Ink, Series, Size};
use undertone_page::{Cell, Figure, Html, Mood, Section, Table};

use super::evidence::{CLEAN, ConditionEvidence, CorpusEvidence, Evidence};
use crate::report::{ReportError, palette};

/// What a condition is called, for people.
pub(super) fn name(condition: &str) -> String {
    match condition {
        CLEAN => "as recorded".to_owned(),
        "telephone" => "telephone line".to_owned(),
        "reverb" => "room, 6 m away".to_owned(),
        other => {
            let spaced = |decibels: &str| decibels.replace("dB", " dB");
            if let Some(ratio) = other.strip_prefix("noise:") {
                format!("noise at {}", spaced(ratio))
            } else if let Some(softer) = other.strip_prefix("level:-") {
                format!("{} softer", spaced(softer))
            } else if let Some(louder) = other.strip_prefix("level:") {
                format!("{} louder", spaced(louder))
            } else {
                other.to_owned()
            }
        }
    }
}

/// Mean over the corpora of the mean recall, and of what guessing scores; `None` if it was not measured.
pub(super) fn mean(evidence: &Evidence, condition: &str) -> Option<(f64, f64)> {
    let found = evidence.conditions.iter();
    let corpora = &found
        .clone()
        .find(|one| one.condition == condition)?
        .corpora;
    let mean = |of: fn(&CorpusEvidence) -> f64| CorpusEvidence::mean(corpora, of);
    (!corpora.is_empty()).then(|| {
        (
            mean(|corpus| corpus.figures.unweighted_accuracy),
            mean(|corpus| corpus.chance),
        )
    })
}

/// The conditions that are harder than the clean one.
pub(super) fn harder(evidence: &Evidence) -> impl Iterator<Item = &ConditionEvidence> {
    let conditions = evidence.conditions.iter();
    conditions.filter(|one| one.condition != CLEAN)
}

pub(super) fn section(evidence: Option<&Evidence>) -> Result<Section, ReportError> {
    let mut section = Section::new("Street, telephone, room");
    let Some(evidence) = evidence.filter(|evidence| harder(evidence).next().is_some()) else {
        section.findings([(
            Mood::Warn,
            Html::text("What a street, a telephone line or a room does to it has not been measured: ")
                .and(Html::code("undertone-train evaluate MODEL CORPORA --condition clean --condition noise:10dB --condition telephone --condition reverb --json"))
                .and(Html::text(", kept in the folder of evaluations.")),
        )]);
        return Ok(section);
    };
    section.figure(&Figure::new(
        "Mean recall in harder listening",
        chart(evidence)?,
        "All clips of the same strangers, changed in ways that training never used: a machine, clatter or a street at 10 dB; 300 to 3400 Hz with a telephone's codec; a meeting room with the speaker 6 m away. Where it stands there, the same voice softer, or louder and cut off at full scale, which training used in part. One bar a corpus; the dashed line is guessing.",
    ));
    let corpora = &evidence.corpora;
    let mut columns = vec!["condition"];
    columns.extend(corpora.iter().map(CorpusEvidence::name));
    columns.extend(["mean", "of what it knows, kept"]);
    let mut table = Table::new("Mean recall", &columns);
    for one in &evidence.conditions {
        let mut row: Vec<Cell> = vec![name(&one.condition).as_str().into()];
        row.extend(
            corpora
                .iter()
                .map(|corpus| Cell::percent_or_dash(recall(one, &corpus.corpus))),
        );
        row.push(Cell::percent_or_dash(
            mean(evidence, &one.condition).map(|mean| mean.0),
        ));
        row.push(Cell::percent_or_dash(kept(evidence, &one.condition)));
        table.row(row);
    }
    section.table(&table);
    Ok(section)
}

fn recall(condition: &ConditionEvidence, corpus: &str) -> Option<f64> {
    let own = condition.corpora.iter().find(|own| own.corpus == corpus);
    own.map(|own| own.figures.unweighted_accuracy)
}

/// Share of what a condition leaves of what the model knows beyond guessing.
pub(super) fn kept(evidence: &Evidence, condition: &str) -> Option<f64> {
    let ((clean, _), (there, chance)) = (mean(evidence, CLEAN)?, mean(evidence, condition)?);
    (clean > chance).then(|| ((there - chance) / (clean - chance)).clamp(0.0, 1.0))
}

/// Mean recall by condition, a bar for each corpus.
pub(super) fn chart(evidence: &Evidence) -> Result<Chart, ReportError> {
    let conditions = &evidence.conditions;
    let series = evidence
        .corpora
        .iter()
        .map(|corpus| {
            let values = conditions.iter().map(|one| recall(one, &corpus.corpus));
            Series::new(
                corpus.name(),
                corpus.known().map_or(Ink::Accent, palette::corpus),
                values.collect(),
            )
        })
        .collect();
    let names = conditions.iter().map(|one| name(&one.condition)).collect();
    let mut bars = Bars::new(names, series, Axis::percent("mean recall", 0.0..1.0));
    let chance = mean(evidence, CLEAN).or_else(|| {
        let first = conditions.first()?;
        mean(evidence, &first.condition)
    });
    bars.level = chance.map(|chance| (chance.1, "guessing".into()));
    Ok(bars.draw(Size::WIDE.tall(300))?)
}
