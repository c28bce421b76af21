//! The numbers of channels, counted through all sources in the order of the configuration, whichever of them opens first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use undertone_analysis::Channels;

use crate::capture::{Selection, Source, SourceSpec};
use crate::config::SourceSettings;

/// Numbers that nobody has yet. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(Arc<AtomicUsize>);

/// The numbers that are kept for a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    first: usize,
    count: usize,
}

impl Numbers {
    /// The next so many; the first of them.
    fn take(&self, count: usize) -> usize {
        self.0.fetch_add(count, Ordering::SeqCst)
    }

    /// Keeps numbers for the channels of a source; `None` when only the open device will say how many it has. Such a source
    /// gets its numbers behind all others, once it is there.
    pub(super) fn keep(
        &self,
        settings: &SourceSettings,
        source: Option<&dyn Source>,
    ) -> Option<Kept> {
        let count = match (settings.channels, source) {
            (Channels::Mix, _) => 1,
            (Channels::Each, Some(source)) => {
                let there = source.format().channels;
                // What does not fit fails when its thread begins, with the reason.
                Selection::of(&settings.capture.pick, there)
                    .ok()?
                    .channels()
            }
            (Channels::Each, None) => {
                let picked = Selection::channels_kept(&settings.capture.pick);
                // A header may say otherwise.
                let piped = settings.spec == SourceSpec::Stdin;
                picked.or(piped.then_some(settings.capture.stdin_channels))?
            }
        };
        Some(Kept {
            first: self.take(count),
            count,
        })
    }

    /// The first number for a source that turns out to have so many channels.
    pub(super) fn first(&self, kept: Option<Kept>, count: usize) -> usize {
        match kept {
            Some(kept) if count <= kept.count => kept.first,
            _ => self.take(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, Settings};

    fn settings(sources: &str) -> Settings {
        let text = format!("[deployment]\npurpose = \"evaluation\"\n{sources}");
        toml::from_str::<ConfigFile>(&text)
            .unwrap()
            .settle()
            .unwrap()
    }

    #[test]
    fn channels_are_numbered_in_the_order_of_the_file_whichever_source_comes_first() {
        let settings = settings(
            "[[source]]\nname = \"alsa:late\"\nchannels = \"each\"\npick = [0, 3]\n\
             [[source]]\nname = \"alsa:mixed\"\n\
             [[source]]\nname = \"alsa:roles\"\nchannels = \"each\"\nroles = [\"nobody\", \"volunteers\"]\n\
             [[source]]\nname = \"alsa:last\"\n",
        );
        let numbers = Numbers::default();
        let keep = |source| numbers.keep(source, None);
        let kept: Vec<_> = settings.sources.iter().map(keep).collect();
        let counts = [2, 1, 1, 1];
        // They come in the opposite order.
        let mut firsts: Vec<_> = (0..4)
            .rev()
            .map(|place| numbers.first(kept[place], counts[place]))
            .collect();
        firsts.reverse();
        assert_eq!(firsts, [0, 2, 3, 4]);
    }

    #[test]
    fn a_source_of_which_nobody_knows_how_many_channels_it_has_comes_behind_all_others() {
        let settings = settings(
            "[[source]]\nname = \"alsa:array\"\nchannels = \"each\"\n[[source]]\nname = \"alsa:mixed\"\n",
        );
        let numbers = Numbers::default();
        let keep = |source| numbers.keep(source, None);
        let kept: Vec<_> = settings.sources.iter().map(keep).collect();
        assert_eq!(kept[0], None);
        assert_eq!(numbers.first(kept[1], 1), 0);
        assert_eq!(numbers.first(kept[0], 4), 1);
        assert_eq!(numbers.first(None, 1), 5, "numbers are never given twice");
    }
}
