use crate::{DecodeError, Limits};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::{Error, Result};
use symphonia::core::formats::probe::{Hint, Probe, ProbeOptions};
use symphonia::core::formats::well_known::{FORMAT_ID_MP3, FORMAT_ID_OGG, FORMAT_ID_WAVE};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

/// Bytes searched for the start of a file that begins with something else, such as padding before an MP3.
const PROBE_DEPTH: u32 = 64 * 1024;
/// Tags and pictures are read past, so nothing of them needs to be kept.
const MAX_TAG_BYTES: usize = 64 * 1024;
/// Sample rates that are taken, in Hz.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::new_with_options(&ProbeOptions {
        max_probe_depth: PROBE_DEPTH,
        ..ProbeOptions::default()
    });
    symphonia::default::register_enabled_formats(&mut probe);
    probe
});

/// An opened file: what a [`Reader`](crate::Reader) needs to begin.
pub(crate) struct Opened {
    pub(crate) format: Box<dyn FormatReader>,
    pub(crate) decoder: Box<dyn AudioDecoder>,
    pub(crate) track: u32,
    pub(crate) kind: Kind,
    pub(crate) sample_rate: u32,
    pub(crate) channels: usize,
    /// Frames that the header promises, where it can be relied on.
    pub(crate) promised: Option<u64>,
}

/// The containers, as far as they differ here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Wav,
    Flac,
    Mp3,
    Ogg,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
            Self::Ogg => "ogg",
        }
    }
}

/// Runs a step of the decoding library; should it panic on a hostile file, that is a malformed stream like any other.
///
/// Its state may then be inconsistent, so the caller must not go on with it.
pub(crate) fn guarded<T>(step: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or(Err(Error::DecodeError("the decoder gave up")))
}

/// Finds out what the source is and makes its decoder.
pub(crate) fn open(
    path: &Path,
    source: Box<dyn MediaSource>,
    limits: &Limits,
) -> std::result::Result<Opened, DecodeError> {
    let mut source = MediaSourceStream::new(source, Default::default());
    let start = peek(&mut source).map_err(|source| DecodeError::Open {
        path: path.into(),
        source,
    })?;
    if start.is_empty() {
        return Err(DecodeError::Empty { path: path.into() });
    }
    let tags = MetadataOptions::default()
        .limit_tag_bytes(Limit::Maximum(MAX_TAG_BYTES))
        .limit_visual_bytes(Limit::Maximum(MAX_TAG_BYTES));
    let format = guarded(|| PROBE.probe(&Hint::new(), source, FormatOptions::default(), tags))
        .map_err(|error| header_error(path, &start, error))?;
    let kind = match format.format_info().format {
        FORMAT_ID_WAVE => Kind::Wav,
        FORMAT_ID_MP3 => Kind::Mp3,
        FORMAT_ID_OGG => Kind::Ogg,
        _ => Kind::Flac,
    };

    let unsupported = |what: String| DecodeError::Unsupported {
        path: path.into(),
        what,
    };
    let broken = |what: &str| DecodeError::BrokenHeader {
        path: path.into(),
        what: what.into(),
    };
    let Some(track) = format.default_track(TrackType::Audio) else {
        return Err(unsupported(format!(
            "no audio track that can be decoded in this {} file",
            kind.name()
        )));
    };
    let params = track
        .codec_params
        .as_ref()
        .and_then(|params| params.audio())
        .ok_or_else(|| broken("no codec parameters"))?;
    let sample_rate = params.sample_rate.ok_or_else(|| broken("no sample rate"))?;
    if !SAMPLE_RATES.contains(&sample_rate) {
        let (low, high) = (SAMPLE_RATES.start(), SAMPLE_RATES.end());
        return Err(unsupported(format!(
            "a sample rate of {sample_rate} Hz, it must be {low} to {high}"
        )));
    }
    let channels = params
        .channels
        .as_ref()
        .map(|channels| channels.count())
        .ok_or_else(|| broken("no channel count"))?;
    if channels == 0 {
        return Err(broken("no channels"));
    }
    if channels > limits.max_channels {
        return Err(DecodeError::Limit {
            path: path.into(),
            what: format!("the number of channels, {channels},"),
            limit: limits.max_channels.to_string(),
        });
    }
    let promised = promised_frames(kind, track);
    let decoder = guarded(|| make_decoder(kind, track, params)).map_err(|error| match error {
        Error::Unsupported(what) => unsupported(what.into()),
        error => DecodeError::BrokenHeader {
            path: path.into(),
            what: error.to_string(),
        },
    })?;
    Ok(Opened {
        track: track.id,
        kind,
        sample_rate,
        channels,
        promised,
        decoder,
        format,
    })
}

