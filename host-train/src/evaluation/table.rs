//! Results as Markdown. What is not yet measured says so.

use std::collections::BTreeMap;

use super::condition::Condition;
use super::leaky::Way;
use super::protocol::Protocol;
use super::results::{FoldResult, HeadOf, Results};
use super::speakers::{BySpeaker, interval, quantiles};
use super::spread::over_folds;
use crate::corpora::Emotion;

/// The tables of everything in `all`, which belong to one recipe: the protocols, and under them each class's recall.
#[must_use]
pub fn markdown(all: &[Results]) -> String {
    let mut out = String::from(
        "| protocol | folds | seeds | UA | of speakers drawn anew | accuracy | macro-F1 | ECE | UA at 75 % | 10, 50, 90 % speaker |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut recalls = String::new();
    for protocol in Protocol::ALL {
        let results = all.iter().find(|one| one.protocol == protocol);
        for (name, folds, task) in rows(protocol) {
            let found: Vec<&FoldResult> = results
                .iter()
                .flat_map(|results| &results.results)
                .filter(|one| one.task == task && folds.contains(&one.fold))
                .collect();
            for (head, condition) in settings(&found) {
                let here = |one: &&FoldResult| (one.head, one.condition) == (head, condition);
                let found: Vec<&FoldResult> = found.iter().copied().filter(here).collect();
                let mut name = name.clone();
                if head == HeadOf::Corpus {
                    name.push_str(", its own head");
                }
                if condition != Condition::Clean {
                    name = format!("{name}, {condition}");
                }
                out.push_str(&row(&name, &folds, &found));
                recalls.push_str(&recall(&name, &found));
            }
        }
    }
    if !recalls.is_empty() {
        out.push_str("\nRecall, mean over folds and seeds:\n\n");
        out.push_str(&recalls);
    }
    out
}

/// A protocol's rows: name, folds and task.
fn rows(protocol: Protocol) -> Vec<(String, Vec<String>, &'static str)> {
    let names = |folds: &[super::protocol::Fold]| folds.iter().map(|f| f.name.clone()).collect();
    let folds = protocol.folds();
    match protocol {
        Protocol::Leaky => {
            let unheard = Way::ALL[1..].iter().map(|way| way.name()).collect();
            let leaky = "classic network, altered copies split at random".to_owned();
            vec![
                (leaky, vec![Way::Leaky.name()], "all"),
                (
                    "classic network, unheard actress".to_owned(),
                    unheard,
                    "all",
                ),
            ]
        }
        Protocol::ZeroShot => {
            let tasks = [("shared-4", "4 classes"), ("shared", "all shared classes")];
            let mut rows = Vec::new();
            for (task, title) in tasks {
                for fold in &folds {
                    let name = format!("zero-shot onto {}, {title}", fold.corpus);
                    rows.push((name, vec![fold.name.clone()], task));
                }
                rows.push((format!("zero-shot, mean, {title}"), names(&folds), task));
            }
            rows
        }
        _ => {
            let classes = folds[0].tasks[0].emotions.len();
            vec![(
                format!("{protocol}, {classes} classes"),
                names(&folds),
                "all",
            )]
        }
    }
}

/// The heads and conditions that occur, the run's head first, and that with clean clips in any case.
fn settings(found: &[&FoldResult]) -> Vec<(HeadOf, Condition)> {
    let mut settings = vec![(HeadOf::Run, Condition::Clean)];
    for one in found {
        if !settings.contains(&(one.head, one.condition)) {
            settings.push((one.head, one.condition));
        }
    }
    settings.sort_by_key(|(head, _)| *head);
    settings
}

fn row(name: &str, folds: &[String], found: &[&FoldResult]) -> String {
    let missing: Vec<&str> = folds
        .iter()
        .filter(|fold| found.iter().all(|one| one.fold != **fold))
        .map(String::as_str)
        .collect();
    if found.is_empty() {
        return format!("| {name} | not yet measured | | | | | | | | |\n");
    }
    let done = folds.len() - missing.len();
    let folds = if missing.is_empty() {
        format!("{done} of {done}")
    } else {
        let all = done + missing.len();
        format!("{done} of {all} (not yet: {})", missing.join(", "))
    };
    let figure = |of: fn(&FoldResult) -> f64| figure(found, of);
    let mut speakers = BySpeaker::new();
    for (speaker, answers) in found.iter().flat_map(|one| &one.speakers) {
        speakers.entry(speaker.clone()).or_default().add(answers);
    }
    // Corpora are never pooled into one figure.
    let pooled = !name.contains("mean");
    let between = interval(&speakers).filter(|_| pooled);
    let between = between.map_or("-".to_owned(), |[low, high]| {
        format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high)
    });
    let people = quantiles(&speakers).filter(|_| pooled);
    let people = people.map_or("-".to_owned(), |people| {
        people
            .map(|score| format!("{:.0}", 100.0 * score))
            .join(", ")
    });
    format!(
        "| {name} | {folds} | {} | {} | {between} | {} | {} | {} | {} | {people} |\n",
        seeds(found, done),
        figure(|one| one.figures.unweighted_accuracy),
        figure(|one| one.figures.accuracy),
        figure(|one| one.figures.macro_f1),
        figure(|one| one.figures.calibration_error),
        figure(|one| one.figures.unweighted_accuracy_at_75),
    )
}

