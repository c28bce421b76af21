use crate::machine::{Level, Work};

/// Largest magnitude of a sample; anything beyond counts as this. Its square, summed over the longest FFT, is still finite.
pub const SAMPLE_LIMIT: f32 = 1e6;

/// Copies samples, with 0 for those that are not finite and the limit for those beyond it.
pub(crate) fn copy_sanitized(from: &[f32], to: &mut [f32]) {
    Level::best().run(Copy { from, to });
}

struct Copy<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Work for Copy<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            let finite = if from.is_finite() { from } else { 0.0 };
            *to = finite.clamp(-SAMPLE_LIMIT, SAMPLE_LIMIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_samples_that_are_not_finite_or_out_of_bounds_change() {
        let from = [
            0.5,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN,
            -0.25,
            1e-40,
        ];
        let mut to = [9.0; 8];
        copy_sanitized(&from, &mut to);
        assert_eq!(
            to,
            [
                0.5,
                0.0,
                0.0,
                0.0,
                SAMPLE_LIMIT,
                -SAMPLE_LIMIT,
                -0.25,
                1e-40
            ]
        );
    }
}
