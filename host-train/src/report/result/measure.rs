//! Measuring a model on the speakers that it never heard, with and without noise, by the code that runs on the box.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use undertone_model::Model;

use super::evidence::{CorpusEvidence, Evidence, Noisy, Person, coverage, reliability};
use super::noise::with_noise;
use crate::corpora::{Clip, Corpus};
use crate::evaluation::metrics::{Figures, Outcome, unweighted_accuracy};
use crate::evaluation::model::outcomes;
use crate::evaluation::test_side::{test_fold, test_side};
use crate::features::{Extractor, FeatureError, extract_samples, spoken_samples};
use crate::report::ReportError;
use crate::training::classes::Classes;
use crate::training::label::label;
use crate::training::prepare::{PrepareError, clips, examples};

/// Signal-to-noise ratios that are tried, in dB.
pub(super) const RATIOS_DB: [f64; 5] = [20.0, 15.0, 10.0, 5.0, 0.0];
/// Most clips of a corpus that noise is tried on.
const NOISY_CLIPS: usize = 400;

/// Scores `model` on the speakers of its fold.
///
/// # Errors
/// [`ReportError`]: corpora other than those that it was trained on, clips that cannot be read, a model that fails.
pub fn measure(path: &Path, model: &Model, corpora: &[PathBuf]) -> Result<Evidence, ReportError> {
    let metadata = model.metadata();
    let refuse = |reason: &str| ReportError::Unmeasurable {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    test_fold(metadata).map_err(|reason| refuse(&reason.to_string()))?;
    if metadata.provenance.adapted.is_some() {
        return Err(refuse(
            "was adapted to clips of which only a hash is known, perhaps the test speakers' own: measure the file that it was made of",
        ));
    }
    let clips = clips(corpora, |_| {})?;
    let (fold, test) = test_side(metadata, &clips).map_err(|reason| refuse(&reason.to_string()))?;
    let extractor = Extractor {
        frontend: metadata.frontend.clone(),
        features: metadata.features.clone(),
        cache: None,
    };
    let failed = |source| ReportError::Model {
        path: path.to_owned(),
        source,
    };
    let classes = Classes::of(&metadata.labels)
        .ok_or_else(|| refuse("has other labels than those of a recipe"))?;
    let heard = outcomes(model, &examples(&test, &extractor, classes)?).map_err(failed)?;
    let outputs = metadata.labels.len();
    let mut rows = Vec::new();
    for corpus in Corpus::ALL {
        let (own, outcomes): (Vec<&Clip>, Vec<Outcome>) = test
            .iter()
            .zip(&heard)
            .filter(|(clip, _)| clip.corpus == corpus)
            .map(|(clip, outcome)| (clip, outcome.clone()))
            .unzip();
        if own.is_empty() {
            continue;
        }
        let figures = Figures::of(&outcomes, outputs);
        let people = people(&own, &outcomes, outputs);
        rows.push(CorpusEvidence {
            unheard: false,
            corpus: corpus.key().to_owned(),
            speakers: people.len(),
            chance: 1.0 / figures.recall.iter().flatten().count().max(1) as f64,
            figures: figures.into(),
            reliability: reliability(&outcomes),
            coverage: coverage(&outcomes),
            people,
            noise: noisy(path, model, &extractor, classes, corpus, &own)?,
        });
    }
    Ok(Evidence {
        model: path.display().to_string(),
        content_hash: metadata.content_hash.clone(),
        fold,
        labels: metadata.labels.clone(),
        corpora: rows,
        conditions: Vec::new(),
    })
}

fn people(clips: &[&Clip], outcomes: &[Outcome], classes: usize) -> Vec<Person> {
    let mut names: Vec<_> = clips.iter().map(|clip| &clip.speaker).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|speaker| {
            let own = || {
                clips
                    .iter()
                    .zip(outcomes)
                    .filter(|(clip, _)| clip.speaker == *speaker)
                    .map(|(_, outcome)| outcome)
            };
            Person {
                speaker: speaker.to_string(),
                clips: own().count(),
                unweighted_accuracy: unweighted_accuracy(own(), classes),
            }
        })
        .collect()
}

/// The same clips without noise and at every ratio.
fn noisy(
    path: &Path,
    model: &Model,
    extractor: &Extractor,
    classes: Classes,
    corpus: Corpus,
    clips: &[&Clip],
) -> Result<Vec<Noisy>, ReportError> {
    // By content rather than by name: names go round the emotions, and every n-th of them may meet the same few.
    let mut chosen: Vec<Clip> = clips.iter().map(|clip| (*clip).clone()).collect();
    chosen.sort_by_key(|clip| clip.content);
    chosen.truncate(NOISY_CLIPS);
    let style = ProgressStyle::with_template("noise on {msg} {wide_bar} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(((RATIOS_DB.len() + 1) * chosen.len()) as u64).with_style(style);
    bar.set_message(corpus.name());
    // As found without noise: how well speech is found in noise is another question.
    let spoken: Vec<Vec<f32>> = chosen
        .par_iter()
        .map(|clip| spoken_samples(&clip.path, &extractor.frontend))
        .collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for ratio in std::iter::once(None).chain(RATIOS_DB.map(Some)) {
        let features = chosen
            .par_iter()
            .zip(&spoken)
            .map(|(clip, samples)| {
                let seed = clip
                    .content
                    .0
                    .iter()
                    .take(8)
                    .fold(0u64, |seed, byte| (seed << 8) | u64::from(*byte));
                let samples =
                    ratio.map_or_else(|| samples.clone(), |ratio| with_noise(samples, ratio, seed));
                let features =
                    extract_samples(&extractor.frontend, &extractor.features, &samples)?.1;
                bar.inc(1);
                Ok(features)
            })
            .collect::<Result<_, FeatureError>>()?;
        let heard = label(&chosen, features, classes).map_err(PrepareError::from)?;
        let heard = outcomes(model, &heard).map_err(|source| ReportError::Model {
            path: path.to_owned(),
            source,
        })?;
        rows.push(Noisy {
            snr_db: ratio,
            clips: heard.len(),
            unweighted_accuracy: unweighted_accuracy(heard.iter(), model.metadata().labels.len()),
        });
    }
    bar.finish_and_clear();
    Ok(rows)
}
