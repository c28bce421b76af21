//! The progress bar, on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::inputs::Input;

const TEMPLATE: &str = "{elapsed_precise} [{bar:30}] {percent:>3} %  {msg}  ({eta} left)";

/// Progress by bytes of recordings, since their length is not known before they are opened.
pub(super) struct Progress {
    bar: ProgressBar,
    count: usize,
}

/// The progress within one recording.
pub(super) struct Part<'a> {
    progress: &'a Progress,
    bytes: u64,
    reached: u64,
}

impl Progress {
    pub(super) fn new(inputs: &[Input]) -> Self {
        let bar = ProgressBar::new(inputs.iter().map(|input| input.bytes).sum());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Progress {
            bar,
            count: inputs.len(),
        }
    }

    /// A recording of so many bytes begins.
    pub(super) fn begin(&self, bytes: u64) -> Part<'_> {
        Part {
            progress: self,
            bytes,
            reached: 0,
        }
    }

    /// So much is done.
    pub(super) fn heard(&self, recordings: usize, failed: usize, seconds: f64) {
        let failed = if failed == 0 {
            String::new()
        } else {
            format!(", {failed} failed")
        };
        let hours = seconds / 3600.0;
        self.bar.set_message(format!(
            "{recordings}/{} recordings, {hours:.1} h{failed}",
            self.count
        ));
    }

    /// Writes something to the terminal without the bar in it.
    pub(super) fn apart<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Part<'_> {
    /// So much of the recording is done, 0 to 1; never goes back.
    pub(super) fn reach(&mut self, share: f64) {
        let reached = (self.bytes as f64 * share.clamp(0.0, 1.0)) as u64;
        self.progress.bar.inc(reached.saturating_sub(self.reached));
        self.reached = reached.max(self.reached);
    }
}
