//! Which class is weakest, and what it is taken for.

use undertone_page::{Html, Mood};

use super::percent;
use crate::report::result::evidence::Evidence;

pub(super) fn weakest(evidence: &Evidence) -> Option<(Mood, Html)> {
    let mut classes: Vec<_> = (0..evidence.labels.len())
        .filter_map(|class| {
            evidence
                .recall(class)
                .map(|(mean, each)| (class, mean, each))
        })
        .collect();
    classes.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (weakest, best) = (classes.first()?, classes.last()?);
    let label = &evidence.labels[weakest.0];
    let (low, high) = (weakest.2.first()?, weakest.2.last()?);
    let spread = if weakest.2.len() > 1 {
        format!(
            " (from {} on {} to {} on {})",
            percent(low.1),
            low.0,
            percent(high.1),
            high.0
        )
    } else {
        String::new()
    };
    let text = Html::stressed(
        "The weakest class is ",
        &format!(
            "{label}: {} of its clips are recognised",
            percent(weakest.1)
        ),
        &format!(
            "{spread}{}. The strongest is {} with {}.",
            mistaken(evidence, weakest.0),
            evidence.labels[best.0],
            percent(best.1)
        ),
    );
    Some((
        if weakest.1 < 0.5 {
            Mood::Bad
        } else {
            Mood::Warn
        },
        text,
    ))
}

/// What a class is most often taken for, all corpora together, each with the same weight.
fn mistaken(evidence: &Evidence, class: usize) -> String {
    let share = |other: usize| -> f64 {
        evidence
            .corpora
            .iter()
            .map(|corpus| {
                let row = &corpus.figures.confusion[class];
                row[other] as f64 / row.iter().sum::<usize>().max(1) as f64
            })
            .sum()
    };
    let most = (0..evidence.labels.len())
        .filter(|other| *other != class)
        .max_by(|a, b| share(*a).total_cmp(&share(*b)));
    most.filter(|other| share(*other) > 0.0)
        .map_or_else(String::new, |other| {
            format!(
                ", and it is most often taken for {}",
                evidence.labels[other]
            )
        })
}
