//! Every format that is read gives the sound that was put in, to the sample.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use undertone_decode::{Audio, DecodeError, Limits, Reader, read_bytes, read_file};

const RATE: u32 = 16_000;
const SAMPLES: usize = 6_001;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The formula of `fixtures/make_fixtures.py`.
fn tones() -> Vec<f32> {
    let sine = |n: usize, hz: f64| (TAU * hz * n as f64 / f64::from(RATE)).sin();
    (0..SAMPLES)
        .map(|n| (0.4 * sine(n, 440.0) + 0.1 * sine(n, 1_000.0)) as f32)
        .collect()
}

fn read(name: &str) -> Audio {
    read_file(&fixture(name), &Limits::default()).unwrap()
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

/// A shift by one sample is an error of 0.1, so that these bounds also prove the alignment.
fn expect(name: &str, channels: usize, from: usize, bound: f32) {
    let audio = read(name);
    assert_eq!(
        (audio.sample_rate, audio.channels, audio.frames()),
        (RATE, channels, SAMPLES),
        "{name}"
    );
    let tones = tones();
    let error = worst(
        &audio.channel(0).unwrap()[from..SAMPLES - from],
        &tones[from..],
    );
    assert!(error <= bound, "{name}: {error}");
    if channels == 2 {
        let half: Vec<f32> = tones.iter().map(|x| -0.5 * x).collect();
        let error = worst(
            &audio.channel(1).unwrap()[from..SAMPLES - from],
            &half[from..],
        );
        assert!(error <= bound, "{name}, right: {error}");
    }
}

#[test]
fn flac_is_lossless_in_16_and_24_bits() {
    expect("tone.flac", 1, 0, 1.0 / 65_000.0);
    expect("stereo24.flac", 2, 0, 1.0 / 8_000_000.0);
}

#[test]
fn mp3_and_vorbis_are_gapless_and_aligned() {
    expect("tone.mp3", 1, 500, 0.03);
    expect("stereo.mp3", 2, 500, 0.03);
    expect("tone.ogg", 1, 500, 0.03);
}

#[test]
fn telephone_wavs_of_a_law_and_mu_law_are_read() {
    expect("alaw.wav", 1, 0, 0.02);
    expect("ulaw.wav", 1, 0, 0.02);
}

#[test]
fn adpcm_wavs_are_read_and_end_with_at_most_a_block_of_padding() {
    for name in ["ms-adpcm.wav", "ima-adpcm.wav"] {
        let audio = read(name);
        assert!(
            (SAMPLES..SAMPLES + 1_017).contains(&audio.frames()),
            "{name}: {}",
            audio.frames()
        );
        let error = worst(&audio.samples[100..SAMPLES], &tones()[100..]);
        assert!(error < 0.02, "{name}: {error}");
    }
}

#[test]
fn an_mp3_without_a_lame_tag_keeps_every_frame_of_its_sound() {
    let bytes = std::fs::read(fixture("tone.mp3")).unwrap();
    // The tag is a frame of its own, the first.
    let next = 2 + bytes[2..]
        .windows(2)
        .position(|pair| pair == &bytes[..2])
        .unwrap();
    assert!(
        bytes[..next]
            .windows(4)
            .any(|word| word == b"Xing" || word == b"Info")
    );
    let audio = read_bytes("untagged.mp3", bytes[next..].to_vec(), &Limits::default()).unwrap();
    assert!(
        audio.frames() >= SAMPLES + 529 && audio.frames() % 576 == 0,
        "{}",
        audio.frames()
    );
}

fn wav(
    spec: hound::WavSpec,
    write: impl Fn(&mut hound::WavWriter<std::io::Cursor<&mut Vec<u8>>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = hound::WavWriter::new(std::io::Cursor::new(&mut bytes), spec).unwrap();
    write(&mut writer);
    writer.finalize().unwrap();
    bytes
}

#[test]
fn wavs_of_every_width_and_up_to_16_channels_are_exact() {
    for bits in [8u16, 16, 24, 32] {
        for channels in [1u16, 2, 6, 16] {
            let spec = hound::WavSpec {
                channels,
                sample_rate: 44_100,
                bits_per_sample: bits,
                sample_format: hound::SampleFormat::Int,
            };
            let full = 1i64 << (bits - 1);
            let values: Vec<i32> = (0..i64::from(channels) * 50)
                .map(|n| ((n * 7_919 * full / 1_000) % full) as i32)
                .collect();
            let bytes = wav(spec, |writer| {
                values
                    .iter()
                    .for_each(|&value| writer.write_sample(value).unwrap())
            });
            let audio = read_bytes("int.wav", bytes, &Limits::default()).unwrap();
            assert_eq!(
                (audio.channels, audio.frames()),
                (usize::from(channels), 50)
            );
            for (sample, value) in audio.samples.iter().zip(values) {
                assert_eq!(
                    *sample,
                    (f64::from(value) / full as f64) as f32,
                    "{bits} bits, {channels} channels"
                );
            }
        }
    }
}

#[test]
fn float_wavs_pass_every_bit() {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let values = [0.0f32, -0.1, 1.0, 1.5, f32::MIN_POSITIVE];
    let bytes = wav(spec, |writer| {
        values
            .iter()
            .for_each(|&value| writer.write_sample(value).unwrap())
    });
    assert_eq!(
        read_bytes("float.wav", bytes, &Limits::default())
            .unwrap()
            .samples,
        values
    );
}

#[test]
fn the_name_of_a_file_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("actually-flac.wav");
    std::fs::copy(fixture("tone.flac"), &path).unwrap();
    assert_eq!(
        read_file(&path, &Limits::default()).unwrap(),
        read("tone.flac")
    );
    assert_eq!(
        Reader::open(&path, &Limits::default()).unwrap().format(),
        "flac"
    );
}

#[test]
fn a_reader_gives_the_same_sound_in_small_blocks_from_files_bytes_and_streams() {
    for name in [
        "tone.flac",
        "stereo24.flac",
        "stereo.mp3",
        "tone.ogg",
        "alaw.wav",
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let limits = Limits::default();
        let readers = [
            Reader::open(&fixture(name), &limits).unwrap(),
            Reader::from_bytes(name, bytes.clone(), &limits).unwrap(),
            Reader::from_stream(name, std::io::Cursor::new(bytes), &limits).unwrap(),
        ];
        for mut reader in readers {
            let mut samples = Vec::new();
            while let Some(block) = reader.next_block().unwrap() {
                assert!(
                    !block.is_empty()
                        && block.len() % reader_channels(name) == 0
                        && block.len() <= 2 * 8_192
                );
                samples.extend_from_slice(block);
            }
            assert_eq!(reader.next_block().unwrap(), None);
            assert!(
                (reader.seconds() - SAMPLES as f64 / f64::from(RATE)).abs() < 1e-9,
                "{name}"
            );
            assert!(samples == read(name).samples, "{name}");
        }
    }
}

fn reader_channels(name: &str) -> usize {
    if name.starts_with("stereo") { 2 } else { 1 }
}

#[test]
fn opus_is_refused_by_its_name() {
    let error = read_file(&fixture("opus.ogg"), &Limits::default()).unwrap_err();
    assert!(matches!(error, DecodeError::Unsupported { .. }));
    assert!(
        error
            .to_string()
            .contains("opus.ogg: uses what is not supported: Opus in an Ogg file"),
        "{error}"
    );
}
