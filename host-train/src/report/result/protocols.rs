//! Published comparisons, the honest ones and the leaky one, from files of results.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use undertone_page::chart::{Axis, Bars, Ink, Series, Size};
use undertone_page::{Cell, Figure, Html, Mood, Section, Table};

use super::evidence::Scores;
use super::json_files;
use crate::evaluation::results::HeadOf;
use crate::evaluation::spread::over_folds;
use crate::report::ReportError;

/// Results of one protocol, as `evaluate` keeps them; what else is there is left alone.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Protocol {
    #[serde(default)]
    name: String,
    pub(super) protocol: String,
    results: Vec<Fold>,
}

#[derive(Clone, Debug, Deserialize)]
struct Fold {
    fold: String,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    task: String,
    #[serde(default)]
    condition: String,
    #[serde(default)]
    head: HeadOf,
    #[serde(default)]
    date: String,
    figures: Scores,
}

/// What was measured of one set of classes by one head in one condition, over folds and seeds.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) protocol: String,
    pub(super) task: String,
    pub(super) condition: String,
    pub(super) head: HeadOf,
    folds: usize,
    seeds: usize,
    pub(super) mean: f64,
    deviation: f64,
    accuracy: f64,
    ece: f64,
    date: String,
}

/// Every file of results in `folder`.
pub(super) fn read(folder: &Path) -> Vec<Protocol> {
    json_files(folder)
        .iter()
        .filter_map(|file| serde_json::from_slice(&fs::read(file).ok()?).ok())
        .collect()
}

/// The means over folds, of each the mean over its seeds.
pub(super) fn rows(protocols: &[Protocol]) -> Vec<Row> {
    let mut rows = Vec::new();
    for protocol in protocols {
        let mut groups: BTreeMap<(String, HeadOf, String), Vec<&Fold>> = BTreeMap::new();
        for result in &protocol.results {
            // The leaky protocol's folds are different experiments, and no mean of them means anything.
            let task = if protocol.protocol == "leaky" {
                result.fold.clone()
            } else {
                result.task.clone()
            };
            groups
                .entry((task, result.head, result.condition.clone()))
                .or_default()
                .push(result);
        }
        for ((task, head, condition), folds) in groups {
            let over = |of: fn(&Fold) -> f64| {
                over_folds(folds.iter().map(|fold| (fold.fold.as_str(), of(fold))))
            };
            let (mean, deviation) = over(|fold| fold.figures.unweighted_accuracy);
            let distinct = |mut values: Vec<String>| {
                values.sort_unstable();
                values.dedup();
                values.len()
            };
            rows.push(Row {
                name: protocol.name.clone(),
                protocol: protocol.protocol.clone(),
                task,
                condition,
                head,
                folds: distinct(folds.iter().map(|fold| fold.fold.clone()).collect()),
                seeds: distinct(folds.iter().map(|fold| fold.seed.to_string()).collect()),
                mean,
                deviation: deviation.unwrap_or(0.0),
                accuracy: over(|fold| fold.figures.accuracy).0,
                ece: over(|fold| fold.figures.calibration_error).0,
                date: folds
                    .iter()
                    .map(|fold| fold.date.clone())
                    .max()
                    .unwrap_or_default(),
            });
        }
    }
    rows
}

pub(super) fn section(protocols: &[Protocol]) -> Result<Section, ReportError> {
    let mut section = Section::new("Published comparisons, honest beside leaky");
    section.text("Most published figures above 95 % on these corpora come from test clips whose speaker, or an altered copy of the clip itself, was trained on. Such a split leaks; an honest one keeps every clip of a speaker on one side.");
    let rows = rows(protocols);
    let leaky: Vec<&Row> = rows.iter().filter(|row| row.protocol == "leaky").collect();
    if leaky.is_empty() {
        section.findings([(Mood::Note, Html::text("The leaky protocol has not been measured here, so that nothing stands beside the honest figures."))]);
    } else {
        let names = leaky.iter().map(|row| row.task.clone()).collect();
        let inks = leaky
            .iter()
            .map(|row| if row.mean > 0.9 { Ink::Bad } else { Ink::Good })
            .collect();
        let mut bars = Bars::new(
            names,
            vec![Series::new(
                "",
                Ink::Accent,
                leaky.iter().map(|row| Some(row.mean)).collect(),
            )],
            Axis::percent("mean recall", 0.0..1.0),
        );
        bars.inks = inks;
        section.figure(&Figure::new(
            "The same network, split two ways",
            bars.draw(Size::WIDE)?,
            "What a leaky split promises, and what is left with speakers that were never heard.",
        ));
    }
    let mut table = Table::new(
        "Mean and deviation over folds and seeds",
        &[
            "recipe",
            "protocol",
            "classes",
            "head",
            "condition",
            "folds",
            "seeds",
            "mean recall",
            "±",
            "accuracy",
            "calibration error",
            "date",
        ],
    );
    for row in &rows {
        table.row(vec![
            row.name.as_str().into(),
            row.protocol.as_str().into(),
            row.task.as_str().into(),
            match row.head {
                HeadOf::Run => "the run's",
                HeadOf::Corpus => "the corpus's own",
            }
            .into(),
            row.condition.as_str().into(),
            Cell::count(row.folds),
            Cell::count(row.seeds),
            Cell::percent(row.mean),
            Cell::percent(row.deviation),
            Cell::percent(row.accuracy),
            Cell::percent(row.ece),
            row.date.as_str().into(),
        ]);
    }
    if table.is_empty() {
        section.findings([(Mood::Note, Html::text("None of the published protocols has been measured for this model: there are no files of results beside it."))]);
    }
    section.table(&table);
    Ok(section)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_seeds_of_a_task_are_averaged_and_conditions_kept_apart() {
        let fold = |fold: &str, seed: u64, condition: &str, ua: f64| {
            format!(
                "{{\"fold\":\"{fold}\",\"seed\":{seed},\"task\":\"all\",\"condition\":\"{condition}\",\"date\":\"2026-11-24\",\"figures\":{{\"clips\":1,\"unweighted_accuracy\":{ua},\"accuracy\":0.5,\"macro_f1\":0.5,\"recall\":[],\"precision\":[],\"calibration_error\":0.1,\"unweighted_accuracy_at_75\":0.5,\"confusion\":[],\"more\":[1]}}}}"
            )
        };
        let fitted =
            fold("1", 1, "clean", 0.9).replace("{\"fold\"", "{\"head\":\"corpus\",\"fold\"");
        let file = format!(
            "{{\"name\":\"mine\",\"protocol\":\"savee\",\"recipe\":\"x\",\"results\":[{},{},{},{fitted}]}}",
            fold("1", 1, "clean", 0.4),
            fold("2", 1, "clean", 0.6),
            fold("1", 1, "telephone", 0.3)
        );
        let rows = rows(&[serde_json::from_str(&file).unwrap()]);
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[2].head, rows[2].folds), (HeadOf::Corpus, 1));
        assert!(
            (rows[0].mean - 0.5).abs() < 1e-9 && (rows[0].deviation - 0.02f64.sqrt()).abs() < 1e-9
        );
        assert_eq!(
            (rows[0].folds, rows[1].condition.as_str()),
            (2, "telephone")
        );
    }
}