/// The frame count of an MP3 without a LAME tag is an estimate, and must neither be trusted nor be used to cut the end.
fn make_decoder(
    kind: Kind,
    track: &Track,
    params: &AudioCodecParameters,
) -> Result<Box<dyn AudioDecoder>> {
    let gapless = kind != Kind::Mp3 || track.delay.is_some();
    symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default().gapless(gapless))
}

fn promised_frames(kind: Kind, track: &Track) -> Option<u64> {
    let known = match kind {
        Kind::Wav | Kind::Flac => true,
        Kind::Mp3 => track.delay.is_some(),
        // Taken from the last page that is there, so that a cut file looks complete.
        Kind::Ogg => false,
    };
    track.num_frames.filter(|&frames| known && frames > 0)
}

/// The first bytes of the source, which stays where it was.
fn peek(source: &mut MediaSourceStream<'_>) -> std::io::Result<Vec<u8>> {
    use symphonia::core::io::{ReadBytes, SeekBuffered};
    let mut start = [0; 64];
    let mut length = 0;
    while length < start.len() {
        match source.read_buf(&mut start[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    source.seek_buffered_rev(length);
    Ok(start[..length].to_vec())
}

fn header_error(path: &Path, start: &[u8], error: Error) -> DecodeError {
    let path = path.into();
    match error {
        Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Read {
                path,
                seconds: 0.0,
                source: error,
            }
        }
        Error::Unsupported(what) if what.contains("no suitable format reader") => {
            DecodeError::NotAudio {
                path,
                looks_like: looks_like(start),
            }
        }
        Error::Unsupported(what) => DecodeError::Unsupported {
            path,
            what: what.into(),
        },
        Error::IoError(_) => match known_start(start) {
            true => DecodeError::BrokenHeader {
                path,
                what: "the file ends within it".into(),
            },
            false => DecodeError::NotAudio {
                path,
                looks_like: looks_like(start),
            },
        },
        error => DecodeError::BrokenHeader {
            path,
            what: error.to_string(),
        },
    }
}

fn known_start(start: &[u8]) -> bool {
    [&b"RIFF"[..], b"fLaC", b"OggS", b"ID3"]
        .iter()
        .any(|magic| start.starts_with(magic))
}

/// Names common files that are not read, so that the message can say what was given.
fn looks_like(start: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| {
        start
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(magic))
    };
    let kinds: [(bool, &'static str); 10] = [
        (at(4, b"ftyp"), "MP4 or M4A"),
        (at(0, b"\x1a\x45\xdf\xa3"), "Matroska or WebM"),
        (at(0, b"FORM"), "AIFF"),
        (at(0, b"caff"), "CAF"),
        (at(0, b"#!AMR"), "AMR"),
        (at(0, b"wvpk"), "WavPack"),
        (at(0, b"MThd"), "MIDI"),
        (
            at(0, b"RF64") || at(0, b"RIFX"),
            "a rare kind of WAV, RF64 or RIFX",
        ),
        (at(0, b"PK\x03\x04"), "a ZIP archive"),
        (
            start
                .iter()
                .all(|&byte| byte >= 0x20 || b"\t\r\n".contains(&byte))
                && std::str::from_utf8(start).is_ok(),
            "text",
        ),
    ];
    kinds
        .iter()
        .find(|(matches, _)| *matches)
        .map(|(_, kind)| *kind)
}
