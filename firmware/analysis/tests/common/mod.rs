//! A clip of speech, and a channel with a scorer that can be foreseen.
// Not every test that includes this file uses all of it.
#![allow(dead_code, clippy::unwrap_used)]

use std::cell::Cell;
use std::path::Path;

use undertone_analysis::vad::EarshotVad;
use undertone_analysis::{
    Analyser, Channel, Decider, Disclosure, Front, FrontSettings, LevelMeter, Scorer, ScorerError,
    Told,
};
use undertone_dsp::{Feature, Frontend, FrontendConfig, Resampler};
use undertone_events::{IdRange, SegmenterConfig, Tracker, TrackerConfig};

/// Two labels; the second is the more likely the louder the utterance is.
#[derive(Default)]
pub(crate) struct Loudness {
    frames: u32,
    sum: f32,
}

thread_local! {
    /// Frames that the model was given in this test.
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// Frames that the model was given in this test.
pub(crate) fn asked() -> u64 {
    ASKED.with(Cell::get)
}

impl Scorer for Loudness {
    fn push(&mut self, frame: &[f32]) -> Result<(), ScorerError> {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        self.frames += 1;
        self.sum += frame.iter().sum::<f32>() / frame.len() as f32;
        Ok(())
    }

    fn probabilities(&mut self, out: &mut [f32]) -> Result<bool, ScorerError> {
        if self.frames < 20 {
            return Ok(false);
        }
        let loud = ((self.sum / self.frames as f32 + 100.0) / 100.0).clamp(0.0, 1.0);
        out.copy_from_slice(&[1.0 - loud, loud]);
        Ok(true)
    }

    fn reset(&mut self) -> Result<(), ScorerError> {
        *self = Loudness::default();
        Ok(())
    }
}

/// `tests/assets/speech.wav`: speech at 0.60 to 2.31 s and at 3.71 to 5.84 s of 7.24 s, 16 kHz, mono.
pub(crate) fn speech() -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/assets/speech.wav");
    undertone_decode::read_file(&path, &undertone_decode::Limits::default())
        .unwrap()
        .mono()
}

/// The same at another rate.
pub(crate) fn speech_at(rate: u32) -> Vec<f32> {
    let mut resampler = Resampler::new(16_000, rate).unwrap();
    let mut out = Vec::new();
    resampler.push(&speech(), |samples| out.extend_from_slice(samples));
    resampler.flush(|samples| out.extend_from_slice(samples));
    out
}

/// An analyser of sources with so many channels at this rate, each analysed by itself when `each`.
pub(crate) fn analyser(rate: u32, channels: usize, each: bool) -> Analyser<Loudness> {
    let count = if each { channels } else { 1 };
    let built = (0..count).map(|number| channel(rate, number, count));
    Analyser::new(built.collect(), channels, 1024)
}

/// An analyser of one channel at 16 kHz that tells no more than this.
pub(crate) fn disclosing(disclosure: Disclosure) -> Analyser<Loudness> {
    let channel = channel(16_000, 0, 1).disclosing(disclosure, 6.0);
    Analyser::new(vec![channel], 1, 1024)
}

fn channel(rate: u32, number: usize, count: usize) -> Channel<Loudness> {
    let features = [Feature::LogMel];
    let frontend = Frontend::of_features(&FrontendConfig::default(), &features).unwrap();
    let segments = SegmenterConfig::default();
    let settings = FrontSettings {
        frontend: &frontend,
        features: &features,
        segments: &segments,
    };
    let front = Front::new(&settings, Box::new(EarshotVad::new())).unwrap();
    let ids = IdRange {
        first: number as u64 + 1,
        step: count as u64,
    };
    let tracker = Tracker::new(&TrackerConfig::default(), 2, 0.3, 16_000, ids).unwrap();
    let decider = Decider::new(Loudness::default(), tracker, 25, 2);
    let resampler = Resampler::new(rate, 16_000).unwrap();
    let levels = Some(LevelMeter::new(u64::from(rate) / 2));
    Channel::new(resampler, (rate, 16_000), front, decider, levels)
}

/// Everything told about `samples`, fed in blocks of so many, and about the end of the audio.
pub(crate) fn told(
    mut analyser: Analyser<Loudness>,
    samples: &[f32],
    block: usize,
) -> Vec<(usize, Told)> {
    let mut all = Vec::new();
    let mut tell = |channel, told| all.push((channel, told));
    for part in samples.chunks(block) {
        analyser.push(part, &mut tell).unwrap();
    }
    analyser
        .close(undertone_events::EndReason::Shutdown, &mut tell)
        .unwrap();
    all
}
