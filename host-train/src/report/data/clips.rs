//! Clips to see and to hear: the typical one of each corpus and emotion, and those asked for.

use undertone_decode::{Limits, read_file};
use undertone_dsp::resample;
use undertone_page::{Figure, Html, Section};

use super::measure::{MFCC, Measured};
use super::survey::Survey;
use crate::corpora::{Clip, Corpus, Emotion};
use crate::features::FeatureError;
use crate::report::{ReportError, palette, sound};

/// Rate at which clips are shown and played, in Hz.
const RATE: u32 = 16_000;

/// The clips that `names` mean, as `id` or `corpus/id`.
pub(super) fn chosen<'a>(
    survey: &'a Survey,
    names: &[String],
) -> Result<Vec<&'a Clip>, ReportError> {
    names
        .iter()
        .map(|name| {
            let is_it = |clip: &&Clip| {
                clip.id == *name || format!("{}/{}", clip.corpus.key(), clip.id) == *name
            };
            survey
                .import
                .clips
                .iter()
                .find(is_it)
                .ok_or_else(|| ReportError::NoSuchClip(name.clone()))
        })
        .collect()
}

pub(super) fn section(
    survey: &Survey,
    chosen: &[&Clip],
    play: bool,
) -> Result<Section, ReportError> {
    let mut section = Section::new("Emotions, seen and heard");
    section.text("One clip of each corpus and emotion: the one whose level, duration, zero crossings and cepstrum lie nearest to the mean of its kind. Frequencies in kHz, levels in dB below a full-scale sine.");
    if !chosen.is_empty() {
        section.heading("Asked for");
        let figures: Vec<Figure> = chosen
            .iter()
            .map(|clip| figure(clip, play))
            .collect::<Result<_, _>>()?;
        section.gallery(&figures);
    }
    for emotion in survey.emotions() {
        let typical: Vec<&Clip> = survey
            .corpora()
            .into_iter()
            .filter_map(|corpus| typical(survey, corpus, emotion))
            .collect();
        section.heading(emotion.name());
        let figures: Vec<Figure> = typical
            .into_iter()
            .map(|clip| figure(clip, play))
            .collect::<Result<_, _>>()?;
        section.gallery(&figures);
    }
    Ok(section)
}

fn figure(clip: &Clip, play: bool) -> Result<Figure, ReportError> {
    let audio = read_file(&clip.path, &Limits::default()).map_err(FeatureError::from)?;
    let samples = resample(audio.mono(), audio.sample_rate, RATE).map_err(FeatureError::from)?;
    let who = match (clip.sex, clip.age) {
        (Some(sex), Some(age)) => format!("{sex:?}, {age} years. ").to_lowercase(),
        (Some(sex), None) => format!("{sex:?}. ").to_lowercase(),
        _ => String::new(),
    };
    let caption = Html::text(&format!("{} by {}, {who}", clip.emotion, clip.speaker))
        .and(Html::code(&clip.id));
    sound::figure(
        clip.corpus.name(),
        caption,
        &samples,
        RATE,
        palette::emotion(clip.emotion),
        play,
    )
}

/// The values by which clips of a kind are compared.
fn vector(measured: &Measured) -> [f64; MFCC + 2] {
    let mut vector = [0.0; MFCC + 2];
    vector[0] = measured.seconds;
    vector[1] = measured.zcr;
    vector[2] = measured.level_db;
    vector[3..].copy_from_slice(&measured.mfcc[1..]);
    vector
}

fn typical(survey: &Survey, corpus: Corpus, emotion: Emotion) -> Option<&Clip> {
    let clips: Vec<(&Clip, [f64; MFCC + 2])> = survey
        .heard()
        .filter(|(clip, _)| clip.corpus == corpus && clip.emotion == emotion)
        .map(|(clip, measured)| (clip, vector(measured)))
        .collect();
    let count = clips.len().max(1) as f64;
    let mut mean = [0.0; MFCC + 2];
    let mut spread = [0.0; MFCC + 2];
    for (_, vector) in &clips {
        mean.iter_mut()
            .zip(vector)
            .for_each(|(mean, value)| *mean += value / count);
    }
    for (_, vector) in &clips {
        for ((spread, value), mean) in spread.iter_mut().zip(vector).zip(&mean) {
            *spread += (value - mean).powi(2) / count;
        }
    }
    let distance = |vector: &[f64; MFCC + 2]| -> f64 {
        (0..vector.len())
            .map(|i| (vector[i] - mean[i]).powi(2) / spread[i].max(1e-9))
            .sum()
    };
    clips
        .iter()
        .min_by(|a, b| distance(&a.1).total_cmp(&distance(&b.1)))
        .map(|(clip, _)| *clip)
}
