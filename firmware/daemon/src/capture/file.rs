//! Recordings: WAV, FLAC, MP3, Ogg Vorbis.

use std::path::Path;

use undertone_decode::{Limits, Reader};

use super::feed::Feed;
use super::{CaptureError, Format, Link, Source, Writer};
use crate::pace::Pace;

/// A recording that is played once.
pub(super) struct FileSource {
    reader: Reader,
    pace: Option<Pace>,
}

impl FileSource {
    /// Opens a recording of any length, to be played at real-time pace or as fast as it can be analysed.
    pub(super) fn open(path: &Path, fast: bool) -> Result<Self, CaptureError> {
        let limits = Limits {
            max_seconds: f64::INFINITY,
            ..Limits::default()
        };
        let reader = Reader::open(path, &limits)?;
        let pace = (!fast).then(|| Pace::new(reader.sample_rate()));
        Ok(FileSource { reader, pace })
    }
}

impl Source for FileSource {
    fn format(&self) -> Format {
        Format {
            rate: self.reader.sample_rate(),
            channels: self.reader.channels(),
        }
    }

    fn is_live(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        let pace = if self.pace.is_some() {
            "at real-time pace"
        } else {
            "fast"
        };
        format!(
            "{} ({}), {pace}",
            self.reader.path().display(),
            self.reader.format()
        )
    }

    fn run(mut self: Box<Self>, writer: Writer, link: Link) -> Result<(), CaptureError> {
        let stop = link.stop.clone();
        let mut feed = Feed::new(writer, link, "the recording".into(), self.format(), false);
        let channels = self.reader.channels();
        // A packet may hold seconds; at real-time pace it is told in the portions of a device.
        let portion = (self.reader.sample_rate() as usize / 50).max(1) * channels;
        let mut frames = 0;
        while let Some(block) = self.reader.next_block()? {
            for part in block.chunks(portion) {
                if let Some(pace) = &mut self.pace {
                    frames += (part.len() / channels) as u64;
                    pace.wait(frames, &stop);
                }
                if feed.samples(part).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
