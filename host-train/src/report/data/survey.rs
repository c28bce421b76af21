//! Everything that is known of the corpora, from one pass over them.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use super::measure::Measured;
use crate::corpora::deep::{DeepReport, listen_each};
use crate::corpora::{Clip, Corpus, Emotion, Import, ScanReport, import};
use crate::report::ReportError;

/// The corpora, as named, as decoded and as measured.
pub(super) struct Survey {
    pub(super) import: Import,
    pub(super) scan: ScanReport,
    pub(super) audio: DeepReport,
    /// One for each clip; `None` where it cannot be decoded.
    measured: Vec<Option<Measured>>,
}

impl Survey {
    pub(super) fn of<P: AsRef<Path>>(folders: &[P]) -> Result<Self, ReportError> {
        let import = import(folders)?;
        let scan = ScanReport::new(&import);
        let style =
            ProgressStyle::with_template("listening {wide_bar} {pos}/{len} clips, {eta} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(import.clips.len() as u64).with_style(style);
        let (audio, measured) = listen_each(
            &import.clips,
            || bar.inc(1),
            |audio| Measured::of(audio).ok(),
        );
        bar.finish_and_clear();
        Ok(Self {
            import,
            scan,
            audio,
            measured: measured.into_iter().map(Option::flatten).collect(),
        })
    }

    /// Clips that could be heard, and what was measured.
    pub(super) fn heard(&self) -> impl Iterator<Item = (&Clip, &Measured)> {
        self.import
            .clips
            .iter()
            .zip(&self.measured)
            .filter_map(|(clip, measured)| Some((clip, measured.as_ref()?)))
    }

    /// Corpora that are there, in table order.
    pub(super) fn corpora(&self) -> Vec<Corpus> {
        self.scan
            .corpora
            .iter()
            .map(|corpus| corpus.corpus)
            .collect()
    }

    /// Emotions that occur, in table order.
    pub(super) fn emotions(&self) -> Vec<Emotion> {
        Emotion::ALL
            .into_iter()
            .filter(|emotion| {
                self.import
                    .clips
                    .iter()
                    .any(|clip| clip.emotion == *emotion)
            })
            .collect()
    }
}
