//! IMA ADPCM (IMA Digital Audio Focus Group, 1992): what four bits a sample leave of a sound.

const INDEX: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// The step sizes of the standard: each about a tenth more than the one before.
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66,
    73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449,
    494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272,
    2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493,
    10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];

/// Codes and decodes samples in place; beyond full scale they clip.
pub(super) fn through(samples: &mut [f32]) {
    let (mut predicted, mut index) = (0i32, 0usize);
    for sample in samples {
        let wanted = (sample.clamp(-1.0, 1.0) * 32767.0) as i32;
        let step = STEPS[index];
        let difference = wanted - predicted;
        let code = (difference.abs() * 4 / step).min(7);
        let change = (2 * code + 1) * step / 8;
        predicted = (predicted + difference.signum() * change).clamp(-32768, 32767);
        let next = index as i32 + INDEX[code as usize];
        index = next.clamp(0, 88) as usize;
        *sample = predicted as f32 / 32768.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_comes_through_with_20_db_of_noise_or_less() {
        let tone: Vec<f32> = (0..8000).map(|i| 0.3 * (i as f32 * 0.1).sin()).collect();
        let mut out = tone.clone();
        through(&mut out);
        let power = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
        let error = power(&mut tone.iter().zip(&out).skip(500).map(|(a, b)| a - b));
        assert!(error > 0.0 && power(&mut tone.iter().copied()) > 100.0 * error);
        through(&mut [f32::NAN, 9.0, -9.0]);
    }
}
