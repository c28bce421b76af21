//! What the audio of the clips itself holds: every file is decoded once.

use std::collections::BTreeMap;
use std::mem;

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};
use undertone_decode::{Audio, Limits, read_file};

use super::clip::{Clip, ContentHash, Corpus};
use super::import::Refused;
use super::scan::{IdenticalClips, full_id, identical};

/// The longest published clip lasts under 8 s; a file beyond this limit is no clip.
const MAX_SECONDS: f64 = 120.0;

/// The largest positive 16-bit sample: from here on a sample counts as full scale.
const FULL_SCALE: f32 = 32_767.0 / 32_768.0;

/// Half a 16-bit step: a clip that never reaches it is digital silence.
const SILENCE: f32 = 0.5 / 32_768.0;

/// The audio of one corpus.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AudioReport {
    /// Which corpus.
    pub corpus: Corpus,
    /// Clips decoded.
    pub clips: usize,
    /// Seconds of all clips together.
    pub seconds: f64,
    /// Seconds of the shortest clip.
    pub shortest: f64,
    /// Seconds of the longest clip.
    pub longest: f64,
    /// Clips per sampling rate in Hz.
    pub sample_rates: BTreeMap<u32, usize>,
    /// Clips per number of channels.
    pub channels: BTreeMap<usize, usize>,
    /// Clips that are digital silence, as `corpus/id`.
    pub silent: Vec<String>,
    /// Clips with values that are no finite number, as `corpus/id`.
    pub not_finite: Vec<String>,
    /// Clips in which at least one sample is at full scale.
    pub full_scale_clips: usize,
    /// Samples at full scale.
    pub full_scale_samples: u64,
}

/// The audio of all clips.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeepReport {
    /// The corpora, in table order.
    pub corpora: Vec<AudioReport>,
    /// Clips with the same rate, channels and decoded samples, whether or not their files are the same bytes.
    pub identical_audio: Vec<IdenticalClips>,
    /// Clips that cannot be decoded.
    pub unreadable: Vec<Refused>,
}

/// Decodes every clip, on all cores; `on_clip` is called once after each.
pub fn listen(clips: &[Clip], on_clip: impl Fn() + Sync) -> DeepReport {
    listen_each(clips, on_clip, |_| ()).0
}

/// As [`listen`], and gives what `measure` makes of every clip's sound; `None` where there is none.
pub fn listen_each<T: Send>(
    clips: &[Clip],
    on_clip: impl Fn() + Sync,
    measure: impl Fn(&Audio) -> T + Sync,
) -> (DeepReport, Vec<Option<T>>) {
    let limits = Limits {
        max_seconds: MAX_SECONDS,
        ..Limits::default()
    };
    let heard: Vec<Result<(Heard, T), Refused>> = clips
        .par_iter()
        .map(|clip| {
            let heard = read_file(&clip.path, &limits)
                .map(|audio| (Heard::new(&audio), measure(&audio)))
                .map_err(|error| {
                    let message = error.to_string();
                    let reason = message
                        .strip_prefix(&format!("{}: ", clip.path.display()))
                        .unwrap_or(&message);
                    Refused::new(clip.path.clone(), reason.to_owned())
                });
            on_clip();
            heard
        })
        .collect();

    let mut reports: BTreeMap<Corpus, AudioReport> = BTreeMap::new();
    let mut hashed = Vec::with_capacity(clips.len());
    let mut unreadable = Vec::new();
    let mut measured = Vec::with_capacity(clips.len());
    for (clip, heard) in clips.iter().zip(heard) {
        match heard {
            Ok((heard, own)) => {
                measured.push(Some(own));
                hashed.push((clip, heard.hash));
                reports
                    .entry(clip.corpus)
                    .or_insert_with(|| AudioReport::empty(clip.corpus))
                    .add(clip, &heard);
            }
            Err(refused) => {
                measured.push(None);
                unreadable.push(refused);
            }
        }
    }
    let report = DeepReport {
        corpora: reports.into_values().collect(),
        identical_audio: identical(hashed.into_iter()),
        unreadable,
    };
    (report, measured)
}

