use std::io;
use std::path::PathBuf;

/// Why a file gave no sound, or stopped giving it. Every message names the file, what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file cannot be opened.
    #[error("{}: cannot be opened: {reason}; check the path and who may read it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file has no bytes.
    #[error("{}: is empty (0 bytes); record or copy it again", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The content is of no kind that is read here.
    #[error(
        "{}: is not WAV, FLAC, MP3 or Ogg Vorbis, judging by its content{}; convert it to one of these, for instance with \
         `ffmpeg -i FILE out.wav`",
        path.display(),
        looks_like.map(|kind| format!(" (it looks like {kind})")).unwrap_or_default()
    )]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What it seems to be instead.
        looks_like: Option<&'static str>,
    },
    /// The container is known, but not what is inside.
    #[error("{}: uses what is not supported: {what}; convert it to 16-bit PCM WAV or FLAC", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The codec or feature.
        what: String,
    },
    /// The header contradicts itself or is cut off.
    #[error("{}: has a broken header: {what}; export or copy it again from the original", path.display())]
    BrokenHeader {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        what: String,
    },
    /// The file is well formed and holds not a single sample.
    #[error("{}: holds no sound (0 samples); record or export it again", path.display())]
    NoSamples {
        /// The file.
        path: PathBuf,
    },
    /// A packet inside cannot be decoded.
    #[error("{}: is damaged {seconds:.3} s into the sound: {what}; copy it again or cut it before that point", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where, counted in decoded sound.
        seconds: f64,
        /// What the decoder found.
        what: String,
    },
    /// The file ends before its header said it would, or parts of it were passed over because they are damaged.
    #[error("{}: is cut off or damaged: {seconds:.3} s of {promised_seconds:.3} s can be read; copy it again from the original", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How much could be decoded.
        seconds: f64,
        /// How much the header promises.
        promised_seconds: f64,
    },
    /// The file exceeds one of the [`Limits`](crate::Limits).
    #[error("{}: {what} is more than the limit of {limit}; split the file, or raise the limit", path.display())]
    Limit {
        /// The file.
        path: PathBuf,
        /// What there is too much of, with its value.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// Reading failed half-way: a medium that is gone, a broken pipe.
    #[error("{}: reading failed {seconds:.3} s into the sound: {reason}; check the medium it is on", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Where, counted in decoded sound.
        seconds: f64,
        /// What the system said.
        reason: io::Error,
    },
}
