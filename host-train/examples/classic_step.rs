//! Seconds of a training step of the classic network on this machine's CPU.
//!
//!     cargo run --release -p undertone-train --example classic_step -- [BATCH [STEPS]]

use std::time::Instant;

use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor};
use undertone_train::network::classic::ClassicConfig;
use undertone_train::training::loss::cross_entropy;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map_while(|argument| argument.parse::<usize>().ok());
    let batch = arguments.next().unwrap_or(64);
    let steps = arguments.next().unwrap_or(2);
    let device = Device::flex().autodiff();
    let mut network = ClassicConfig::new(4536, 7).init(&device);
    let mut optimizer = AdamWConfig::new().with_weight_decay(0.0).init();
    for step in 1..=steps {
        let features = Tensor::random([batch, 4536], Distribution::Normal(0.0, 1.0), &device);
        let goals = Tensor::ones([batch, 7], &device) / 7.0;
        let barred = Tensor::zeros([batch, 7], &device);
        let started = Instant::now();
        let loss = cross_entropy(network.forward(features), barred, goals);
        let value = loss.clone().into_scalar::<f32>();
        let forward = started.elapsed().as_secs_f64();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(1e-3, network, gradients);
        println!(
            "step {step} of {batch} clips: {:.2} s, of which forward {forward:.2} s (loss {value:.3})",
            started.elapsed().as_secs_f64()
        );
    }
}
