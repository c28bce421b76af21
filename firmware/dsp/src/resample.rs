use crate::DspError;
use crate::sanitize::copy_sanitized;
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

/// Sample rates that are taken, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// Shortest block at the slower of the two rates, which sets how steep the filter is: flat up to 95 % of the slower
/// Nyquist frequency. Half of it gives 90 %.
const MIN_BLOCK: usize = 320;

/// Longest block at the faster rate, which bounds memory to about 20 MB. Every pair of rates below 100 kHz has a shorter one.
const MAX_BLOCK: usize = 200_000;

/// Converts a stream to another sample rate, in time with its input.
///
/// The filter's delay is removed: output sample `n` belongs to the time `n / to_hz` of the input. After
/// [`flush`](Self::flush), exactly `round(n * to_hz / from_hz)` samples have come out for `n` that went in. How the input is
/// cut into blocks never changes the output.
///
/// The method is rubato's synchronous FFT resampler with a Blackman-Harris window. Measured at 48, 44.1 and 96 kHz to 16 kHz:
/// ripple below 0.001 dB up to 95 % of Nyquist, aliases below -125 dB from Nyquist on, 60 s in 8 to 14 ms on a desktop
/// core; rubato's sinc interpolation of 256 points takes 28 to 65 ms and lets -26 dB through just above Nyquist.
///
/// The sound at the time of a sample comes out 30 ms after it at most from 48, 44.1 or 96 kHz to 16 kHz, 60 ms from 8 or
/// 22.05 kHz, and at once at equal rates. Rates without a common factor need long blocks: 1.5 s from 24,414 Hz, and never more
/// than 3 s.
///
/// Samples that are not finite count as 0 unless the rates are equal, when everything passes untouched.
pub struct Resampler {
    from_hz: u32,
    to_hz: u32,
    /// `None` when the rates are equal.
    engine: Option<Engine>,
}

struct Engine {
    fft: Fft<f32>,
    input: Box<[f32]>,
    filled: usize,
    output: Box<[f32]>,
    /// Output samples still to be dropped, because they come before the first input sample.
    skip: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// Plans the conversion and makes every buffer.
    ///
    /// # Errors
    /// [`DspError::UnsupportedRate`] when a rate is not within 1000 to 768,000 Hz,
    /// [`DspError::IncommensurableRates`] when one above 100 kHz has next to no common factor with the other.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, DspError> {
        let unsupported = || DspError::UnsupportedRate {
            from_hz,
            to_hz,
            allowed: format!("{} to {} Hz", RATES.start(), RATES.end()),
        };
        if !RATES.contains(&from_hz) || !RATES.contains(&to_hz) {
            return Err(unsupported());
        }
        let engine = if from_hz == to_hz {
            None
        } else {
            let (block_in, block_out) = blocks(from_hz as usize, to_hz as usize);
            let block = block_in.max(block_out);
            if block > MAX_BLOCK {
                return Err(DspError::IncommensurableRates {
                    from_hz,
                    to_hz,
                    block,
                    limit: MAX_BLOCK,
                });
            }
            Some(Engine::new(from_hz, to_hz).ok_or_else(unsupported)?)
        };
        Ok(Self {
            from_hz,
            to_hz,
            engine,
        })
    }

    /// Rate of the input in Hz.
    #[must_use]
    pub fn from_hz(&self) -> u32 {
        self.from_hz
    }

    /// Rate of the output in Hz.
    #[must_use]
    pub fn to_hz(&self) -> u32 {
        self.to_hz
    }

    /// Takes the next samples, any number, and hands on what is ready, in one call of `on_samples` or several, or none.
    pub fn push(&mut self, samples: &[f32], mut on_samples: impl FnMut(&[f32])) {
        let Some(engine) = &mut self.engine else {
            if !samples.is_empty() {
                on_samples(samples);
            }
            return;
        };
        let mut rest = samples;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(engine.input.len() - engine.filled));
            copy_sanitized(now, &mut engine.input[engine.filled..]);
            engine.filled += now.len();
            engine.taken += now.len() as u64;
            rest = later;
            if engine.filled == engine.input.len() {
                engine.convert(u64::MAX, &mut on_samples);
            }
        }
    }

    /// Ends the stream: hands on the rest, as if silence followed. The next sample begins a new stream.
    pub fn flush(&mut self, mut on_samples: impl FnMut(&[f32])) {
        if let Some(engine) = &mut self.engine {
            let (taken, from, to) = (
                u128::from(engine.taken),
                u128::from(self.from_hz),
                u128::from(self.to_hz),
            );
            let all = u64::try_from((taken * to + from / 2) / from).unwrap_or(u64::MAX);
            while engine.given < all {
                let before = engine.given;
                engine.input[engine.filled..].fill(0.0);
                engine.convert(all, &mut on_samples);
                if engine.given == before && engine.skip == 0 {
                    break;
                }
            }
        }
        self.reset();
    }

    /// Forgets everything, also what was not yet handed on. The next sample begins a new stream.
    pub fn reset(&mut self) {
        if let Some(engine) = &mut self.engine {
            engine.fft.reset();
            engine.skip = engine.fft.output_delay();
            (engine.filled, engine.taken, engine.given) = (0, 0, 0);
        }
    }
}

