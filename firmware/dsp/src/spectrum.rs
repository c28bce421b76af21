use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Power spectrum of one frame: periodic Hann window, zero padding, real FFT, squared magnitude.
///
/// The transform runs in `f64`: in `f32` its rounding would stand above the noise of 16-bit sound in the quiet bands of a loud
/// frame, and differ from one processor's instructions to another's.
///
/// librosa pads the window on both sides of the frame; where the zeros stand only turns the phases, so they all follow here.
pub(crate) struct Spectrum {
    plan: Arc<dyn RealToComplex<f64>>,
    window: Box<[f64]>,
}

/// What a transform works in; one for each stream.
pub(crate) struct Workspace {
    time: Box<[f64]>,
    bins: Box<[Complex<f64>]>,
    scratch: Box<[Complex<f64>]>,
}

impl Spectrum {
    /// A frame of `frame_length` samples, padded to `fft_size`; the first must not exceed the second.
    pub(crate) fn new(frame_length: usize, fft_size: usize) -> Self {
        let window = (0..frame_length)
            .map(|n| 0.5 - 0.5 * (TAU * n as f64 / frame_length as f64).cos())
            .collect();
        Self {
            plan: RealFftPlanner::new().plan_fft_forward(fft_size),
            window,
        }
    }

    /// The buffers of one stream.
    pub(crate) fn workspace(&self) -> Workspace {
        Workspace {
            time: self.plan.make_input_vec().into(),
            bins: self.plan.make_output_vec().into(),
            scratch: self.plan.make_scratch_vec().into(),
        }
    }

    /// Writes the squared magnitudes of the bins from 0 to half the sample rate; `power` beyond them is left alone.
    pub(crate) fn power(&self, frame: &[f32], power: &mut [f32], work: &mut Workspace) {
        let used = self.window.len().min(frame.len());
        for ((time, sample), window) in work.time.iter_mut().zip(frame).zip(&self.window) {
            *time = f64::from(*sample) * window;
        }
        // The transform leaves its input overwritten.
        work.time[used..].fill(0.0);
        let done =
            self.plan
                .process_with_scratch(&mut work.time, &mut work.bins, &mut work.scratch);
        debug_assert!(done.is_ok(), "the buffers come from the plan");
        for (power, bin) in power.iter_mut().zip(&work.bins) {
            *power = (bin.re * bin.re + bin.im * bin.im) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_of_a_frame_is_that_of_the_plain_fourier_sum() {
        for (length, size) in [(12, 16), (9, 9), (7, 15)] {
            let frame: Vec<f32> = (0..length).map(|n| ((n * n) as f32 * 0.7).sin()).collect();
            let mut power = vec![0.0; size / 2 + 1];
            let spectrum = Spectrum::new(length, size);
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
