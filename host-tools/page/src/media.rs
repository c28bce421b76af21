//! Pictures and sound as data URIs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::PageError;

/// Colours of values from 0 (nothing) to 255 (most), even to the eye and legible on light and dark: matplotlib's `magma`,
/// every 32nd colour, mixed linearly between.
const MAGMA: [[u8; 3]; 9] = [
    [0, 0, 4],
    [28, 16, 68],
    [79, 18, 123],
    [129, 37, 129],
    [181, 54, 122],
    [229, 80, 100],
    [251, 135, 97],
    [254, 194, 135],
    [252, 253, 191],
];

/// The colour of a share from 0 to 1.
#[must_use]
pub fn magma(share: f32) -> [u8; 3] {
    let at = share.clamp(0.0, 1.0) * (MAGMA.len() - 1) as f32;
    let low = (at as usize).min(MAGMA.len() - 2);
    let part = at - low as f32;
    let mix = |c: usize| {
        let (a, b) = (f32::from(MAGMA[low][c]), f32::from(MAGMA[low + 1][c]));
        (a + part * (b - a)).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}

/// A PNG of `rows` of shares from 0 to 1, the first row on top, in the colours of [`magma`] (64 of them, which keeps it small).
///
/// # Errors
/// [`PageError::Picture`] if it is empty, its rows differ in length, or the encoder refuses.
pub fn heat_png(rows: &[Vec<f32>]) -> Result<String, PageError> {
    const COLOURS: usize = 64;
    let (width, height) = (rows.first().map_or(0, Vec::len), rows.len());
    let refuse = |reason: String| PageError::Picture {
        width,
        height,
        reason,
    };
    if width == 0 || rows.iter().any(|row| row.len() != width) {
        return Err(refuse("has no pixels, or uneven rows".into()));
    }
    let size = |n: usize| u32::try_from(n).map_err(|_| refuse("is too large".into()));
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size(width)?, size(height)?);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_palette(
        (0..COLOURS)
            .flat_map(|i| magma(i as f32 / (COLOURS - 1) as f32))
            .collect::<Vec<u8>>(),
    );
    let pixels: Vec<u8> = rows
        .iter()
        .flatten()
        .map(|share| (share.clamp(0.0, 1.0) * (COLOURS - 1) as f32).round() as u8)
        .collect();
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels))
        .map_err(|error| refuse(error.to_string()))?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(&bytes)))
}

/// A mono WAV file of 8-bit µ-law (ITU-T G.711), which every browser plays: a byte a sample, 38 dB of ratio to its noise.
///
/// `samples` are at `rate` Hz, full scale ±1; what is not finite counts as 0.
#[must_use]
pub fn wav_uri(samples: &[f32], rate: u32) -> String {
    let data = u32::try_from(samples.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(samples.len() + 60);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&data.saturating_add(50 + data % 2).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&18u32.to_le_bytes());
    bytes.extend_from_slice(&7u16.to_le_bytes());
    bytes.extend_from_slice(&1u16.to_le_bytes());
    bytes.extend_from_slice(&rate.to_le_bytes());
    bytes.extend_from_slice(&rate.to_le_bytes());
    bytes.extend_from_slice(&1u16.to_le_bytes());
    bytes.extend_from_slice(&8u16.to_le_bytes());
    bytes.extend_from_slice(&0u16.to_le_bytes());
    bytes.extend_from_slice(b"fact");
    bytes.extend_from_slice(&4u32.to_le_bytes());
    bytes.extend_from_slice(&data.to_le_bytes());
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&data.to_le_bytes());
    bytes.extend(samples.iter().map(|&sample| mu_law(sample)));
    if samples.len() % 2 == 1 {
        bytes.push(0);
    }
    format!("data:audio/wav;base64,{}", STANDARD.encode(&bytes))
}

/// G.711 µ-law of a sample.
fn mu_law(sample: f32) -> u8 {
    const BIAS: i32 = 0x84;
    const CLIP: i32 = 32_635;
    let sample = if sample.is_finite() { sample } else { 0.0 };
    let linear = (sample * 32_767.0) as i32;
    let sign = if linear < 0 { 0x80u8 } else { 0 };
    let magnitude = linear.saturating_abs().min(CLIP) + BIAS;
    let exponent = (magnitude.ilog2() as u8).saturating_sub(7);
    let mantissa = ((magnitude >> (exponent + 3)) & 0x0f) as u8;
    !(sign | (exponent << 4) | mantissa)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mu_law_gives_the_codes_of_the_standard() {
        // G.711, table 2a: silence, the largest values, and one in between.
        assert_eq!(mu_law(0.0), 0xff);
        assert_eq!(mu_law(1.0), 0x80);
        assert_eq!(mu_law(-1.0), 0x00);
        for no_number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(mu_law(no_number), 0xff);
        }
        assert_eq!(mu_law(1000.0 / 32_767.0), 0xce);
    }

    #[test]
    fn a_wav_has_an_even_length_and_says_its_size() {
        for count in [0usize, 1, 2, 3] {
            let uri = wav_uri(&vec![0.1; count], 16_000);
            let bytes = STANDARD
                .decode(uri.strip_prefix("data:audio/wav;base64,").unwrap())
                .unwrap();
            let told = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
            assert_eq!((told + 8, bytes.len() % 2), (bytes.len(), 0), "{count}");
        }
    }

    #[test]
    fn a_picture_without_pixels_or_with_uneven_rows_is_refused() {
        assert!(heat_png(&[]).is_err());
        assert!(heat_png(&[vec![0.0; 3], vec![0.0; 2]]).is_err());
        let uri = heat_png(&vec![vec![0.0, 0.5, 1.0, f32::NAN]; 2]).unwrap();
        assert!(uri.starts_with("data:image/png;base64,iVBOR"));
    }

    #[test]
    fn colours_begin_dark_and_end_light() {
        assert_eq!(magma(-1.0), MAGMA[0]);
        assert_eq!(magma(2.0), MAGMA[8]);
        assert_eq!(magma(0.5), MAGMA[4]);
    }
}