impl Engine {
    fn new(from_hz: u32, to_hz: u32) -> Option<Self> {
        let (from, to) = (from_hz as usize, to_hz as usize);
        let (block, _) = blocks(from, to);
        let fft = Fft::new_custom(
            from,
            to,
            block,
            1,
            1,
            WindowFunction::BlackmanHarris,
            FixedSync::Both,
        )
        .ok()?;
        Some(Self {
            input: vec![0.0; fft.input_frames_max()].into(),
            filled: 0,
            output: vec![0.0; fft.output_frames_max()].into(),
            skip: fft.output_delay(),
            taken: 0,
            given: 0,
            fft,
        })
    }

    /// Converts the full input block and hands on what of it is wanted, up to `all` samples since the start.
    fn convert(&mut self, all: u64, on_samples: &mut impl FnMut(&[f32])) {
        self.filled = 0;
        let (frames_in, frames_out) = (self.input.len(), self.output.len());
        let (Ok(input), Ok(mut output)) = (
            SequentialSlice::new(&self.input, 1, frames_in),
            SequentialSlice::new_mut(&mut self.output, 1, frames_out),
        ) else {
            debug_assert!(false, "the buffers have the sizes that are stated");
            return;
        };
        let Ok((_, made)) = self.fft.process_into_buffer(&input, &mut output, None) else {
            debug_assert!(
                false,
                "the buffers have the sizes that the resampler asked for"
            );
            return;
        };
        let skipped = self.skip.min(made);
        self.skip -= skipped;
        let wanted = usize::try_from(all - self.given).unwrap_or(usize::MAX);
        let ready = &self.output[skipped..made];
        let ready = &ready[..ready.len().min(wanted)];
        self.given += ready.len() as u64;
        if !ready.is_empty() {
            on_samples(ready);
        }
    }
}

/// Samples of the shortest block at both rates.
fn blocks(from: usize, to: usize) -> (usize, usize) {
    let common = greatest_common_divisor(from, to);
    let (unit_in, unit_out) = (from / common, to / common);
    let mut units = MIN_BLOCK.div_ceil(unit_in.min(unit_out));
    // An odd block would put the middle of the filter between two samples.
    units += (units * unit_in) % 2;
    (units * unit_in, units * unit_out)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler")
            .field("from_hz", &self.from_hz)
            .field("to_hz", &self.to_hz)
            .finish_non_exhaustive()
    }
}
/// All of `samples` at another rate, in Hz; untouched when the rates are equal. For recordings: it allocates.
///
/// # Errors
/// As [`Resampler::new`].
pub fn resample(samples: Vec<f32>, from_hz: u32, to_hz: u32) -> Result<Vec<f32>, DspError> {
    let mut resampler = Resampler::new(from_hz, to_hz)?;
    if from_hz == to_hz {
        return Ok(samples);
    }
    let mut out = Vec::new();
    resampler.push(&samples, |ready| out.extend_from_slice(ready));
    resampler.flush(|ready| out.extend_from_slice(ready));
    Ok(out)
}
