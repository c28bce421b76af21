/// The lowest level that [`dbfs`] reports: silence is silence, never minus infinity and never 0.
pub const DBFS_FLOOR: f32 = -120.0;

/// Level of an RMS value in dB relative to full scale: `20 log10(rms)`, at least [`DBFS_FLOOR`].
///
/// A full-scale square wave is at 0 dBFS, a full-scale sine at -3.01. What is not a number or negative is at the floor.
#[must_use]
pub fn dbfs(rms: f32) -> f32 {
    if rms > 0.0 {
        (20.0 * rms.log10()).max(DBFS_FLOOR)
    } else {
        DBFS_FLOOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_decibels_with_a_floor() {
        assert_eq!(dbfs(1.0), 0.0);
        assert!((dbfs(0.5) + 6.0206).abs() < 1e-4);
        for silence in [0.0, -1.0, 1e-30, f32::NAN] {
            assert_eq!(dbfs(silence), DBFS_FLOOR);
        }
    }
}
