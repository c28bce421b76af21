//! What adaptation brings for speakers of a corpus: fitted to a few clips of one, scored on the rest of theirs.

use std::collections::BTreeMap;

use prost::Message;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::Serialize;
use undertone_model::onnx::ModelProto;
use undertone_model::{Model, ModelError};

use super::enrolled::Enrolled;
use super::fit::fit;
use super::head::Head;
use super::{AdaptError, Way, answers, enrol, judge, label_of, score};
use crate::corpora::Clip;
use crate::features::ClipFeatures;

/// How a trial goes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Design {
    /// Clips of each class that are fitted to.
    pub clips_per_class: usize,
    /// Draws of these for every speaker.
    pub draws: usize,
    /// Weight of the prior ([`super::fit`]); clips are too few for another head.
    pub prior: f32,
    /// Seed of the draws.
    pub seed: u64,
}

/// What came of one speaker, means over the draws; shares are 0 to 1 and of clips not fitted to.
#[derive(Clone, Debug, Serialize)]
pub struct SpeakerTrial {
    /// Who.
    pub speaker: String,
    /// UA of the head given.
    pub before: f64,
    /// UA of the adapted head.
    pub after: f64,
    /// UA of what the command leaves the user with: the adapted head where held-back clips were for it, else the one given.
    pub kept: f64,
    /// Log-loss of the head given.
    pub log_loss_before: f64,
    /// Log-loss of what the user is left with.
    pub log_loss_kept: f64,
    /// Share of the draws in which the adapted head was accepted.
    pub accepted: f64,
    /// Least UA that was gained by an accepted head, negative for a loss.
    pub worst_gain: f64,
}

/// Tries adaptation on every speaker of `clips`, whose features are `heard`; classes are the model's labels.
///
/// # Errors
/// [`AdaptError`].
pub fn trial(
    file: &[u8],
    clips: &[Clip],
    heard: &[ClipFeatures],
    design: Design,
) -> Result<Vec<SpeakerTrial>, AdaptError> {
    let model = Model::from_bytes(file)?;
    let proto = ModelProto::decode(file).map_err(|error| AdaptError::Head(error.to_string()))?;
    let head = Head::of(model.metadata(), &proto)?;
    let labels = &model.metadata().labels;
    let enrolled = clips
        .par_iter()
        .zip(heard)
        .map(|(clip, heard)| {
            let place = label_of(clip, labels).unwrap_or(0);
            let heard = enrol(&model, &head, heard, place)?;
            Ok((clip.speaker.to_string(), heard))
        })
        .collect::<Result<Vec<_>, ModelError>>()?;
    let mut speakers: BTreeMap<String, Vec<Enrolled>> = BTreeMap::new();
    for (speaker, clip) in enrolled {
        speakers.entry(speaker).or_default().extend(clip);
    }
    let temperature = model.metadata().temperature;
    speakers
        .into_iter()
        .map(|(speaker, clips)| one(speaker, &clips, (&head, labels, temperature), design))
        .collect()
}

fn one(
    speaker: String,
    clips: &[Enrolled],
    (head, labels, temperature): (&Head, &[String], f32),
    design: Design,
) -> Result<SpeakerTrial, AdaptError> {
    let mut out = SpeakerTrial {
        speaker,
        before: 0.0,
        after: 0.0,
        kept: 0.0,
        log_loss_before: 0.0,
        log_loss_kept: 0.0,
        accepted: 0.0,
        worst_gain: 0.0,
    };
    let share = 1.0 / design.draws.max(1) as f64;
    let mut worst: Option<f64> = None;
    let way = Way::Moved {
        prior: design.prior,
    };
    for draw in 0..design.draws {
        let mut rng = StdRng::seed_from_u64(design.seed.wrapping_mul(1_000_003) + draw as u64);
        let mut order: Vec<&Enrolled> = clips.iter().collect();
        order.shuffle(&mut rng);
        let mut counts = vec![0; labels.len()];
        let (mut fitted, mut rest) = (Vec::new(), Vec::new());
        for clip in order {
            if counts[clip.target] < design.clips_per_class {
                counts[clip.target] += 1;
                fitted.push(clip.clone());
            } else {
                rest.push(clip.clone());
            }
        }
        if rest.is_empty() {
            return Err(AdaptError::NoneLeft {
                speaker: out.speaker,
                clips_per_class: design.clips_per_class,
            });
        }
        let accepted = judge(head, labels, &fitted, temperature, way)?.accepts();
        let adapted = fit(head, &fitted, temperature, design.prior);
        let of = |head: &Head| {
            let given = |clip: &Enrolled| head.logits(&clip.hidden);
            score(&answers(given, &counts, &rest, temperature), labels.len())
        };
        let (before, after) = (of(head), of(&adapted));
        let kept = if accepted { after } else { before };
        out.before += share * before.unweighted_accuracy;
        out.after += share * after.unweighted_accuracy;
        out.kept += share * kept.unweighted_accuracy;
        out.log_loss_before += share * before.log_loss;
        out.log_loss_kept += share * kept.log_loss;
        if accepted {
            out.accepted += share;
            let gain = after.unweighted_accuracy - before.unweighted_accuracy;
            worst = Some(worst.map_or(gain, |worst| worst.min(gain)));
        }
    }
    out.worst_gain = worst.unwrap_or(0.0);
    Ok(out)
}
