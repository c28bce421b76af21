//! Logarithms of a whole slice, several times faster than those of `f32` and vectorised.

use std::f32::consts::LN_2;

/// Smallest power that counts, librosa's default `amin` in `power_to_db`: -100 dB.
const MIN_POWER: f32 = 1e-10;
/// `10 log10(2)`, dB per doubling.
const DB_PER_OCTAVE: f32 = 3.010_3;
/// `10 / ln(10)`, dB per neper of power.
const DB_PER_NEPER: f32 = 4.342_944_8;
/// Bits of `sqrt(1/2)`: the mantissa is taken from there to `sqrt(2)`, so that the polynomial is centred on 1.
const SQRT_HALF_BITS: i32 = 0x3f35_04f3;

/// Replaces powers by dB: `10 log10(max(power, 1e-10))`, librosa's `power_to_db` with `ref=1.0`, `top_db=None`.
///
/// The error is below 1e-5 dB up to 0 dB, and below 2e-7 of the value above.
#[inline(always)]
pub(crate) fn power_to_db(powers: &mut [f32]) {
    for power in powers {
        let (exponent, ln) = split_ln(power.max(MIN_POWER));
        *power = exponent * DB_PER_OCTAVE + ln * DB_PER_NEPER;
    }
}

/// Replaces positive numbers that are not denormal by their natural logarithms, to 2e-7 of the value or of 1.
#[inline(always)]
pub fn ln(values: &mut [f32]) {
    for value in values {
        let (exponent, ln) = split_ln(*value);
        *value = exponent * LN_2 + ln;
    }
}

/// The exponent to base 2, and the natural logarithm of the mantissa: the minimax polynomial of Cephes `logf` (S. L. Moshier).
#[inline(always)]
fn split_ln(value: f32) -> (f32, f32) {
    let bits = value.to_bits().cast_signed();
    let exponent = (bits - SQRT_HALF_BITS) >> 23;
    let x = f32::from_bits((bits - (exponent << 23)).cast_unsigned()) - 1.0;
    let mut p = 7.037_683_6e-2;
    for coefficient in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_7e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        p = p * x + coefficient;
    }
    (exponent as f32, x - 0.5 * x * x + x * x * x * p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decibels_agree_with_the_exact_logarithm_over_the_whole_range() {
        let mut power = 1e-12f32;
        while power < 1e30 {
            let mut db = [power];
            power_to_db(&mut db);
            let exact = 10.0 * f64::from(power.max(1e-10)).log10();
            assert!(
                (f64::from(db[0]) - exact).abs() < 1e-5f64.max(2e-7 * exact),
                "{power}: {} instead of {exact}",
                db[0]
            );
            power *= 1.0007;
        }
    }

    #[test]
    fn nothing_is_at_the_floor_and_never_below() {
        let mut db = [0.0, -1.0, f32::NAN, 1e-20];
        power_to_db(&mut db);
        assert!(db.iter().all(|db| (db + 100.0).abs() < 1e-5), "{db:?}");
    }

    #[test]
    fn logarithms_agree_with_the_exact_ones() {
        let mut value = 1e-30f32;
        while value < 1e30 {
            let mut out = [value];
            ln(&mut out);
            let exact = f64::from(value).ln();
            let error = (f64::from(out[0]) - exact).abs();
            assert!(error < 2e-7 * exact.abs().max(1.0), "{value}: {}", out[0]);
            value *= 1.003;
        }
    }
}
