/// Magnitude up to which a sample counts as 0, and 0 as positive: librosa's default in `zero_crossings`.
pub const ZERO_THRESHOLD: f32 = 1e-10;
/// Partial sums kept side by side, so that the compiler can use vector registers and the order of additions is fixed.
const LANES: usize = 32;

/// Number of sign changes between neighbouring samples (librosa `zero_crossings`, `pad=False`).
#[inline(always)]
pub(crate) fn zero_crossings(samples: &[f32]) -> u32 {
    let negative = |sample: f32| sample < -ZERO_THRESHOLD;
    let later = samples.get(1..).unwrap_or_default();
    samples
        .iter()
        .zip(later)
        .map(|(&a, &b)| u32::from(negative(a) != negative(b)))
        .sum()
}

/// Root mean square (librosa `feature.rms` of one frame); 0 of nothing.
#[inline(always)]
pub(crate) fn rms(samples: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (blocks, rest) = samples.as_chunks::<LANES>();
    for block in blocks {
        for (sum, sample) in sums.iter_mut().zip(block) {
            *sum += sample * sample;
        }
    }
    let total = sums.iter().sum::<f32>() + rest.iter().map(|sample| sample * sample).sum::<f32>();
    (total / samples.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_count_changes_of_sign_with_zero_as_positive() {
        for (samples, count) in [
            (&[][..], 0),
            (&[-1.0], 0),
            (&[1.0, -1.0, 1.0, -1.0], 3),
            (&[1.0, 0.0, -1.0, -0.0, -1.0], 3),
            (&[1e-11, -1e-11, 1e-11], 0),
            (&[-1e-9, 1e-11, -1e-9], 2),
        ] {
            assert_eq!(zero_crossings(samples), count, "{samples:?}");
        }
    }

    #[test]
    fn rms_of_a_square_wave_is_its_amplitude() {
        let wave: Vec<f32> = (0..401)
            .map(|i| if i % 2 == 0 { 0.25 } else { -0.25 })
            .collect();
        assert_eq!(rms(&wave), 0.25);
        assert_eq!(rms(&[]), 0.0);
    }
}
