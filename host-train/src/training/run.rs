//! The training loop.

use std::path::Path;
use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};

use super::TrainingError;
use super::batch::{Epoch, Example};
use super::checkpoint::{EpochFigures, Plan, RunFolder, State};
use super::loss::cross_entropy;
use super::schedule::{Schedule, one_cycle};
use super::validate::{logits, score};
use crate::corpora::Corpus;
use crate::network::{Network, NetworkConfig};

/// Trains as `plan` says, resuming what `folder` holds, and gives the final state. The best epoch's weights are in the
/// folder. `report` hears of every finished epoch.
///
/// # Errors
/// [`TrainingError`]: a recipe out of range, file errors, a folder of another run, no clips, a loss that is no number.
pub fn train(
    folder: &Path,
    plan: &Plan,
    train: &[Example],
    validation: &[Example],
    device: &Device,
    report: impl FnMut(usize, &EpochFigures),
) -> Result<State, TrainingError> {
    device.seed(plan.recipe.seed);
    let examples = [train, validation];
    match &plan.network {
        NetworkConfig::Streaming(config) => {
            train_network(folder, plan, config.init(device), examples, device, report)
        }
        NetworkConfig::Classic(config) => {
            train_network(folder, plan, config.init(device), examples, device, report)
        }
    }
}

fn train_network(
    folder: &Path,
    plan: &Plan,
    mut network: impl Network,
    [train, validation]: [&[Example]; 2],
    device: &Device,
    mut report: impl FnMut(usize, &EpochFigures),
) -> Result<State, TrainingError> {
    plan.recipe.check()?;
    for (set, name) in [(train, "training"), (validation, "validation")] {
        if set.is_empty() {
            return Err(TrainingError::NoClips(name));
        }
    }
    let recipe = &plan.recipe;
    let folder = RunFolder::open(folder, plan)?;
    let mut state = folder.state()?;
    let mut optimizer = AdamWConfig::new()
        .with_epsilon(recipe.epsilon)
        .with_weight_decay(recipe.weight_decay)
        .with_grad_clipping(recipe.gradient_norm.map(GradientClippingConfig::Norm))
        .init();
    if !state.epochs.is_empty() {
        (network, optimizer) = folder.resume(&state, network, optimizer)?;
    }
    while state.epochs.len() < recipe.epochs && !stale(&state, recipe.patience) {
        let number = state.epochs.len();
        let started = Instant::now();
        device.seed(recipe.seed.wrapping_add(number as u64));
        let epoch = Epoch::new(train, recipe.batch, recipe.seed, number);
        let bar = progress(epoch.len(), number + 1, recipe.epochs);
        let mut sum = 0.0;
        let mut rate = recipe.learning_rate;
        for step in 0..epoch.len() {
            rate = recipe.learning_rate
                * match recipe.schedule {
                    Schedule::OneCycle => {
                        let done = number as f64 + step as f64 / epoch.len() as f64;
                        one_cycle(done / recipe.epochs as f64)
                    }
                    Schedule::Plateau => state.plateau.factor,
                };
            let batch = epoch.batch(
                step,
                &recipe.augmentation,
                &plan.normalisation,
                recipe.longest,
                device,
            );
            let out = network.logits(batch.features, batch.mask);
            let loss = cross_entropy(out, batch.barred, batch.targets, recipe.label_smoothing);
            let value = loss.clone().into_scalar::<f32>();
            if !value.is_finite() {
                return Err(TrainingError::Diverged {
                    loss: value,
                    epoch: number + 1,
                });
            }
            sum += value;
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(rate, network, gradients);
            bar.inc(1);
            bar.set_message(format!("loss {:.3}", sum / (step + 1) as f32));
        }
        bar.finish_and_clear();
        let (mean, groups) = score(
            &logits(&network, validation, &plan.normalisation, device),
            validation,
        );
        state.plateau.record(mean);
        if state.best.is_none_or(|(_, best)| mean > best) {
            state.best = Some((number + 1, mean));
        }
        state.epochs.push(EpochFigures {
            loss: sum / epoch.len() as f32,
            score: mean,
            corpora: groups
                .iter()
                .map(|&(group, score)| (Corpus::ALL[group].key().to_owned(), score))
                .collect(),
            learning_rate: rate,
            seconds: started.elapsed().as_secs_f64(),
        });
        folder.store(&state, &network, &optimizer)?;
        if let Some(figures) = state.epochs.last() {
            report(number + 1, figures);
        }
    }
    Ok(state)
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
