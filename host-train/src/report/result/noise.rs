//! What noise costs.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use undertone_page::chart::{Axis, Ink, Line, Lines, Size};
use undertone_page::{Cell, Figure, Html, Mood, Section, Table};

use super::evidence::{CorpusEvidence, Evidence};
use crate::report::{ReportError, palette};

/// `samples` with pink noise, `ratio_db` below their own power; drawn by `seed`. Pink, as most rooms and streets are: every
/// octave has the same power, by Kellet's filter of white noise.
pub(super) fn with_noise(samples: &[f32], ratio_db: f64, seed: u64) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut poles = [0.0f64; 3];
    let noise: Vec<f64> = samples
        .iter()
        .map(|_| {
            let white = rng.random_range(-1.0..1.0);
            poles[0] = 0.99765 * poles[0] + white * 0.099_046_0;
            poles[1] = 0.96300 * poles[1] + white * 0.296_516_4;
            poles[2] = 0.57000 * poles[2] + white * 1.052_691_3;
            poles.iter().sum::<f64>() + white * 0.1848
        })
        .collect();
    let speech: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    let power: f64 = noise.iter().map(|value| value * value).sum();
    if speech <= 0.0 || power <= 0.0 {
        return samples.to_vec();
    }
    let gain = (speech / power / 10f64.powf(ratio_db / 10.0)).sqrt();
    samples
        .iter()
        .zip(noise)
        .map(|(sample, noise)| (f64::from(*sample) + gain * noise) as f32)
        .collect()
}

/// Mean over the corpora of the mean recall at a ratio, `None` being without noise.
pub(super) fn mean_at(evidence: &Evidence, ratio: Option<f64>) -> Option<f64> {
    let at = |corpus: &CorpusEvidence| {
        corpus
            .noise
            .iter()
            .find(|row| row.snr_db == ratio)
            .map(|row| row.unweighted_accuracy)
    };
    let rows: Vec<f64> = evidence.corpora.iter().filter_map(at).collect();
    (!rows.is_empty()).then(|| rows.iter().sum::<f64>() / rows.len() as f64)
}

pub(super) fn ratios(evidence: &Evidence) -> Vec<f64> {
    let mut ratios: Vec<f64> = evidence
        .corpora
        .iter()
        .flat_map(|corpus| corpus.noise.iter().filter_map(|row| row.snr_db))
        .collect();
    ratios.sort_by(|a, b| b.total_cmp(a));
    ratios.dedup();
    ratios
}

pub(super) fn section(evidence: Option<&Evidence>) -> Result<Section, ReportError> {
    let mut section = Section::new("In noise");
    let Some(evidence) = evidence.filter(|evidence| !ratios(evidence).is_empty()) else {
        section.findings([(Mood::Warn, Html::text("What noise does to it has not been measured. Give the corpora that it was trained on with ").and(Html::code("--corpora")).and(Html::text(".")))]);
        return Ok(section);
    };
    section.figure(&Figure::new(
        "Mean recall in noise",
        chart(evidence)?,
        "Pink noise added to the spoken part of up to 400 clips of each corpus; the last point on the right is the same clips without any. At 20 dB a fan is heard, at 10 dB a busy street, at 0 dB the noise is as strong as the voice.",
    ));
    let ratios = ratios(evidence);
    let names: Vec<String> = ratios
        .iter()
        .map(|ratio| format!("{ratio:.0} dB"))
        .collect();
    let mut columns = vec!["corpus", "clips", "chance", "no noise"];
    columns.extend(names.iter().map(String::as_str));
    let mut table = Table::new("Mean recall", &columns);
    for corpus in &evidence.corpora {
        let at = |ratio| {
            corpus
                .noise
                .iter()
                .find(|row| row.snr_db == ratio)
                .map(|row| row.unweighted_accuracy)
        };
        let mut row: Vec<Cell> = vec![
            corpus.name().into(),
            Cell::count(corpus.noise.first().map_or(0, |row| row.clips)),
            Cell::percent(corpus.chance),
            Cell::percent_or_dash(at(None)),
        ];
        row.extend(
            ratios
                .iter()
                .map(|ratio| Cell::percent_or_dash(at(Some(*ratio)))),
        );
        table.row(row);
    }
    section.table(&table);
    Ok(section)
}

/// Mean recall over the ratio, a line for each corpus; clean clips stand 5 dB to the right of the best ratio.
pub(super) fn chart(evidence: &Evidence) -> Result<undertone_page::chart::Chart, ReportError> {
    let ratios = ratios(evidence);
    let (most, least) = (
        ratios.first().copied().unwrap_or(20.0),
        ratios.last().copied().unwrap_or(0.0),
    );
    let x = |ratio: Option<f64>| ratio.unwrap_or(most + 5.0);
    let mut lines = Vec::new();
    for corpus in &evidence.corpora {
        let mut points: Vec<(f64, f64)> = corpus
            .noise
            .iter()
            .map(|row| (x(row.snr_db), row.unweighted_accuracy))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        lines.push(
            Line::new(
                corpus.name(),
                corpus.known().map_or(Ink::Muted, palette::corpus),
                points,
            )
            .dotted(),
        );
    }
    let chance = evidence.chance();
    let mut lines = Lines::new(
        lines,
        Axis::numbers("signal-to-noise ratio in dB", least - 1.0..most + 6.0)
            .named(x(None), "no noise"),
        Axis::percent("mean recall", 0.0..1.0),
    );
    lines.guide = Some(((least - 1.0, chance), (most + 6.0, chance)));
    Ok(lines.draw(Size::WIDE.tall(300))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_ratio_asked_for_is_the_same_again_and_lies_in_the_low_octaves() {
        let voice: Vec<f32> = (0..32_000).map(|i| 0.3 * (i as f32 * 0.2).sin()).collect();
        let noisy = with_noise(&voice, 10.0, 7);
        assert_eq!(noisy, with_noise(&voice, 10.0, 7));
        assert_ne!(noisy, with_noise(&voice, 10.0, 8));
        let noise: Vec<f64> = noisy
            .iter()
            .zip(&voice)
            .map(|(a, b)| f64::from(a - b))
            .collect();
        let power = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
        let speech: Vec<f64> = voice.iter().map(|v| f64::from(*v)).collect();
        assert!((10.0 * (power(&speech) / power(&noise)).log10() - 10.0).abs() < 0.01);
        // White noise has twice the power between neighbours' differences; pink far less.
        let steps: Vec<f64> = noise.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(power(&steps) < 0.8 * power(&noise));
    }

    #[test]
    fn silence_stays_silence() {
        assert_eq!(with_noise(&[0.0; 100], 0.0, 1), vec![0.0; 100]);
        assert!(with_noise(&[], 0.0, 1).is_empty());
    }
}
