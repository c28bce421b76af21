use crate::filters::{FilterBank, FilterWork};
use crate::machine::{Level, Work};
use crate::mfcc::Dct;
use crate::sanitize::copy_sanitized;
use crate::spectrum::{PowerSpectrum, SpectrumWork};
use crate::{DspError, Feature, FrontendConfig, decibel, mel, time_domain};
use std::sync::Arc;

/// Samples taken in between two moves of the buffer's tail, at least.
const BLOCK: usize = 1_024;

/// The features of one frame, valid until the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame<'a> {
    /// Number of the frame since construction or [`Frontend::reset`]; it starts at sample `index * hop_length`.
    pub index: u64,
    /// Zero-crossing rate: sign changes within the frame divided by its length, 0 to 1.
    pub zcr: f32,
    /// Root mean square of the samples, linear; 1 is a full-scale square wave.
    pub rms: f32,
    /// `mel_bands` values in dB (`10 log10` of the band's power, reference 1), at least -100.
    pub log_mel: &'a [f32],
    /// `mfcc_count` cepstral coefficients of `log_mel`.
    pub mfcc: &'a [f32],
}

impl Frame<'_> {
    /// Writes the features one after the other, in the order of the list; `out` should hold
    /// [`FrontendConfig::rows`] values. Returns how many were written: what does not fit is left out.
    pub fn write_rows(&self, features: &[Feature], out: &mut [f32]) -> usize {
        let mut written = 0;
        for feature in features {
            let values = match feature {
                Feature::Zcr => std::slice::from_ref(&self.zcr),
                Feature::Rms => std::slice::from_ref(&self.rms),
                Feature::Mfcc => self.mfcc,
                Feature::LogMel => self.log_mel,
            };
            let room = &mut out[written..];
            let count = values.len().min(room.len());
            room[..count].copy_from_slice(&values[..count]);
            written += count;
        }
        written
    }
}

/// Cuts a stream of samples into overlapping frames and computes their features.
pub struct Frontend {
    plan: Arc<Plan>,
    /// Sanitised samples not yet done with; the first is the first sample of the next frame.
    pending: Box<[f32]>,
    filled: usize,
    /// Samples still to be dropped before the next frame, when the hop exceeds the frame.
    skip: usize,
    next_index: u64,
    work: SpectrumWork,
    power: Box<[f32]>,
    band_sums: FilterWork,
    log_mel: Box<[f32]>,
    mfcc: Box<[f32]>,
}

/// What is the same for all streams of a configuration.
struct Plan {
    config: FrontendConfig,
    spectrum: PowerSpectrum,
    mel: FilterBank,
    dct: Dct,
    wanted: Wanted,
    level: Level,
}

/// Which features are computed.
#[derive(Clone, Copy)]
struct Wanted {
    zcr: bool,
    rms: bool,
    spectrum: bool,
    mfcc: bool,
}

impl Frontend {
    /// Plans the transform and makes every buffer.
    ///
    /// # Errors
    /// Those of [`FrontendConfig::validate`].
    pub fn new(config: &FrontendConfig) -> Result<Self, DspError> {
        let all = [Feature::Zcr, Feature::Rms, Feature::Mfcc, Feature::LogMel];
        Self::of_features(config, &all)
    }

    /// The same for these features alone: in its frames [`Frame::zcr`] and [`Frame::rms`] are 0, [`Frame::log_mel`] and
    /// [`Frame::mfcc`] empty where they are neither asked for nor needed.
    ///
    /// # Errors
    /// Those of [`FrontendConfig::validate`].
    pub fn of_features(config: &FrontendConfig, features: &[Feature]) -> Result<Self, DspError> {
        config.validate()?;
        let mfcc = features.contains(&Feature::Mfcc);
        Ok(Self::of_plan(Arc::new(Plan {
            spectrum: PowerSpectrum::new(config.frame_length, config.fft_size),
            mel: mel::bank(config),
            dct: Dct::new(config.mel_bands, if mfcc { config.mfcc_count } else { 0 }),
            config: config.clone(),
            wanted: Wanted {
                zcr: features.contains(&Feature::Zcr),
                rms: features.contains(&Feature::Rms),
                spectrum: mfcc || features.contains(&Feature::LogMel),
                mfcc,
            },
            level: Level::best(),
        })))
    }