/// The seeds that occur, those of fewer than all `folds` that are there with how many.
fn seeds(found: &[&FoldResult], folds: usize) -> String {
    let mut by_seed: BTreeMap<u64, usize> = BTreeMap::new();
    for one in found {
        *by_seed.entry(one.seed).or_default() += 1;
    }
    let name = |(seed, count): (u64, usize)| match count {
        count if count == folds => seed.to_string(),
        count => format!("{seed} ({count} of {folds})"),
    };
    by_seed.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Mean and standard deviation of a figure, in %; the deviation only of two values or more.
fn figure(found: &[&FoldResult], of: fn(&FoldResult) -> f64) -> String {
    let values = found.iter().map(|one| (one.fold.as_str(), of(one)));
    match over_folds(values) {
        (mean, None) => format!("{:.1}", 100.0 * mean),
        (mean, Some(deviation)) => format!("{:.1} ± {:.1}", 100.0 * mean, 100.0 * deviation),
    }
}

/// Of every class that some result has, the mean over those that have it.
fn recall<'a>(name: &str, found: &[&'a FoldResult]) -> String {
    let of = |emotion: Emotion| -> Vec<(&'a str, f64)> {
        let here = |one: &&'a FoldResult| {
            let class = one.classes.iter().position(|other| *other == emotion)?;
            Some((one.fold.as_str(), one.figures.recall[class]?))
        };
        found.iter().filter_map(here).collect()
    };
    let parts: Vec<String> = Emotion::ALL
        .into_iter()
        .map(|emotion| (emotion, of(emotion)))
        .filter(|(_, recall)| !recall.is_empty())
        .map(|(emotion, recall)| {
            let (mean, _) = over_folds(recall.into_iter());
            format!("{emotion} {:.0}", 100.0 * mean)
        })
        .collect();
    if parts.is_empty() {
        return String::new();
    }
    format!("- {name}: {}\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::results::tests::result;

    #[test]
    fn a_class_that_one_corpus_lacks_is_averaged_over_the_others() {
        let heard = |fold: &str, classes: &[Emotion], recall: &[f64]| {
            let mut one = result(fold, 1, 5);
            one.classes = classes.to_vec();
            one.figures.recall = recall.iter().copied().map(Some).collect();
            one
        };
        let both = heard("tess", &[Emotion::Sad, Emotion::Surprise], &[0.5, 0.9]);
        let one = heard("crema-d", &[Emotion::Sad], &[0.3]);
        for order in [[&both, &one], [&one, &both]] {
            assert_eq!(recall("mean", &order), "- mean: sad 40, surprise 90\n");
        }
    }

    #[test]
    fn a_missing_fold_is_named_and_a_protocol_without_results_is_not_yet_measured() {
        let results = Results {
            name: "mine".to_owned(),
            protocol: Protocol::Savee,
            recipe: String::new(),
            clips: None,
            results: vec![
                result("1", 1, 5),
                result("1", 2, 9),
                FoldResult {
                    head: HeadOf::Corpus,
                    ..result("1", 1, 8)
                },
                result("4", 1, 6),
            ],
        };
        let table = markdown(&[results]);
        let line = |start: &str| {
            let found = table.lines().find(|line| line.starts_with(start));
            found
                .unwrap_or_else(|| panic!("{start} in {table}"))
                .to_owned()
        };
        let savee = line("| savee, 7 classes");
        assert!(
            savee.contains("2 of 4 (not yet: 2, 3) | 1, 2 (1 of 2) | 65.0 ± 7.1 |"),
            "{savee}"
        );
        let fitted = line("| savee, 7 classes, its own head");
        assert!(
            fitted.contains("1 of 4 (not yet: 2, 3, 4) | 1 | 80.0 |"),
            "{fitted}"
        );
        assert!(line("| crema-d, 6 classes").contains("not yet measured"));
        assert!(line("- savee, 7 classes").contains("neutral 65"));
        assert!(!line("- savee, 7 classes").contains("calm"));
        let columns = |line: &str| line.matches('|').count();
        assert!(
            table
                .lines()
                .take_while(|line| !line.is_empty())
                .all(|l| columns(l) == 11)
        );
    }
}
