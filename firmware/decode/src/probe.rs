use crate::sniff::{foreign_codec, known_start, looks_like, peek};
use crate::{DecodeError, Limits};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::{Error, Result};
use symphonia::core::formats::probe::{Hint, Probe, ProbeOptions};
use symphonia::core::formats::well_known::{
    FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3, FORMAT_ID_OGG, FORMAT_ID_WAVE,
};
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
    /// With its article, for messages.
    fn phrase(self) -> &'static str {
        match self {
            Self::Wav => "a WAV file",
            Self::Flac => "a FLAC file",
            Self::Mp3 => "an MPEG audio file",
            Self::Ogg => "an Ogg file",
        }
    }

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
/// Mutations of Ogg files reach an assertion on the size of a codebook and a division by zero in a floor curve. The
/// library's state may then be inconsistent, so the caller must not go on with it.
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
    let start = peek(&mut source).map_err(|reason| DecodeError::Open {
        path: path.into(),
        reason,
    })?;
    if start.is_empty() {
        return Err(DecodeError::Empty { path: path.into() });
    }
    if !known_start(&start) {
        return Err(DecodeError::NotAudio {
            path: path.into(),
            looks_like: looks_like(&start),
        });
    }
    let tags = MetadataOptions::default()
        .limit_tag_bytes(Limit::Maximum(MAX_TAG_BYTES))
        .limit_visual_bytes(Limit::Maximum(MAX_TAG_BYTES));
    let format = guarded(|| PROBE.probe(&Hint::new(), source, FormatOptions::default(), tags))
        .map_err(|error| header_error(path, &start, error))?;
    let kind = match format.format_info().format {
        FORMAT_ID_WAVE => Kind::Wav,
        FORMAT_ID_MP1 | FORMAT_ID_MP2 | FORMAT_ID_MP3 => Kind::Mp3,
        FORMAT_ID_OGG => Kind::Ogg,
        _ => Kind::Flac,
    };
    let unsupported = |what: String| DecodeError::Unsupported {
        path: path.into(),
        what,
    };
    let broken = |what: String| DecodeError::BrokenHeader {
        path: path.into(),
        what,
    };

    let Some(track) = format.default_track(TrackType::Audio) else {
        let what = foreign_codec(kind, &start).unwrap_or("a codec that is not known");
        return Err(unsupported(format!("{what} in {}", kind.phrase())));
    };
    let Some(params) = track
        .codec_params
        .as_ref()
        .and_then(|params| params.audio())
    else {
        return Err(broken("it does not say how the sound is coded".into()));
    };
    let sample_rate = params
        .sample_rate
        .ok_or_else(|| broken("it names no sample rate".into()))?;
    if !SAMPLE_RATES.contains(&sample_rate) {
        let (low, high) = (SAMPLE_RATES.start(), SAMPLE_RATES.end());
        return Err(unsupported(format!(
            "a sample rate of {sample_rate} Hz, outside {low} to {high} Hz"
        )));
    }
    let channels = params
        .channels
        .as_ref()
        .map_or(0, |channels| channels.count());
    if channels == 0 {
        return Err(broken("it names no channels".into()));
    }
    if channels > limits.max_channels {
        let what = format!("the number of channels, {channels},");
        return Err(DecodeError::Limit {
            path: path.into(),
            what,
            limit: limits.max_channels.to_string(),
        });
    }
    let decoder = guarded(|| make_decoder(kind, track, params)).map_err(|error| match error {
        Error::Unsupported(what) => unsupported(foreign_codec(kind, &start).map_or_else(
            || what.into(),
            |codec| format!("{codec} in {}", kind.phrase()),
        )),
        error => broken(error.to_string()),
    })?;
    Ok(Opened {
        track: track.id,
        kind,
        sample_rate,
        channels,
        promised: promised_frames(kind, track),
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

fn header_error(path: &Path, start: &[u8], error: Error) -> DecodeError {
    let path = path.into();
    match error {
        Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Read {
                path,
                seconds: 0.0,
                reason: error,
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
        Error::IoError(_) => DecodeError::BrokenHeader {
            path,
            what: "the file ends within it".into(),
        },
        error => DecodeError::BrokenHeader {
            path,
            what: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_library_becomes_a_decoding_error() {
        let outcome: Result<()> = guarded(|| panic!("an assertion on hostile input"));
        assert!(matches!(
            outcome,
            Err(Error::DecodeError("the decoder gave up"))
        ));
        assert!(matches!(guarded(|| Ok(7)), Ok(7)));
    }
}