    /// One more for a stream of its own, at its beginning: it computes the same features, and what never changes (transform,
    /// window, filters) is in memory once for both.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::of_plan(Arc::clone(&self.plan))
    }

    fn of_plan(plan: Arc<Plan>) -> Self {
        let config = &plan.config;
        Self {
            pending: vec![0.0; config.frame_length + BLOCK.max(config.hop_length)].into(),
            filled: 0,
            skip: 0,
            next_index: 0,
            work: plan.spectrum.workspace(),
            power: vec![0.0; plan.mel.padded_bins()].into(),
            band_sums: plan.mel.workspace(),
            log_mel: vec![0.0; config.mel_bands].into(),
            mfcc: vec![0.0; config.mfcc_count].into(),
            plan,
        }
    }

    /// The configuration it was built from.
    #[must_use]
    pub fn config(&self) -> &FrontendConfig {
        &self.plan.config
    }

    /// Takes the next samples of the stream, any number, and calls `on_frame` for each frame that is now complete, in order.
    pub fn push(&mut self, samples: &[f32], mut on_frame: impl FnMut(Frame<'_>)) {
        let mut rest = samples;
        while !rest.is_empty() {
            let dropped = self.skip.min(rest.len());
            self.skip -= dropped;
            rest = &rest[dropped..];

            let taken = (self.pending.len() - self.filled).min(rest.len());
            let free = &mut self.pending[self.filled..];
            copy_sanitized(&rest[..taken], free);
            self.filled += taken;
            rest = &rest[taken..];

            let mut start = 0;
            while start + self.plan.config.frame_length <= self.filled {
                on_frame(self.analyse(start));
                self.next_index += 1;
                start += self.plan.config.hop_length;
            }
            let done = start.min(self.filled);
            self.pending.copy_within(done..self.filled, 0);
            self.filled -= done;
            self.skip += start - done;
        }
    }

    /// Forgets everything: the next sample starts frame 0 again. To be called at a gap, so that no frame spans it.
    pub fn reset(&mut self) {
        self.filled = 0;
        self.skip = 0;
        self.next_index = 0;
    }

    fn analyse(&mut self, start: usize) -> Frame<'_> {
        let plan = &*self.plan;
        let wanted = plan.wanted;
        let (zcr, rms) = plan.level.run(Analysis {
            plan,
            samples: &self.pending[start..start + plan.config.frame_length],
            work: &mut self.work,
            power: &mut self.power,
            band_sums: &mut self.band_sums,
            log_mel: &mut self.log_mel,
            mfcc: &mut self.mfcc,
        });
        let part = |values, wanted: bool| if wanted { values } else { [].as_slice() };
        Frame {
            index: self.next_index,
            zcr,
            rms,
            log_mel: part(&self.log_mel, wanted.spectrum),
            mfcc: part(&self.mfcc, wanted.mfcc),
        }
    }
}

/// What one frame takes.
struct Analysis<'a> {
    plan: &'a Plan,
    samples: &'a [f32],
    work: &'a mut SpectrumWork,
    power: &'a mut [f32],
    band_sums: &'a mut FilterWork,
    log_mel: &'a mut [f32],
    mfcc: &'a mut [f32],
}

impl Work for Analysis<'_> {
    /// ZCR and RMS.
    type Output = (f32, f32);

    #[inline(always)]
    fn run(self) -> (f32, f32) {
        let Self { plan, samples, .. } = self;
        let wanted = plan.wanted;
        if wanted.spectrum {
            plan.spectrum.power(samples, self.power, self.work);
            plan.mel.apply(self.power, self.log_mel, self.band_sums);
            decibel::power_to_db(self.log_mel);
        }
        if wanted.mfcc {
            plan.dct.fill(self.log_mel, self.mfcc);
        }
        let (mut zcr, mut rms) = (0.0, 0.0);
        if wanted.zcr {
            zcr = time_domain::zero_crossings(samples) as f32 / samples.len() as f32;
        }
        if wanted.rms {
            rms = time_domain::rms(samples);
        }
        (zcr, rms)
    }
}

impl std::fmt::Debug for Frontend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frontend")
            .field("config", &self.plan.config)
            .field("next_index", &self.next_index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registers_of_the_machine_change_no_bit_of_any_feature() {
        let odd = FrontendConfig {
            frame_length: 401,
            hop_length: 177,
            fft_size: 501,
            mel_bands: 30,
            mfcc_count: 30,
            ..FrontendConfig::default()
        };
        let samples: Vec<f32> = (0..9_000)
            .map(|n| ((n * n % 7_919) as f32 * 0.37).sin() * 0.3)
            .collect();
        for config in [FrontendConfig::default(), odd] {
            let bits = |level| {
                let mut frontend = Frontend::new(&config).unwrap();
                Arc::get_mut(&mut frontend.plan).unwrap().level = level;
                let mut bits = Vec::new();
                frontend.push(&samples, |frame| {
                    let values = [&[frame.zcr, frame.rms], frame.log_mel, frame.mfcc].concat();
                    bits.extend(values.iter().map(|value| value.to_bits()));
                });
                bits
            };
            let plain = bits(Level::Plain);
            assert!(plain.len() > 1_000);
            for level in Level::all() {
                assert!(bits(level) == plain, "{level:?}");
            }
        }
    }
}