impl AudioReport {
    const fn empty(corpus: Corpus) -> Self {
        Self {
            corpus,
            clips: 0,
            seconds: 0.0,
            shortest: f64::INFINITY,
            longest: 0.0,
            sample_rates: BTreeMap::new(),
            channels: BTreeMap::new(),
            silent: Vec::new(),
            not_finite: Vec::new(),
            full_scale_clips: 0,
            full_scale_samples: 0,
        }
    }

    fn add(&mut self, clip: &Clip, heard: &Heard) {
        self.clips += 1;
        self.seconds += heard.seconds;
        self.shortest = self.shortest.min(heard.seconds);
        self.longest = self.longest.max(heard.seconds);
        *self.sample_rates.entry(heard.sample_rate).or_default() += 1;
        *self.channels.entry(heard.channels).or_default() += 1;
        if !heard.finite {
            self.not_finite.push(full_id(clip));
        } else if heard.peak < SILENCE {
            self.silent.push(full_id(clip));
        }
        self.full_scale_clips += usize::from(heard.full_scale > 0);
        self.full_scale_samples += heard.full_scale;
    }
}

/// One decoded clip.
struct Heard {
    sample_rate: u32,
    channels: usize,
    seconds: f64,
    peak: f32,
    finite: bool,
    full_scale: u64,
    hash: ContentHash,
}

impl Heard {
    fn new(audio: &Audio) -> Self {
        let mut hash = Sha256::new();
        hash.update(audio.sample_rate.to_le_bytes());
        hash.update((audio.channels as u64).to_le_bytes());
        let mut block = Vec::with_capacity(4096 * mem::size_of::<f32>());
        let mut heard = Self {
            sample_rate: audio.sample_rate,
            channels: audio.channels,
            seconds: audio.seconds(),
            peak: 0.0,
            finite: true,
            full_scale: 0,
            hash: ContentHash([0; 32]),
        };
        for samples in audio.samples.chunks(4096) {
            block.clear();
            for sample in samples {
                heard.peak = heard.peak.max(sample.abs());
                heard.finite &= sample.is_finite();
                heard.full_scale += u64::from(sample.abs() >= FULL_SCALE);
                // Adding zero makes -0.0 and 0.0 the same bytes.
                block.extend_from_slice(&(sample + 0.0).to_le_bytes());
            }
            hash.update(&block);
        }
        heard.hash = ContentHash(hash.finalize().into());
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(samples: &[f32]) -> Heard {
        Heard::new(&Audio {
            sample_rate: 16_000,
            channels: 1,
            samples: samples.to_vec(),
        })
    }

    #[test]
    fn full_scale_counts_both_signs_and_values_beyond() {
        let heard = heard(&[0.0, FULL_SCALE, -1.0, 1.2, 0.99]);
        assert_eq!(heard.full_scale, 3);
    }

    #[test]
    fn half_a_step_is_sound_and_less_is_silence() {
        assert!(heard(&[0.0, SILENCE]).peak >= SILENCE);
        assert!(heard(&[0.0, -SILENCE / 2.0]).peak < SILENCE);
    }

    #[test]
    fn the_hash_tells_samples_and_rate_apart_and_not_the_sign_of_zero() {
        let a = heard(&[0.0, 0.5]);
        assert_eq!(a.hash, heard(&[-0.0, 0.5]).hash);
        assert_ne!(a.hash, heard(&[0.0, 0.25]).hash);
        let other_rate = Audio {
            sample_rate: 8_000,
            channels: 1,
            samples: vec![0.0, 0.5],
        };
        assert_ne!(a.hash, Heard::new(&other_rate).hash);
    }

    #[test]
    fn what_is_no_number_is_noticed() {
        assert!(!heard(&[0.0, f32::NAN]).finite);
        assert!(heard(&[0.0, 0.5]).finite);
    }
}
