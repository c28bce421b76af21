//! What a model file says about itself.

use undertone_model::{FORMAT, Licence, Metadata, NetworkKind, Provenance, SelfTest};

use super::ExportError;
use super::calibrate::Calibration;
use crate::corpora::Corpus;
use crate::features::LiveWindow;
use crate::network::NetworkConfig;
use crate::training::checkpoint::{Plan, State};

/// Frames of a streaming network's self test.
const SELF_TEST_FRAMES: usize = 64;
/// Frames of a windowed network's self test beyond its window, so that the oldest ones leave it.
const BEYOND_WINDOW: usize = 7;
/// Frames that pooling looks back at, or the next whole step of the encoder: 8 s, longer than any training clip.
const POOLED_FRAMES: usize = 800;
/// Frames between answers of a streaming network: 0.5 s.
pub(crate) const UPDATE_HOP: usize = 50;
/// Least seconds between answers of a windowed network, each of which costs a whole pass.
const UPDATE_SECONDS: f64 = 1.0;

/// How a network takes an utterance.
struct Taking {
    network: NetworkKind,
    stride: usize,
    width: usize,
    window: usize,
    shortest: Option<usize>,
    update_hop: usize,
    self_test: usize,
}

impl Taking {
    fn of(plan: &Plan) -> Result<Self, ExportError> {
        match &plan.network {
            NetworkConfig::Streaming(shape) => Ok(Self {
                network: NetworkKind::Streaming,
                stride: shape.time_stride(),
                width: shape.shape.width,
                window: POOLED_FRAMES.next_multiple_of(shape.time_stride()),
                shortest: None,
                update_hop: UPDATE_HOP,
                self_test: SELF_TEST_FRAMES,
            }),
            NetworkConfig::Classic(shape) => {
                let LiveWindow { frames, shortest } = shape.live.ok_or(ExportError::Excerpt)?;
                let frames_apart = UPDATE_SECONDS / plan.recipe.frontend.hop_seconds();
                Ok(Self {
                    network: NetworkKind::Windowed,
                    stride: 1,
                    width: 0,
                    window: frames,
                    shortest: Some(shortest),
                    update_hop: frames_apart.ceil() as usize,
                    self_test: (frames + BEYOND_WINDOW).min(SelfTest::MAX_FRAMES),
                })
            }
        }
    }
}

/// The metadata of `plan`'s network, but for the answer to its self test and the hash.
///
/// # Errors
/// [`ExportError::Untrained`] without a complete epoch; [`ExportError::Excerpt`] for a network that no box can run.
pub(super) fn describe(
    plan: &Plan,
    state: &State,
    calibration: &Calibration,
) -> Result<Metadata, ExportError> {
    let taking = Taking::of(plan)?;
    let (epoch, validation) = state.best.ok_or(ExportError::Untrained)?;
    let (fold, kept_out) = plan.recipe.kept_out.recorded();
    let open = plan
        .corpora
        .iter()
        .all(|corpus| corpus == Corpus::CremaD.key());
    Ok(Metadata {
        format: FORMAT,
        network: taking.network,
        labels: plan.labels.clone(),
        frontend: plan.recipe.frontend.clone(),
        features: plan.recipe.features.clone(),
        floor: plan.normalisation.floor,
        stride: taking.stride,
        width: taking.width,
        window: taking.window,
        shortest: taking.shortest,
        update_hop: taking.update_hop,
        temperature: calibration.temperature,
        unknown_threshold: calibration.unknown_threshold,
        provenance: Provenance {
            corpora: plan.corpora.clone(),
            licence: if open {
                Licence::Open
            } else {
                Licence::Research
            },
            seed: plan.recipe.seed,
            fold,
            kept_out,
            epoch,
            validation,
            trainer: env!("CARGO_PKG_VERSION").to_owned(),
            clips: plan.clips.to_vec(),
            adapted: None,
        },
        self_test: SelfTest {
            frames: taking.self_test,
            logits: vec![0.0; plan.labels.len()],
        },
        content_hash: String::new(),
    })
}
