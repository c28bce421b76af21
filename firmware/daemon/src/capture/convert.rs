//! Bytes of a device to samples.

use super::Encoding;

/// Samples of what a device encodes.
pub(super) trait Decode {
    /// Converts whole samples, as many as fit; returns how many.
    fn decode(self, bytes: &[u8], out: &mut [f32]) -> usize;
}

impl Decode for Encoding {
    fn decode(self, bytes: &[u8], out: &mut [f32]) -> usize {
        const I16: f32 = 1.0 / 32_768.0;
        const I24: f32 = 1.0 / 8_388_608.0;
        const I32: f32 = 1.0 / 2_147_483_648.0;
        match self {
            Encoding::I16 => each(bytes, out, |b| f32::from(i16::from_ne_bytes(b)) * I16),
            // The top byte of four is undefined on some devices, and is replaced by the sign.
            Encoding::I24In4 => each(bytes, out, |b| {
                ((i32::from_ne_bytes(b) << 8) >> 8) as f32 * I24
            }),
            Encoding::I24Le3 => each(bytes, out, |[a, b, c]| {
                (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 * I24
            }),
            Encoding::I32 => each(bytes, out, |b| i32::from_ne_bytes(b) as f32 * I32),
            Encoding::F32 => each(bytes, out, f32::from_ne_bytes),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], out: &mut [f32], convert: impl Fn([u8; N]) -> f32) -> usize {
    let (chunks, _) = bytes.as_chunks::<N>();
    for (sample, chunk) in out.iter_mut().zip(chunks) {
        *sample = convert(*chunk);
    }
    out.len().min(chunks.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: Encoding, bytes: &[u8]) -> Vec<f32> {
        let mut out = [9.0; 4];
        let count = encoding.decode(bytes, &mut out);
        out[..count].to_vec()
    }

    #[test]
    fn full_scale_is_one_in_every_encoding() {
        let lowest = [-1.0];
        assert_eq!(decoded(Encoding::I16, &i16::MIN.to_ne_bytes()), lowest);
        assert_eq!(
            decoded(Encoding::I24In4, &(-8_388_608i32).to_ne_bytes()),
            lowest
        );
        assert_eq!(decoded(Encoding::I24Le3, &[0, 0, 0x80]), lowest);
        assert_eq!(decoded(Encoding::I32, &i32::MIN.to_ne_bytes()), lowest);
        assert_eq!(decoded(Encoding::F32, &(-1.0f32).to_ne_bytes()), lowest);
        assert_eq!(decoded(Encoding::I24Le3, &[0, 0, 0x40]), [0.5]);
    }

    #[test]
    fn an_undefined_top_byte_of_24_bits_does_not_matter() {
        assert_eq!(
            decoded(Encoding::I24In4, &0x5540_0000i32.to_ne_bytes()),
            [0.5]
        );
    }

    #[test]
    fn only_whole_samples_that_fit_are_converted() {
        assert_eq!(decoded(Encoding::I16, &[0; 7]).len(), 3);
        assert_eq!(decoded(Encoding::I16, &[0; 70]).len(), 4);
    }
}
