//! Earshot, a small network that hears speech: 16 ms hops at 16 kHz, with a window of 48 ms that looks back.
//!
//! The network and its weights are those of the earshot crate, version 1.2.2 (Carson M., <https://github.com/pykeio/earshot>,
//! MIT or Apache-2.0). Here its arithmetic is written so that it fills the vector registers of the machine, which takes
//! a fraction of the crate's time; the answers are the crate's, but for rounding (`tests/earshot.rs`).

mod features;
mod gru;
mod layers;
mod weights;

use std::sync::LazyLock;

use undertone_dsp::machine::{Level, Work};

use self::features::{BANDS, Features, Filters, HOP};
use self::gru::Gru;
use self::layers::{CHANNELS, Layers};
use self::weights::Reader;
use super::Vad;

const SAMPLE_RATE: u32 = 16_000;
/// Hops whose bands the network sees at once.
const CONTEXT: usize = 3;
/// Cells of each recurrent layer.
const CELLS: usize = 64;
/// What the first recurrent layer reads.
const INPUTS: usize = layers::COLUMNS * CHANNELS;

/// Weights and tables, the same for every channel.
static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::new(&mut Reader::new()));

/// A detector of one channel.
pub struct EarshotVad {
    features: Features,
    /// The bands of the last hops, the latest last.
    context: [[f32; BANDS]; CONTEXT],
    /// What the two recurrent layers remember, in 1/32768.
    cells: [[i16; CELLS]; 2],
    level: Level,
}

struct Network {
    filters: Filters,
    layers: Layers,
    first: Gru<INPUTS>,
    second: Gru<CELLS>,
    output: [[i16; CELLS]; 2],
}

impl Network {
    fn new(weights: &mut Reader) -> Self {
        Self {
            filters: Filters::new(weights.floats()),
            layers: Layers::new(weights),
            first: Gru::new(weights),
            second: Gru::new(weights),
            output: [weights.integers(), weights.integers()],
        }
    }
}

impl EarshotVad {
    /// A fresh detector.
    pub fn new() -> Self {
        EarshotVad {
            features: Features::new(&NETWORK.filters),
            context: [[0.0; BANDS]; CONTEXT],
            cells: [[0; CELLS]; 2],
            level: Level::best(),
        }
    }
}

impl Default for EarshotVad {
    fn default() -> Self {
        Self::new()
    }
}

impl Vad for EarshotVad {
    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn hop_length(&self) -> usize {
        HOP
    }

    fn probability(&mut self, hop: &[f32]) -> f32 {
        let level = self.level;
        match hop.try_into() {
            Ok(hop) => level.run(Hop { vad: self, hop }),
            Err(_) => 0.0,
        }
    }

    fn reset(&mut self) {
        self.features.reset();
        self.context = [[0.0; BANDS]; CONTEXT];
        self.cells = [[0; CELLS]; 2];
    }
}

/// The work of one hop.
struct Hop<'a> {
    vad: &'a mut EarshotVad,
    hop: &'a [f32; HOP],
}

impl Work for Hop<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let EarshotVad {
            features,
            context,
            cells: [first, second],
            ..
        } = self.vad;
        let network = &*NETWORK;
        context.rotate_left(1);
        features.bands(&network.filters, self.hop, &mut context[CONTEXT - 1]);
        let inputs = network.layers.run(context);
        network.first.step(inputs.as_flattened(), first);
        network.second.step(first, second);
        // Products are in 1/2^24.
        let sum =
            gru::dot(first, &network.output[0]).wrapping_add(gru::dot(second, &network.output[1]));
        1.0 / (1.0 + (-(sum as f32) / 16_777_216.0).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_weights_holds_as_many_as_the_network_has() {
        let mut weights = Reader::new();
        Network::new(&mut weights);
        assert_eq!(weights.left(), Some(0));
    }

    #[test]
    fn silence_is_no_speech_and_a_hop_of_garbage_does_no_lasting_harm() {
        let mut vad = EarshotVad::new();
        let silence = [0.0; HOP];
        for _ in 0..20 {
            assert!(vad.probability(&silence) < 0.3);
        }
        let garbage = [f32::NAN, f32::INFINITY, -1e30, f32::MAX].repeat(HOP / 4);
        assert!((0.0..=1.0).contains(&vad.probability(&garbage)));
        for _ in 0..50 {
            vad.probability(&silence);
        }
        assert!(vad.probability(&silence) < 0.3);
        assert_eq!(vad.probability(&[0.0; 3]), 0.0);
    }

    #[test]
    fn after_a_reset_the_same_audio_gives_the_same_probabilities_on_every_level_of_the_machine() {
        let mut vad = EarshotVad::new();
        let noise: Vec<f32> = (0..HOP * 10)
            .map(|n| ((n * n * 7919) % 2003) as f32 / 2003.0 - 0.5)
            .collect();
        let mut run = |level| -> Vec<f32> {
            vad.reset();
            vad.level = level;
            noise.chunks(HOP).map(|hop| vad.probability(hop)).collect()
        };
        let plain = run(Level::Plain);
        for level in Level::all() {
            assert_eq!(run(level), plain, "{level:?}");
        }
    }
}
