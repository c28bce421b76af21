//! The training loop.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use indicatif::{ProgressBar, ProgressStyle};

use super::TrainingError;
use super::bank::WaveBank;
use super::batch::Example;
use super::checkpoint::{EpochFigures, Plan, RunFolder, State};
use super::epoch::Epoch;
use super::learner::Learner;
use super::schedule::{Schedule, one_cycle};
use super::validate::{logits, score};
use crate::corpora::Corpus;
use crate::network::{Network, NetworkConfig};

/// Batches that are made ready ahead of the device.
const AHEAD: usize = 4;

/// What a run hears.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Training examples.
    pub train: &'a [Example],
    /// Validation examples.
    pub validation: &'a [Example],
    /// Sound of the training examples, if samples are changed.
    pub bank: Option<&'a WaveBank>,
}

/// Trains as `plan` says, resuming what `folder` holds, and gives the final state. The best epoch's weights are in the
/// folder. `report` hears of every finished epoch.
///
/// # Errors
/// [`TrainingError`]: a recipe out of range, file errors, a folder of another run, no clips, a loss that is no number.
pub fn train(
    folder: &Path,
    plan: &Plan,
    material: Material<'_>,
    device: &Device,
    report: impl FnMut(usize, &EpochFigures),
) -> Result<State, TrainingError> {
    device.seed(plan.recipe.seed);
    match &plan.network {
        NetworkConfig::Streaming(config) => {
            let (network, width) = (config.init(device), config.shape.width);
            train_network(folder, plan, network, width, material, device, report)
        }
        NetworkConfig::Classic(config) => train_network(
            folder,
            plan,
            config.init(device),
            0,
            material,
            device,
            report,
        ),
    }
}

fn train_network(
    folder: &Path,
    plan: &Plan,
    network: impl Network,
    width: usize,
    material: Material<'_>,
    device: &Device,
    mut report: impl FnMut(usize, &EpochFigures),
) -> Result<State, TrainingError> {
    plan.recipe.check()?;
    let Material {
        train, validation, ..
    } = material;
    for (set, name) in [(train, "training"), (validation, "validation")] {
        if set.is_empty() {
            return Err(TrainingError::NoClips(name));
        }
    }
    let recipe = &plan.recipe;
    let folder = RunFolder::open(folder, plan)?;
    let mut state = folder.state()?;
    let dimensions = train[0].guide.rows;
    let mut learner = Learner::new(network, recipe, width, dimensions, device);
    if !state.epochs.is_empty() {
        learner = learner.load(&folder, state.turn())?;
    }
    while state.epochs.len() < recipe.epochs && !stale(&state, recipe.patience) {
        let number = state.epochs.len();
        let started = Instant::now();
        device.seed(recipe.seed.wrapping_add(number as u64));
        let (loss, rate);
        (learner, loss, rate) = epoch(learner, plan, &state, material, device)?;
        let logits = logits(learner.best(), validation, &plan.normalisation, device);
        let (mean, groups) = score(&logits, validation);
        state.plateau.record(mean);
        let settled = |epoch: usize| recipe.schedule.settled(epoch - 1, recipe.epochs);
        if state
            .best
            .is_none_or(|(epoch, best)| mean > best || !settled(epoch))
        {
            state.best = Some((number + 1, mean));
        }
        state.epochs.push(EpochFigures {
            loss,
            score: mean,
            corpora: groups
                .iter()
                .map(|&(group, score)| (Corpus::ALL[group].key().to_owned(), score))
                .collect(),
            learning_rate: rate,
            seconds: started.elapsed().as_secs_f64(),
        });
        folder.store(&state, learner.best(), |folder, turn| {
            learner.save(folder, turn)
        })?;
        if let Some(figures) = state.epochs.last() {
            report(number + 1, figures);
        }
    }
    Ok(state)
}

