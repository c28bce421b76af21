//! How many clips each class has, and what training does about it.

use undertone_page::chart::{Axis, Bars, Series, Size};
use undertone_page::{Cell, Figure, Html, Mood, Section, Table};

use super::grouped;
use super::survey::Survey;
use crate::corpora::{Corpus, Emotion, Label};
use crate::report::{ReportError, palette};

/// From this ratio of the most frequent class to the rarest on, classes count as imbalanced.
const IMBALANCED: f64 = 1.5;

/// Classes and how many clips they have.
type Counts<T> = Vec<(T, usize)>;
/// The most frequent class, the rarest, and their ratio.
type Extremes<T> = ((T, usize), (T, usize), f64);

/// Clips of the most and the least frequent of some classes.
fn extremes<T: Copy>(counts: &[(T, usize)]) -> Option<Extremes<T>> {
    let most = counts.iter().copied().max_by_key(|count| count.1)?;
    let least = counts
        .iter()
        .copied()
        .filter(|count| count.1 > 0)
        .min_by_key(|count| count.1)?;
    Some((most, least, most.1 as f64 / least.1 as f64))
}

fn labels(survey: &Survey) -> Counts<Label> {
    Label::ALL
        .into_iter()
        .map(|label| (label, survey.scan.labels.get(&label).copied().unwrap_or(0)))
        .collect()
}

fn emotions(survey: &Survey, corpus: Corpus) -> Counts<Emotion> {
    let report = survey
        .scan
        .corpora
        .iter()
        .find(|report| report.corpus == corpus);
    report.map_or_else(Vec::new, |report| {
        report
            .emotions
            .iter()
            .map(|(emotion, count)| (*emotion, *count))
            .collect()
    })
}

pub(super) fn finding(survey: &Survey) -> Option<(Mood, Html)> {
    let (most, least, ratio) = extremes(&labels(survey))?;
    let text = Html::stressed(
        &format!(
            "Classes are {}: ",
            if ratio >= IMBALANCED {
                "imbalanced"
            } else {
                "balanced"
            }
        ),
        &format!("{:.1} {} clips for every {} clip", ratio, most.0, least.0),
        &format!(
            " ({} against {}). Training does not even that out; scores are means over the classes, so that a rare class counts as much as a frequent one.",
            grouped(most.1),
            grouped(least.1)
        ),
    );
    Some((
        if ratio >= IMBALANCED {
            Mood::Warn
        } else {
            Mood::Good
        },
        text,
    ))
}

