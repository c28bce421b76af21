use crate::{DecodeError, Limits, Reader};
use std::path::Path;

/// Most samples to make room for before the first is decoded; a header may promise anything.
const FIRST_CAPACITY: usize = 1 << 20;

/// The sound of a whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// Frames per second, 1000 to 768,000.
    pub sample_rate: u32,
    /// Samples per frame, at least 1.
    pub channels: usize,
    /// Interleaved; full scale is ±1. Lossy and float files may exceed it, and a float file may hold what is not finite.
    pub samples: Vec<f32>,
}

impl Audio {
    /// Frames in all; every frame has one sample per channel.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.samples.len() / self.channels.max(1)
    }

    /// Length in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.sample_rate.max(1))
    }

    /// The mean of all channels.
    #[must_use]
    pub fn mono(&self) -> Vec<f32> {
        if self.channels <= 1 {
            return self.samples.clone();
        }
        let scale = 1.0 / self.channels as f32;
        self.samples
            .chunks_exact(self.channels)
            .map(|frame| frame.iter().sum::<f32>() * scale)
            .collect()
    }

    /// One channel, counted from 0; `None` where there is no such channel.
    #[must_use]
    pub fn channel(&self, index: usize) -> Option<Vec<f32>> {
        (index < self.channels).then(|| {
            self.samples
                .iter()
                .skip(index)
                .step_by(self.channels)
                .copied()
                .collect()
        })
    }
}

/// Decodes a whole file.
///
/// # Errors
/// Any [`DecodeError`]; a damaged or truncated file gives an error and no sound.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Audio, DecodeError> {
    collect(Reader::open(path, limits)?, limits)
}

/// Decodes a file that is already in memory; `name` stands for it in messages.
///
/// # Errors
/// As [`read_file`].
pub fn read_bytes(
    name: &str,
    bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    limits: &Limits,
) -> Result<Audio, DecodeError> {
    collect(Reader::from_bytes(name, bytes, limits)?, limits)
}

fn collect(mut reader: Reader, limits: &Limits) -> Result<Audio, DecodeError> {
    let (sample_rate, channels) = (reader.sample_rate(), reader.channels());
    let most = limits.max_bytes / size_of::<f32>();
    let promised = reader
        .promised_frames()
        .map_or(0, |frames| usize::try_from(frames).unwrap_or(usize::MAX));
    let mut samples = Vec::with_capacity(
        promised
            .saturating_mul(channels)
            .min(FIRST_CAPACITY)
            .min(most),
    );
    while let Some(block) = reader.next_block()? {
        if block.len() > most - samples.len() {
            return Err(DecodeError::Limit {
                path: reader.path().to_path_buf(),
                what: "the decoded sound".into(),
                limit: format!("{} bytes", limits.max_bytes),
            });
        }
        samples.extend_from_slice(block);
    }
    if samples.is_empty() {
        return Err(DecodeError::NoSamples {
            path: reader.path().to_path_buf(),
        });
    }
    Ok(Audio {
        sample_rate,
        channels,
        samples,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_taken_apart_and_averaged() {
        let audio = Audio {
            sample_rate: 8_000,
            channels: 2,
            samples: vec![1.0, 0.0, 0.5, -0.5, 0.25, 0.75],
        };
        assert_eq!(audio.frames(), 3);
        assert_eq!(audio.mono(), [0.5, 0.0, 0.5]);
        assert_eq!(audio.channel(1).unwrap(), [0.0, -0.5, 0.75]);
        assert_eq!(audio.channel(2), None);
        assert!((audio.seconds() - 3.0 / 8_000.0).abs() < 1e-12);
    }
}
