use crate::probe::{self, Kind, Opened, guarded};
use crate::{DecodeError, Limits};
use std::fs::File;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use symphonia::core::errors::Error;
use symphonia::core::io::{MediaSource, ReadOnlySource};

/// A WAV written to a pipe cannot know its length and claims about 2 or 4 GiB; from this many bytes on a promise is none.
const OPEN_ENDED_BYTES: f64 = 2_147_000_000.0;

/// Decodes a file block by block, in constant memory.
pub struct Reader {
    path: PathBuf,
    opened: Opened,
    limits: Limits,
    block: Vec<f32>,
    /// Frames handed out so far.
    frames: u64,
    bytes: u64,
    ended: bool,
}

impl Reader {
    /// Opens a file, or a named pipe, and reads its header.
    ///
    /// # Errors
    /// Those of [`DecodeError`] that concern the start of a file.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, DecodeError> {
        let cannot = |reason| DecodeError::Open {
            path: path.into(),
            reason,
        };
        let file = File::open(path).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.is_dir() {
            return Err(cannot(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        Self::new(path.into(), Box::new(file), limits)
    }

    /// Reads a file that is already in memory; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(
        name: &str,
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        Self::new(name.into(), Box::new(Cursor::new(bytes)), limits)
    }

    /// Reads a stream that cannot be wound back, such as standard input; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_stream(
        name: &str,
        stream: impl io::Read + Send + Sync + 'static,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        Self::new(name.into(), Box::new(ReadOnlySource::new(stream)), limits)
    }

    fn new(
        path: PathBuf,
        source: Box<dyn MediaSource>,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let opened = probe::open(&path, source, limits)?;
        Ok(Self {
            path,
            opened,
            limits: limits.clone(),
            block: Vec::new(),
            frames: 0,
            bytes: 0,
            ended: false,
        })
    }

    /// The file, or the name given for it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `wav`, `flac`, `mp3` or `ogg`, by content.
    #[must_use]
    pub fn format(&self) -> &'static str {
        self.opened.kind.name()
    }

    /// Frames per second, 1000 to 768,000.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.opened.sample_rate
    }

    /// Samples per frame, at least 1 and at most the limit.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.opened.channels
    }

    /// Frames that the header promises; `None` where it does not say, or only guesses.
    #[must_use]
    pub fn promised_frames(&self) -> Option<u64> {
        self.opened.promised
    }

    /// Seconds handed out so far.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.sample_rate())
    }

    /// The next interleaved samples, whole frames and at least one; `None` at the end, and ever after it or after an error.
    ///
    /// # Errors
    /// [`DecodeError::Corrupt`], [`Truncated`](DecodeError::Truncated), [`Limit`](DecodeError::Limit),
    /// [`Unsupported`](DecodeError::Unsupported) (rate or channels change inside) and [`Read`](DecodeError::Read).
    pub fn next_block(&mut self) -> Result<Option<&[f32]>, DecodeError> {
        while !self.ended {
            let step = self.step();
            self.ended = !matches!(step, Ok(Step::Go));
            step?;
            if !self.block.is_empty() {
                return Ok(Some(&self.block));
            }
        }
        Ok(None)
    }

    /// Decodes one packet into `block`, which may stay empty.
    fn step(&mut self) -> Result<Step, DecodeError> {
        self.block.clear();
        if self
            .opened
            .promised
            .is_some_and(|promised| self.frames >= promised)
        {
            return Ok(Step::End);
        }
        let Opened {
            format,
            decoder,
            track,
            ..
        } = &mut self.opened;
        let packet = match guarded(|| format.next_packet()) {
            Ok(Some(packet)) if packet.track_id == *track => packet,
            Ok(Some(_)) => return Ok(Step::Go),
            Ok(None) => return self.end(),
            Err(error) => return self.fail(error),
        };
        self.bytes += packet.data.len() as u64;
        let decoded = guarded(|| {
            let decoded = decoder.decode(&packet)?;
            decoded.copy_to_vec_interleaved(&mut self.block);
            Ok((
                decoded.frames(),
                decoded.spec().rate(),
                decoded.spec().channels().count(),
            ))
        });
        let (mut frames, sample_rate, channels) = match decoded {
            Ok(decoded) => decoded,
            Err(error) => return self.fail(error),
        };
        if frames > 0 {
            self.check_unchanged(sample_rate, channels)?;
        }
        if let Some(promised) = self.opened.promised {
            frames = frames.min(usize::try_from(promised - self.frames).unwrap_or(usize::MAX));
        }
        let after = (self.frames + frames as u64) as f64 / f64::from(self.opened.sample_rate);
        if after > self.limits.max_seconds {
            return Err(DecodeError::Limit {
                path: self.path.clone(),
                what: "the length of the sound".into(),
                limit: format!("{} s", self.limits.max_seconds),
            });
        }
        self.block.truncate(frames * self.opened.channels);
        self.frames += frames as u64;
        Ok(Step::Go)
    }

    /// The file has ended: as promised, or too early.
    fn end(&self) -> Result<Step, DecodeError> {
        match self.opened.promised {
            Some(promised)
                if self.frames < promised
                    && !self.limits.accept_truncated
                    && !self.is_open_ended(promised) =>
            {
                Err(DecodeError::Truncated {
                    path: self.path.clone(),
                    seconds: self.seconds(),
                    promised_seconds: promised as f64 / f64::from(self.sample_rate()),
                })
            }
            _ => Ok(Step::End),
        }
    }

    fn is_open_ended(&self, promised: u64) -> bool {
        let bytes_per_frame = self.bytes as f64 / self.frames.max(1) as f64;
        self.opened.kind == Kind::Wav && promised as f64 * bytes_per_frame >= OPEN_ENDED_BYTES
    }

    fn check_unchanged(&self, sample_rate: u32, channels: usize) -> Result<(), DecodeError> {
        let (rate_before, channels_before) = (self.opened.sample_rate, self.opened.channels);
        let change = if sample_rate != rate_before {
            format!("from {rate_before} to {sample_rate} Hz")
        } else if channels != channels_before {
            format!("from {channels_before} to {channels} channels")
        } else {
            return Ok(());
        };
        let what = format!(
            "a change {change} within the file, {:.3} s into the sound",
            self.seconds()
        );
        Err(DecodeError::Unsupported {
            path: self.path.clone(),
            what,
        })
    }

    fn fail(&self, error: Error) -> Result<Step, DecodeError> {
        let (path, seconds) = (self.path.clone(), self.seconds());
        match error {
            Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.end(),
            Error::IoError(reason) => Err(DecodeError::Read {
                path,
                seconds,
                reason,
            }),
            Error::ResetRequired => {
                let what = format!("a second stream begins {seconds:.3} s into the sound");
                Err(DecodeError::Unsupported { path, what })
            }
            error => Err(DecodeError::Corrupt {
                path,
                seconds,
                what: error.to_string(),
            }),
        }
    }
}

enum Step {
    Go,
    End,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("path", &self.path)
            .field("format", &self.format())
            .field("sample_rate", &self.sample_rate())
            .field("channels", &self.channels())
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}