pub(super) fn section(survey: &Survey) -> Result<Section, ReportError> {
    let mut section = Section::new("Class balance");
    let corpora = survey.corpora();
    let counts: Vec<(Corpus, Counts<Label>)> = corpora
        .iter()
        .map(|&corpus| {
            let of = |label| {
                survey
                    .import
                    .clips
                    .iter()
                    .filter(|clip| clip.corpus == corpus && clip.label == label)
                    .count()
            };
            (
                corpus,
                Label::ALL
                    .into_iter()
                    .map(|label| (label, of(label)))
                    .collect(),
            )
        })
        .collect();
    let top = labels(survey)
        .iter()
        .map(|count| count.1)
        .max()
        .unwrap_or(1) as f64;
    let series = counts
        .iter()
        .map(|(corpus, labels)| {
            let values = labels
                .iter()
                .map(|(_, n)| Some(*n as f64).filter(|n| *n > 0.0))
                .collect();
            Series::new(corpus.name(), palette::corpus(*corpus), values)
        })
        .collect();
    let names = || Label::ALL.map(|label| label.name().to_owned()).to_vec();
    let mut product = Bars::new(names(), series, Axis::numbers("clips", 0.0..top * 1.05));
    product.stacked = true;
    let shares = counts
        .iter()
        .map(|(corpus, labels)| {
            let total: usize = labels.iter().map(|count| count.1).sum();
            let share =
                |n: usize| Some(n as f64 / total.max(1) as f64).filter(|share| *share > 0.0);
            Series::new(
                corpus.name(),
                palette::corpus(*corpus),
                labels.iter().map(|count| share(count.1)).collect(),
            )
        })
        .collect::<Vec<_>>();
    let highest = shares
        .iter()
        .flat_map(|series| series.values.iter().flatten())
        .copied()
        .fold(0.1, f64::max);
    let within = Bars::new(
        names(),
        shares,
        Axis::percent("share of the corpus", 0.0..highest * 1.1),
    );
    section.figures(&[
        Figure::new(
            "Clips of each product class",
            product.draw(Size::HALF)?,
            "All corpora on top of each other; calm counts as neutral.",
        ),
        Figure::new(
            "Share of each class within its corpus",
            within.draw(Size::HALF)?,
            "A corpus whose bars are level is balanced.",
        ),
    ]);

    let mut columns = vec!["corpus"];
    let all = survey.emotions();
    columns.extend(all.iter().map(|emotion| emotion.name()));
    columns.extend(["most : least", "balance"]);
    let mut table = Table::new("Clips by the corpora's own emotions", &columns);
    for corpus in corpora {
        let counts = emotions(survey, corpus);
        let mut row: Vec<Cell> = vec![corpus.name().into()];
        for emotion in &all {
            let count = counts.iter().find(|(of, _)| of == emotion);
            row.push(count.map_or_else(Cell::none, |(_, count)| Cell::count(*count)));
        }
        let ratio = extremes(&counts).map_or(1.0, |extremes| extremes.2);
        row.push(Cell::number(ratio, 2));
        row.push(
            if ratio >= IMBALANCED {
                "imbalanced"
            } else {
                "balanced"
            }
            .into(),
        );
        table.row(row);
    }
    section.table(&table);
    section.heading("What training does about it");
    section.findings([
        (Mood::Note, Html::text("Every training clip is heard once in each epoch, in an order drawn anew. No class and no corpus is drawn more often or weighs more in the loss, so that frequent classes and large corpora pull harder.")),
        (Mood::Note, Html::text("A class that a corpus does not label (surprise in CREMA-D) has no part in the loss of its clips, so that the network does not learn from its absence.")),
        (Mood::Note, Html::text("The epoch is chosen by unweighted accuracy: the mean recall of the classes, corpus by corpus. There a rare class and a small corpus count as much as the others.")),
        (Mood::Note, Html::text("Clips whose recording also stands under another label are left out of training.")),
    ]);
    crowd(survey, &mut section)?;
    Ok(section)
}

/// How listeners heard the clips that were put to them.
fn crowd(survey: &Survey, section: &mut Section) -> Result<(), ReportError> {
    let voted: Vec<_> = survey
        .import
        .clips
        .iter()
        .filter_map(|clip| Some((clip, clip.votes?)))
        .filter(|(_, votes)| votes.total() > 0)
        .collect();
    if voted.is_empty() {
        return Ok(());
    }
    let emotions: Vec<Emotion> = survey
        .emotions()
        .into_iter()
        .filter(|emotion| voted.iter().any(|(clip, _)| clip.emotion == *emotion))
        .collect();
    let share = |emotion: Emotion, right: &dyn Fn(Emotion, &crate::corpora::Votes) -> f64| {
        let of: Vec<f64> = voted
            .iter()
            .filter(|(clip, _)| clip.emotion == emotion)
            .map(|(clip, votes)| right(clip.emotion, votes))
            .collect();
        Some(of.iter().sum::<f64>() / of.len().max(1) as f64)
    };
    let single = emotions
        .iter()
        .map(|&e| {
            share(e, &|e, votes| {
                f64::from(votes.of(e)) / f64::from(votes.total())
            })
        })
        .collect();
    let majority = emotions
        .iter()
        .map(|&e| {
            share(e, &|e, votes| {
                f64::from(u8::from(votes.majority() == Some(e)))
            })
        })
        .collect();
    let mut bars = Bars::new(
        emotions
            .iter()
            .map(|emotion| emotion.name().to_owned())
            .collect(),
        vec![
            Series::new(
                "single votes",
                undertone_page::chart::Ink::Series(0),
                single,
            ),
            Series::new(
                "majority of the listeners",
                undertone_page::chart::Ink::Accent,
                majority,
            ),
        ],
        Axis::percent("agrees with the intended label", 0.0..1.0),
    );
    bars.level = Some((1.0 / emotions.len().max(1) as f64, "chance".into()));
    section.heading("How far people agree with the labels");
    let caption = format!(
        "What listeners chose who heard the voice alone, {} clips of CREMA-D. The label that counts is what the actor was asked for.",
        grouped(voted.len())
    );
    section.figure(&Figure::new(
        "People hear it too only in part",
        bars.draw(Size::WIDE)?,
        caption,
    ));
    Ok(())
}
