use num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Pairs of bins that are computed side by side.
const LANES: usize = 8;

/// Power spectrum of one frame: periodic Hann window, zero padding, real FFT, squared magnitude.
///
/// The transform runs in `f64`: in `f32` its rounding would stand above the noise of 16-bit sound in the quiet bands of a loud
/// frame, and differ from one processor's instructions to another's.
///
/// Of an even length, neighbouring samples are the two parts of one complex number, and half the length is transformed: bins
/// `k` and `N/2 - k` of the half give those of the whole.
///
/// librosa pads the window on both sides of the frame; where the zeros stand only turns the phases, so they all follow here.
pub struct PowerSpectrum {
    plan: Arc<dyn Fft<f64>>,
    /// Halved, which spares the halves of the sums in [`Turns::pair`].
    window: Box<[f64]>,
    packing: Packing,
}

enum Packing {
    /// Two samples in a number.
    Pairs(Box<[Turns<LANES>]>, Box<[Turns<1>]>),
    /// One sample in a number: an odd length.
    Single,
}

/// What a transform works in; one for each stream.
pub struct SpectrumWork {
    bins: Box<[Complex<f64>]>,
    scratch: Box<[Complex<f64>]>,
}

impl PowerSpectrum {
    /// A frame of `frame_length` samples, padded to `fft_size`; the first must not exceed the second.
    #[must_use]
    pub fn new(frame_length: usize, fft_size: usize) -> Self {
        let even = fft_size.is_multiple_of(2);
        let length = if even { fft_size / 2 } else { fft_size };
        Self {
            plan: FftPlanner::new().plan_fft_forward(length),
            window: (0..frame_length)
                .map(|n| 0.25 - 0.25 * (TAU * n as f64 / frame_length as f64).cos())
                .collect(),
            packing: if even {
                let pairs = length.saturating_sub(1) / 2;
                let blocks = pairs / LANES;
                Packing::Pairs(
                    (0..blocks)
                        .map(|block| Turns::new(1 + block * LANES, fft_size))
                        .collect(),
                    (blocks * LANES..pairs)
                        .map(|pair| Turns::new(1 + pair, fft_size))
                        .collect(),
                )
            } else {
                Packing::Single
            },
        }
    }

    /// The buffers of one stream.
    #[must_use]
    pub fn workspace(&self) -> SpectrumWork {
        let zeros = |length| vec![Complex::default(); length].into();
        SpectrumWork {
            bins: zeros(self.plan.len()),
            scratch: zeros(self.plan.get_inplace_scratch_len()),
        }
    }

    /// Writes the squared magnitudes of the bins from 0 to half the sample rate; `power` beyond them is left alone.
    #[inline(always)]
    pub fn power(&self, frame: &[f32], power: &mut [f32], work: &mut SpectrumWork) {
        let bins = &mut *work.bins;
        let frame = &frame[..frame.len().min(self.window.len())];
        match self.packing {
            Packing::Pairs(..) => pack_pairs(frame, &self.window, bins),
            Packing::Single => pack(frame, &self.window, bins),
        }
        self.plan.process_with_scratch(bins, &mut work.scratch);
        match &self.packing {
            Packing::Pairs(blocks, rest) => power_of_pairs(bins, blocks, rest, power),
            Packing::Single => {
                for (power, bin) in power.iter_mut().zip(&bins[..bins.len() / 2 + 1]) {
                    *power = (4.0 * bin.norm_sqr()) as f32;
                }
            }
        }
    }
}

#[inline(always)]
fn pack(frame: &[f32], window: &[f64], bins: &mut [Complex<f64>]) {
    for ((bin, sample), window) in bins.iter_mut().zip(frame).zip(window) {
        *bin = Complex::new(f64::from(*sample) * window, 0.0);
    }
    bins[frame.len()..].fill(Complex::default());
}

/// Two samples a number: as they lie in memory, one after the other.
#[inline(always)]
fn pack_pairs(frame: &[f32], window: &[f64], bins: &mut [Complex<f64>]) {
    let parts: &mut [f64] = bytemuck::cast_slice_mut(bins);
    for ((part, sample), window) in parts.iter_mut().zip(frame).zip(window) {
        *part = f64::from(*sample) * window;
    }
    for part in &mut parts[frame.len()..] {
        *part = 0.0;
    }
}

