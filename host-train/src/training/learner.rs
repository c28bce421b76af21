//! Everything that a step changes: the network, its averaged copy, the head of the guide, and their optimizers.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use super::TrainingError;
use super::average;
use super::batch::Batch;
use super::checkpoint::RunFolder;
use super::guided::GuideHead;
use super::loss::cross_entropy;
use super::recipe::Recipe;
use crate::network::Network;

/// What learns.
pub(super) struct Learner<N> {
    network: N,
    optimizer: ModuleOptimizer,
    /// Without gradients.
    average: Option<N>,
    guide: Option<(GuideHead, ModuleOptimizer)>,
    strength: f32,
    decay: f32,
}

fn optimizer(recipe: &Recipe) -> ModuleOptimizer {
    AdamWConfig::new()
        .with_epsilon(recipe.epsilon)
        .with_weight_decay(recipe.weight_decay)
        .with_grad_clipping(recipe.gradient_norm.map(GradientClippingConfig::Norm))
        .init()
}

impl<N: Network> Learner<N> {
    /// A network that has learnt nothing; `width` and `dimensions` are of the network's steps and of what the guide says of each, 0 without a guide.
    pub(super) fn new(
        network: N,
        recipe: &Recipe,
        width: usize,
        dimensions: usize,
        device: &Device,
    ) -> Self {
        Self {
            average: (recipe.average > 0.0).then(|| network.valid()),
            guide: (width > 0 && dimensions > 0).then(|| {
                let head = GuideHead::new(width, dimensions, device);
                (head, optimizer(recipe))
            }),
            network,
            optimizer: optimizer(recipe),
            strength: recipe.guide.strength,
            decay: recipe.average,
        }
    }

    /// One step at learning rate `rate`; gives the loss on the clips' classes.
    pub(super) fn step(mut self, batch: Batch, rate: f64) -> (Self, Tensor<1>) {
        let (logits, steps) = self.network.heard(batch.features, batch.mask);
        let loss = cross_entropy(logits, batch.barred, batch.goals);
        let shown = loss.clone().detach();
        let guess =
            self.guide.as_ref().zip(steps).zip(batch.guide).map(
                |(((head, _), steps), (said, mask))| head.loss(steps, said, mask) * self.strength,
            );
        let mut gradients = match guess {
            Some(guess) => (loss + guess).backward(),
            None => loss.backward(),
        };
        if let Some((head, mut optimizer)) = self.guide.take() {
            let own = GradientsParams::from_module(&mut gradients, &head);
            let head = optimizer.step(rate, head, own);
            self.guide = Some((head, optimizer));
        }
        let own = GradientsParams::from_grads(gradients, &self.network);
        self.network = self.optimizer.step(rate, self.network, own);
        let (network, decay) = (&self.network, self.decay);
        self.average = self
            .average
            .map(|average| average::step(average, &network.valid(), decay));
        (self, shown)
    }

    /// The network to validate and to keep.
    pub(super) fn best(&self) -> &N {
        self.average.as_ref().unwrap_or(&self.network)
    }

    /// Stores what [`Learner::load`] needs, as turn 0 or 1.
    pub(super) fn save(&self, folder: &RunFolder, turn: usize) -> Result<(), TrainingError> {
        folder.save_weights(&format!("last-{turn}.bpk"), &self.network)?;
        folder.save_optimizer(&format!("optimizer-{turn}.bpk"), &self.optimizer)?;
        if let Some(average) = &self.average {
            folder.save_weights(&format!("average-{turn}.bpk"), average)?;
        }
        if let Some((head, optimizer)) = &self.guide {
            folder.save_weights(&format!("guide-{turn}.bpk"), head)?;
            folder.save_optimizer(&format!("guide-optimizer-{turn}.bpk"), optimizer)?;
        }
        Ok(())
    }

    /// Goes on where [`Learner::save`] stood.
    pub(super) fn load(self, folder: &RunFolder, turn: usize) -> Result<Self, TrainingError> {
        let average = self
            .average
            .map(|average| folder.load_weights(&format!("average-{turn}.bpk"), average));
        let guide = self.guide.map(|(head, optimizer)| {
            let head = folder.load_weights(&format!("guide-{turn}.bpk"), head)?;
            let name = format!("guide-optimizer-{turn}.bpk");
            Ok::<_, TrainingError>((head, folder.load_optimizer(&name, optimizer)?))
        });
        Ok(Self {
            network: folder.load_weights(&format!("last-{turn}.bpk"), self.network)?,
            optimizer: folder.load_optimizer(&format!("optimizer-{turn}.bpk"), self.optimizer)?,
            average: average.transpose()?,
            guide: guide.transpose()?,
            ..self
        })
    }
}
