//! The detector of the earshot crate: a small network, 16 ms hops at 16 kHz, with a window of 48 ms that looks back.

use super::Vad;

const SAMPLE_RATE: u32 = 16_000;
const HOP: usize = 256;

/// Earshot behind the seam.
pub struct EarshotVad {
    detector: Box<earshot::Detector>,
    hop: [f32; HOP],
}

impl EarshotVad {
    /// A fresh detector.
    pub fn new() -> Self {
        EarshotVad {
            detector: Box::default(),
            hop: [0.0; HOP],
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
        if hop.len() != HOP {
            return 0.0;
        }
        // Earshot wants samples within -1..1; a NaN would stay in its state for ever.
        for (clean, sample) in self.hop.iter_mut().zip(hop) {
            *clean = if sample.is_nan() {
                0.0
            } else {
                sample.clamp(-1.0, 1.0)
            };
        }
        self.detector.predict_f32(&self.hop).clamp(0.0, 1.0)
    }

    fn reset(&mut self) {
        self.detector.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn after_a_reset_the_same_audio_gives_the_same_probabilities() {
        let mut vad = EarshotVad::new();
        let noise: Vec<f32> = (0..HOP * 10)
            .map(|n| ((n * n * 7919) % 2003) as f32 / 2003.0 - 0.5)
            .collect();
        let mut run = || -> Vec<f32> {
            vad.reset();
            noise.chunks(HOP).map(|hop| vad.probability(hop)).collect()
        };
        assert_eq!(run(), run());
    }
}