/// The bins of the whole from those of the half.
#[inline(always)]
fn power_of_pairs(
    bins: &[Complex<f64>],
    blocks: &[Turns<LANES>],
    rest: &[Turns<1>],
    power: &mut [f32],
) {
    let half = bins.len();
    let power = &mut power[..=half];
    let first = bins[0];
    power[0] = (2.0 * (first.re + first.im)).powi(2) as f32;
    power[half] = (2.0 * (first.re - first.im)).powi(2) as f32;
    if half.is_multiple_of(2) {
        power[half / 2] = (4.0 * bins[half / 2].norm_sqr()) as f32;
    }
    let pairs = (half - 1) / 2;
    let (low, high) = (&bins[1..=pairs], &bins[half - pairs..]);
    let (low_power, high_power) = power[1..half].split_at_mut(half / 2);
    let high_power = &mut high_power[half - 1 - half / 2 - pairs..];
    let (low, low_rest) = low.as_chunks();
    let (high_rest, high) = high.as_rchunks();
    let (low_power, low_power_rest) = low_power[..pairs].as_chunks_mut();
    let (high_power_rest, high_power) = high_power.as_rchunks_mut();
    let blocks = blocks.iter().zip(low).zip(high.iter().rev());
    let power = low_power.iter_mut().zip(high_power.iter_mut().rev());
    for (((turns, low), high), (low_power, high_power)) in blocks.zip(power) {
        (*low_power, *high_power) = turns.pair(low, high);
    }
    let rest = rest.iter().zip(low_rest).zip(high_rest.iter().rev());
    let power = low_power_rest
        .iter_mut()
        .zip(high_power_rest.iter_mut().rev());
    for (((turns, low), high), (low_power, high_power)) in rest.zip(power) {
        ([*low_power], [*high_power]) = turns.pair(&[*low], &[*high]);
    }
}

/// `exp(-i TAU k / N)` for `COUNT` bins `k` in a row.
struct Turns<const COUNT: usize> {
    re: [f64; COUNT],
    im: [f64; COUNT],
}

impl<const COUNT: usize> Turns<COUNT> {
    fn new(first: usize, size: usize) -> Self {
        let angle = |lane: usize| TAU * (first + lane) as f64 / size as f64;
        Self {
            re: std::array::from_fn(|lane| angle(lane).cos()),
            im: std::array::from_fn(|lane| -angle(lane).sin()),
        }
    }

    /// Squared magnitudes of bins `k..k + COUNT` and `N/2 - k - COUNT + 1..=N/2 - k` from the same bins of the half.
    #[inline(always)]
    fn pair(
        &self,
        low: &[Complex<f64>; COUNT],
        high: &[Complex<f64>; COUNT],
    ) -> ([f32; COUNT], [f32; COUNT]) {
        let (mut low_power, mut high_power) = ([0.0; COUNT], [0.0; COUNT]);
        for lane in 0..COUNT {
            let (a, b) = (low[lane], high[COUNT - 1 - lane]);
            // Spectra of the even samples, and of the odd ones.
            let even = (a.re + b.re, a.im - b.im);
            let odd = (a.im + b.im, b.re - a.re);
            let turned = (
                self.re[lane] * odd.0 - self.im[lane] * odd.1,
                self.re[lane] * odd.1 + self.im[lane] * odd.0,
            );
            let sum = (even.0 + turned.0, even.1 + turned.1);
            let difference = (even.0 - turned.0, even.1 - turned.1);
            low_power[lane] = (sum.0 * sum.0 + sum.1 * sum.1) as f32;
            high_power[COUNT - 1 - lane] =
                (difference.0 * difference.0 + difference.1 * difference.1) as f32;
        }
        (low_power, high_power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_of_a_frame_is_that_of_the_plain_fourier_sum() {
        for (length, size) in [
            (12, 16),
            (9, 9),
            (7, 15),
            (2, 2),
            (3, 4),
            (5, 6),
            (41, 42),
            (70, 100),
            (64, 64),
            (90, 102),
        ] {
            let frame: Vec<f32> = (0..length).map(|n| ((n * n) as f32 * 0.7).sin()).collect();
            let mut power = vec![0.0; size / 2 + 1];
            let spectrum = PowerSpectrum::new(length, size);
            let mut work = spectrum.workspace();
            for _ in 0..2 {
                spectrum.power(&frame, &mut power, &mut work);
            }
            for (bin, power) in power.iter().enumerate() {
                let (mut re, mut im) = (0.0, 0.0);
                for (n, sample) in frame.iter().enumerate() {
                    let hann = 0.5 - 0.5 * (TAU * n as f64 / length as f64).cos();
                    let angle = TAU * (bin * n) as f64 / size as f64;
                    re += hann * f64::from(*sample) * angle.cos();
                    im -= hann * f64::from(*sample) * angle.sin();
                }
                assert!(
                    (f64::from(*power) - (re * re + im * im)).abs() < 1e-4,
                    "bin {bin} of {size}"
                );
            }
        }
    }
}
