//! The figures of one model file as Markdown, for its card.

use super::figures::{ConditionFigures, CorpusFigures, Report, percent};

/// The tables of a card: figures and recall as recorded (or of the condition that was measured first), what harder listening
/// costs, and wrong answers by coverage.
pub(super) fn markdown(report: &Report) -> String {
    let Some(plain) = report.conditions.first() else {
        return String::new();
    };
    let mut parts = vec![figures(plain), recall(report, plain)];
    if report.conditions.len() > 1 {
        parts.push(harder(report, plain));
    }
    parts.push(coverage(plain));
    parts.join("\n")
}

fn figures(heard: &ConditionFigures) -> String {
    let columns = "corpus|speakers|clips|chance|UA|of speakers drawn anew|10, 50, 90 % speaker|accuracy|macro-F1|ECE|UA at 75 % coverage";
    let rows = heard.corpora.iter().map(|row| {
        let f = &row.figures;
        let between = row.interval.map(|ends| ends.map(percent).join(" to "));
        let people = row
            .speaker_quantiles
            .map(|people| people.map(|share| format!("{:.0}", 100.0 * share)));
        vec![
            name(row),
            row.speakers.to_string(),
            f.clips.to_string(),
            percent(row.chance),
            percent(f.unweighted_accuracy),
            between.unwrap_or_else(none),
            people.map_or_else(none, |people| people.join(", ")),
            percent(f.accuracy),
            percent(f.macro_f1),
            percent(f.calibration_error),
            percent(f.unweighted_accuracy_at_75),
        ]
    });
    table(columns.split('|').map(str::to_owned), rows)
}

fn recall(report: &Report, heard: &ConditionFigures) -> String {
    let columns = std::iter::once("recall".to_owned()).chain(report.labels.iter().cloned());
    let rows = heard.corpora.iter().map(|row| {
        let recall = row.figures.recall.iter();
        let recall = recall.map(|recall| recall.map_or_else(none, percent));
        std::iter::once(name(row)).chain(recall).collect()
    });
    table(columns, rows)
}

/// UA in every condition, and in brackets what it gains or loses.
fn harder(report: &Report, plain: &ConditionFigures) -> String {
    let conditions = report.conditions.iter();
    let columns =
        std::iter::once("UA".to_owned()).chain(conditions.map(|heard| heard.condition.to_string()));
    let rows = plain.corpora.iter().map(|row| {
        let before = row.figures.unweighted_accuracy;
        let cells = report.conditions.iter().map(|heard| {
            let same = |one: &&CorpusFigures| one.corpus == row.corpus;
            let Some(found) = heard.corpora.iter().find(same) else {
                return none();
            };
            let now = found.figures.unweighted_accuracy;
            if std::ptr::eq(heard, plain) {
                percent(now)
            } else {
                format!("{} ({:+.1})", percent(now), 100.0 * (now - before))
            }
        });
        std::iter::once(name(row)).chain(cells).collect()
    });
    table(columns, rows)
}

/// Wrong answers when only the most confident clips are answered.
fn coverage(heard: &ConditionFigures) -> String {
    let shares = (1..=10).rev().map(|tenth| format!("{} %", 10 * tenth));
    let columns = std::iter::once("wrong, of the most confident".to_owned()).chain(shares);
    let rows = heard.corpora.iter().map(|row| {
        let curve = row.figures.risk_coverage.iter();
        let wrong = curve.map(|point| percent(point.risk));
        std::iter::once(name(row)).chain(wrong).collect()
    });
    table(columns, rows)
}

fn table(columns: impl Iterator<Item = String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let columns: Vec<String> = columns.collect();
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut out = line(&columns) + &"|---".repeat(columns.len()) + "|\n";
    out.extend(rows.map(|cells| line(&cells)));
    out
}

fn name(row: &CorpusFigures) -> String {
    let classes = row.figures.recall.iter().flatten().count();
    let unheard = if row.unheard {
        "corpus never heard, "
    } else {
        ""
    };
    format!("{}, {unheard}{classes} classes", row.corpus.name())
}

fn none() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(name: &str) -> (Report, String) {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        let report = models.join("evaluation").join(name).with_extension("json");
        let card = models.join(name).with_extension("md");
        (
            Report::read(&report).unwrap(),
            std::fs::read_to_string(card).unwrap(),
        )
    }

    #[test]
    fn the_cards_of_the_shipped_files_have_these_tables() {
        for name in ["undertone-research", "undertone-open"] {
            let (report, card) = read(name);
            let tables = markdown(&report);
            assert_eq!(tables.matches("| CREMA-D, 6 classes |").count(), 4);
            for line in tables.lines() {
                assert!(card.contains(line), "{name}: {line}");
            }
        }
    }

    #[test]
    fn a_model_that_was_heard_in_one_condition_has_no_table_of_losses() {
        let (mut report, _) = read("undertone-open");
        report.conditions.truncate(1);
        assert!(!markdown(&report).contains("(+0.0)"));
        report.conditions.clear();
        assert_eq!(markdown(&report), "");
    }
}
