//! How much of a feature's variance corpus, speaker, sex and emotion explain.
//!
//! Eta squared: the variance between the means of the groups over the whole variance (Fisher 1925). Corpus and speaker are
//! nested, so that the speaker's share holds the corpus's. The emotion's share is given twice: of the values as they are, and
//! after the mean of each speaker is taken off, which is what is left when one knows the voice.

use std::collections::BTreeMap;

use undertone_page::chart::{Axis, Bars, Ink, Series, Size};
use undertone_page::{Cell, Figure, Html, Mood, Section, Table};

use super::measure::QUANTITIES;
use super::survey::Survey;
use crate::report::ReportError;

/// Shares of variance that one quantity owes to each factor.
struct Effects {
    name: &'static str,
    corpus: f64,
    speaker: f64,
    sex: f64,
    emotion: f64,
    emotion_within: f64,
}

fn effects(survey: &Survey) -> Vec<Effects> {
    let clips: Vec<_> = survey.heard().collect();
    QUANTITIES
        .iter()
        .map(|quantity| {
            let values: Vec<f64> = clips
                .iter()
                .map(|(_, measured)| (quantity.of)(measured))
                .collect();
            let speakers: Vec<_> = clips.iter().map(|(clip, _)| &clip.speaker).collect();
            let emotions: Vec<_> = clips.iter().map(|(clip, _)| clip.emotion).collect();
            Effects {
                name: quantity.name,
                corpus: eta_squared(&values, clips.iter().map(|(clip, _)| clip.corpus)),
                speaker: eta_squared(&values, speakers.iter().copied()),
                sex: eta_squared(&values, clips.iter().map(|(clip, _)| clip.sex)),
                emotion: eta_squared(&values, emotions.iter().copied()),
                emotion_within: eta_squared(
                    &without_means(&values, &speakers),
                    emotions.iter().copied(),
                ),
            }
        })
        .collect()
}

fn means<K: Ord>(values: &[f64], keys: impl Iterator<Item = K>) -> BTreeMap<K, (f64, usize)> {
    let mut sums: BTreeMap<K, (f64, usize)> = BTreeMap::new();
    for (key, value) in keys.zip(values) {
        let entry = sums.entry(key).or_default();
        *entry = (entry.0 + value, entry.1 + 1);
    }
    sums.values_mut()
        .for_each(|(sum, count)| *sum /= *count as f64);
    sums
}

/// Share of the variance of `values` that lies between the means of their groups, 0 to 1.
fn eta_squared<K: Ord>(values: &[f64], keys: impl Iterator<Item = K>) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let whole: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let between: f64 = means(values, keys)
        .values()
        .map(|(group, count)| *count as f64 * (group - mean).powi(2))
        .sum();
    if whole > 0.0 { between / whole } else { 0.0 }
}

fn without_means<K: Ord>(values: &[f64], keys: &[K]) -> Vec<f64> {
    let means = means(values, keys.iter());
    values
        .iter()
        .zip(keys)
        .map(|(value, key)| value - means.get(key).map_or(0.0, |mean| mean.0))
        .collect()
}

pub(super) fn finding(survey: &Survey) -> Option<(Mood, Html)> {
    if survey.corpora().len() < 2 {
        return None;
    }
    let effects = effects(survey);
    let studio: Vec<&Effects> = effects
        .iter()
        .filter(|effect| effect.corpus > effect.emotion)
        .collect();
    let over = |effect: &Effects| effect.corpus - effect.emotion;
    let Some(most) = studio.iter().max_by(|a, b| over(a).total_cmp(&over(b))) else {
        return Some((
            Mood::Good,
            Html::text("The emotion explains more of every feature than the corpus does."),
        ));
    };
    Some((
        if 2 * studio.len() > effects.len() {
            Mood::Warn
        } else {
            Mood::Note
        },
        Html::stressed(
            &format!(
                "The corpus says more than the emotion in {} of {} features: ",
                studio.len(),
                effects.len()
            ),
            &format!(
                "it explains {:.0} % of how the {} varies, the emotion {:.0} %",
                100.0 * most.corpus,
                most.name,
                100.0 * most.emotion
            ),
            ". A network can learn the studio instead of the emotion.",
        ),
    ))
}

pub(super) fn section(survey: &Survey) -> Result<Section, ReportError> {
    let mut section = Section::new("What makes clips differ");
    section.text("Share of each feature's variance that lies between the means of the groups (eta squared). Every speaker belongs to one corpus, so that the speakers' share holds the corpora's. The last bar is what emotion explains once the mean of each speaker is taken off.");
    let effects = effects(survey);
    let of = |pick: fn(&Effects) -> f64| {
        effects
            .iter()
            .map(|effect| Some(pick(effect)))
            .collect::<Vec<_>>()
    };
    let series = vec![
        Series::new("corpus", Ink::Series(8), of(|e| e.corpus)),
        Series::new("speaker (with corpus)", Ink::Series(3), of(|e| e.speaker)),
        Series::new("sex", Ink::Series(5), of(|e| e.sex)),
        Series::new("emotion", Ink::Series(7), of(|e| e.emotion)),
        Series::new(
            "emotion, speaker known",
            Ink::Series(2),
            of(|e| e.emotion_within),
        ),
    ];
    let names = effects
        .iter()
        .map(|effect| effect.name.to_owned())
        .collect();
    let bars = Bars::new(names, series, Axis::percent("variance explained", 0.0..1.0));
    section.figure(&Figure::new(
        "Corpus, speaker and emotion beside each other",
        bars.draw(Size::WIDE.tall(320))?,
        "",
    ));
    let mut table = Table::new(
        "Variance explained",
        &[
            "feature",
            "corpus",
            "speaker",
            "sex",
            "emotion",
            "emotion, speaker known",
        ],
    );
    for effect in &effects {
        let shares = [
            effect.corpus,
            effect.speaker,
            effect.sex,
            effect.emotion,
            effect.emotion_within,
        ];
        table.row(
            std::iter::once(Cell::from(effect.name))
                .chain(shares.map(Cell::percent))
                .collect(),
        );
    }
    section.table(&table);
    Ok(section)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_differ_and_do_not_vary_explain_everything_and_equal_groups_nothing() {
        let values = [1.0, 1.0, 5.0, 5.0];
        assert!((eta_squared(&values, [0, 0, 1, 1].into_iter()) - 1.0).abs() < 1e-12);
        assert!(eta_squared(&values, [0, 1, 0, 1].into_iter()).abs() < 1e-12);
        assert_eq!(eta_squared(&[2.0, 2.0], [0, 1].into_iter()), 0.0);
        assert_eq!(eta_squared(&[], std::iter::empty::<u8>()), 0.0);
    }

    #[test]
    fn an_effect_within_speakers_shows_once_their_means_are_taken_off() {
        // Two speakers far apart; each raises the value by 1 for the second emotion.
        let values = [0.0, 1.0, 100.0, 101.0];
        let (speakers, emotions) = ([0, 0, 1, 1], [0, 1, 0, 1]);
        assert!(eta_squared(&values, emotions.into_iter()) < 0.001);
        let within = without_means(&values, &speakers);
        assert!((eta_squared(&within, emotions.into_iter()) - 1.0).abs() < 1e-12);
    }
}