/// One epoch: what has learnt, the mean loss, and the last learning rate. Batches are made on another thread, some steps ahead.
fn epoch<N: Network>(
    learner: Learner<N>,
    plan: &Plan,
    state: &State,
    material: Material<'_>,
    device: &Device,
) -> Result<(Learner<N>, f32, f64), TrainingError> {
    let recipe = &plan.recipe;
    let number = state.epochs.len();
    let Material { train, bank, .. } = material;
    let epoch = Epoch::new(train, recipe, number);
    let bar = progress(epoch.len(), number + 1, recipe.epochs);
    let mut losses = Losses::default();
    let mut rate = recipe.learning_rate;
    let (send, receive) = sync_channel(AHEAD);
    let learner = thread::scope(|scope| {
        let (epoch, mut learner) = (&epoch, learner);
        let stride = learner.best().time_stride();
        scope.spawn(move || {
            // The other end is gone when the run has failed.
            for step in 0..epoch.len() {
                let batch = epoch.batch(step, recipe, stride, &plan.normalisation, bank);
                if send.send(batch).is_err() {
                    break;
                }
            }
        });
        for (step, batch) in receive.into_iter().enumerate() {
            rate = recipe.learning_rate * share(recipe.schedule, state, step, epoch.len(), plan);
            let loss;
            (learner, loss) = learner.step(batch.on(device), rate);
            losses.add(loss, number)?;
            bar.inc(1);
            bar.set_message(format!("loss {:.3}", losses.mean()));
        }
        losses.finish(number)?;
        Ok(learner)
    })?;
    bar.finish_and_clear();
    Ok((learner, losses.mean(), rate))
}

/// The share of the recipe's learning rate that is in force.
fn share(schedule: Schedule, state: &State, step: usize, steps: usize, plan: &Plan) -> f64 {
    match schedule {
        Schedule::OneCycle => {
            let done = state.epochs.len() as f64 + step as f64 / steps as f64;
            one_cycle(done / plan.recipe.epochs as f64)
        }
        Schedule::Plateau => state.plateau.factor,
    }
}

/// Losses of an epoch, each read one step late: reading waits for the device.
#[derive(Default)]
struct Losses {
    pending: Option<Tensor<1>>,
    sum: f32,
    count: usize,
}

impl Losses {
    fn add(&mut self, loss: Tensor<1>, epoch: usize) -> Result<(), TrainingError> {
        self.finish(epoch)?;
        self.pending = Some(loss);
        Ok(())
    }

    fn finish(&mut self, epoch: usize) -> Result<(), TrainingError> {
        if let Some(loss) = self.pending.take() {
            let loss = loss.into_scalar::<f32>();
            if !loss.is_finite() {
                let epoch = epoch + 1;
                return Err(TrainingError::Diverged { loss, epoch });
            }
            self.sum += loss;
            self.count += 1;
        }
        Ok(())
    }

    fn mean(&self) -> f32 {
        self.sum / self.count.max(1) as f32
    }
}

/// Whether the best epoch lies further back than `patience` allows.
fn stale(state: &State, patience: Option<usize>) -> bool {
    match (state.best, patience) {
        (Some((best, _)), Some(patience)) => state.epochs.len() - best >= patience,
        _ => false,
    }
}

fn progress(steps: usize, epoch: usize, epochs: usize) -> ProgressBar {
    let template = format!("epoch {epoch}/{epochs} {{bar:30}} {{pos}}/{{len}} {{eta}} {{msg}}");
    let style =
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps as u64).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::checkpoint::EpochFigures;

    #[test]
    fn patience_ends_a_run_so_many_epochs_after_the_best_one() {
        let epoch = EpochFigures {
            loss: 1.0,
            score: 0.5,
            corpora: Vec::new(),
            learning_rate: 1e-3,
            seconds: 1.0,
        };
        let after = |epochs: usize| State {
            epochs: vec![epoch.clone(); epochs],
            best: Some((3, 0.5)),
            ..State::default()
        };
        assert!(!stale(&after(4), Some(2)));
        assert!(stale(&after(5), Some(2)));
        assert!(!stale(&after(50), None));
        assert!(!stale(&State::default(), Some(1)));
    }
}
