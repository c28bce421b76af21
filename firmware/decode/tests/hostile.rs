//! Broken, cut and hostile files give an error that says what is wrong; never a panic, never much memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use undertone_decode::{DecodeError, Limits, Reader, read_bytes, read_file};

const FIXTURES: [&str; 9] = [
    "tone.flac",
    "stereo24.flac",
    "tone.mp3",
    "stereo.mp3",
    "tone.ogg",
    "alaw.wav",
    "ms-adpcm.wav",
    "ima-adpcm.wav",
    "opus.ogg",
];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

/// A PCM WAV of mono 16 bits whose header says what it is told to.
fn wav(rate: u32, channels: u16, bits: u16, data_size: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(data_size.saturating_add(36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    let frame = channels.wrapping_mul(bits / 8);
    bytes.extend(rate.wrapping_mul(u32::from(frame)).to_le_bytes());
    bytes.extend(frame.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_size.to_le_bytes());
    bytes.extend(data);
    bytes
}

fn error(bytes: Vec<u8>) -> DecodeError {
    read_bytes("some.wav", bytes, &Limits::default()).unwrap_err()
}

#[test]
fn a_file_that_is_missing_a_folder_or_empty_says_so_and_names_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.wav");
    let empty = folder.path().join("empty.wav");
    std::fs::write(&empty, b"").unwrap();
    for (path, what) in [
        (missing.as_path(), "cannot be opened"),
        (folder.path(), "cannot be opened"),
        (&empty, "is empty (0 bytes)"),
    ] {
        let message = read_file(path, &Limits::default()).unwrap_err().to_string();
        assert!(
            message.contains(what) && message.contains(&path.display().to_string()),
            "{message}"
        );
    }
}

#[test]
fn what_is_not_audio_is_refused_with_what_it_looks_like() {
    let mut binary: Vec<u8> = (0..100_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    binary[0] = 0x7f;
    for (bytes, hint) in [
        (
            b"Dear diary, this is no sound at all.\n".to_vec(),
            "it looks like text",
        ),
        (b"\0\0\0\x20ftypM4A \0\0\0\0".to_vec(), "MP4 or M4A"),
        (b"FORM\0\0\0\x20AIFFCOMM".to_vec(), "AIFF"),
        (binary, "is not WAV, FLAC, MP3 or Ogg Vorbis"),
        (vec![0; 100_000], "is not WAV, FLAC, MP3 or Ogg Vorbis"),
    ] {
        let error = error(bytes);
        assert!(matches!(error, DecodeError::NotAudio { .. }), "{error}");
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn a_header_that_makes_no_sense_is_refused() {
    for (bytes, what) in [
        (wav(0, 1, 16, 4, &[0; 4]), "0 Hz"),
        (wav(7, 1, 16, 4, &[0; 4]), "7 Hz"),
        (wav(u32::MAX, 1, 16, 4, &[0; 4]), "4294967295 Hz"),
        (wav(16_000, 0, 16, 4, &[0; 4]), "channel"),
        (wav(16_000, u16::MAX, 16, 4, &[0; 4]), "channel"),
        (
            wav(16_000, 24, 16, 48, &[0; 48]),
            "24, is more than the limit of 16",
        ),
        (wav(16_000, 1, 7, 4, &[0; 4]), "bits"),
        (wav(16_000, 1, 0, 4, &[0; 4]), "bits"),
        (
            wav(16_000, 1, 16, 4, &[0; 4])[..20].to_vec(),
            "ends within it",
        ),
    ] {
        let message = error(bytes).to_string();
        assert!(
            message.starts_with("some.wav: ") && message.contains(what),
            "{message}"
        );
    }
}

#[test]
fn a_file_without_a_sample_is_an_error_of_its_own() {
    assert!(matches!(
        error(wav(16_000, 1, 16, 0, &[])),
        DecodeError::NoSamples { .. }
    ));
}

#[test]
fn a_cut_file_names_what_is_there_and_what_was_promised() {
    let cut = wav(16_000, 1, 16, 32_000, &[1; 8_000]);
    match error(cut.clone()) {
        DecodeError::Truncated {
            seconds,
            promised_seconds,
            ..
        } => assert_eq!((seconds, promised_seconds), (0.25, 1.0)),
        other => panic!("{other}"),
    }
    let accepting = Limits {
        accept_truncated: true,
        ..Limits::default()
    };
    assert_eq!(
        read_bytes("cut.wav", cut, &accepting).unwrap().frames(),
        4_000
    );
}

#[test]
fn a_reader_hands_out_what_is_there_before_it_reports_the_cut() {
    for (name, end) in [
        ("tone.flac", 2_000),
        ("tone.mp3", 1_000),
        ("alaw.wav", 5_000),
    ] {
        let mut reader =
            Reader::from_bytes(name, fixture(name)[..end].to_vec(), &Limits::default()).unwrap();
        let mut frames = 0;
        let error = loop {
            match reader.next_block() {
                Ok(Some(block)) => frames += block.len(),
                Ok(None) => panic!("{name}: no error"),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(
                error,
                DecodeError::Truncated { .. } | DecodeError::Corrupt { .. }
            ),
            "{error}"
        );
        assert!(error.to_string().contains(" s "), "{error}");
        assert!(frames > 0, "{name}: nothing before {error}");
        assert!(
            reader.next_block().unwrap().is_none(),
            "{name}: an error ends the stream"
        );
    }
}

#[test]
fn a_wav_that_a_pipe_wrote_without_knowing_its_length_is_whole() {
    for size in [u32::MAX, u32::MAX - 36, 0x7fff_ffff, 0x7fff_f000] {
        let audio = read_bytes(
            "pipe.wav",
            wav(16_000, 1, 16, size, &[1; 8_000]),
            &Limits::default(),
        )
        .unwrap();
        assert_eq!(audio.frames(), 4_000, "{size:#x}");
    }
}

#[test]
fn a_damaged_packet_is_an_error_with_its_position() {
    let mut bytes = fixture("tone.flac");
    let at = bytes.len() - 300;
    bytes[at..at + 40].fill(0x55);
    match error(bytes) {
        DecodeError::Corrupt { seconds, .. } | DecodeError::Truncated { seconds, .. } => {
            assert!((0.0..0.38).contains(&seconds))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn limits_of_length_and_memory_hold() {
    let second = || wav(16_000, 1, 16, 32_000, &[1; 32_000]);
    for limits in [
        Limits {
            max_seconds: 0.5,
            ..Limits::default()
        },
        Limits {
            max_bytes: 40_000,
            ..Limits::default()
        },
    ] {
        assert!(matches!(
            read_bytes("long.wav", second(), &limits),
            Err(DecodeError::Limit { .. })
        ));
    }
    let exact = Limits {
        max_seconds: 1.0,
        max_bytes: 64_000,
        ..Limits::default()
    };
    assert_eq!(
        read_bytes("exact.wav", second(), &exact).unwrap().frames(),
        16_000
    );
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// Flips, overwrites, cuts, repeats and swaps bytes, mostly near the start, where the headers are.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(6) {
        let span = if random.below(2) == 0 {
            bytes.len().min(120)
        } else {
            bytes.len()
        };
        let at = random.below(span);
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => {
                let value =
                    [0u32, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX][random.below(5)].to_le_bytes();
                bytes
                    .iter_mut()
                    .skip(at)
                    .zip(value)
                    .for_each(|(byte, value)| *byte = value);
            }
            3 => bytes.truncate(at.max(1)),
            4 => {
                let piece: Vec<u8> = bytes[at..]
                    .iter()
                    .take(1 + random.below(64))
                    .copied()
                    .collect();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
        }
    }
}

/// Makes the checksums of all Ogg pages right again, so that a mutation is seen by what lies behind them.
fn mend_ogg(bytes: &mut [u8]) {
    let mut at = 0;
    while bytes[at..].starts_with(b"OggS") && bytes.len() >= at + 27 {
        let segments = usize::from(bytes[at + 26]);
        let body: usize = bytes
            .iter()
            .skip(at + 27)
            .take(segments)
            .map(|&length| usize::from(length))
            .sum();
        let end = (at + 27 + segments + body).min(bytes.len());
        bytes[at + 22..at + 26].fill(0);
        let crc = bytes[at..end].iter().fold(0u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
                if crc >> 31 == 1 {
                    crc << 1 ^ 0x04c1_1db7
                } else {
                    crc << 1
                }
            })
        });
        bytes[at + 22..at + 26].copy_from_slice(&crc.to_le_bytes());
        at = end;
    }
}

#[test]
fn no_mutation_of_any_format_lets_a_panic_out_or_takes_long() {
    let limits = Limits {
        max_seconds: 60.0,
        max_bytes: 1 << 24,
        ..Limits::default()
    };
    let rounds: usize = std::env::var("UNDERTONE_MUTATIONS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(300);
    for (seed, name) in FIXTURES.iter().enumerate() {
        let original = fixture(name);
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1));
        let (mut fine, mut refused) = (0, 0);
        for _ in 0..rounds {
            let mut bytes = original.clone();
            mutate(&mut bytes, &mut random);
            if name.ends_with(".ogg") && random.below(8) > 0 {
                mend_ogg(&mut bytes);
            }
            match read_bytes(name, bytes, &limits) {
                Ok(audio) => {
                    assert_eq!(audio.samples.len() % audio.channels, 0);
                    fine += 1;
                }
                Err(error) => {
                    assert!(error.to_string().starts_with(name), "{error}");
                    refused += 1;
                }
            }
        }
        println!("{name}: {fine} decoded, {refused} refused");
    }
}
