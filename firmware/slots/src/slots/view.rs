//! The slots as they are, for looking only.

use std::path::{Path, PathBuf};

use super::{CURRENT, STATE, Slot, State};
use crate::error::SlotsError;

/// The slots of a box as they are. Looking at them takes no lock and changes nothing.
#[derive(Debug, Clone)]
pub struct View {
    pub(super) root: PathBuf,
    pub(super) state: State,
}

impl View {
    /// As the next command on them will find them: without what a power cut left behind.
    pub(super) fn of(root: &Path) -> Result<Self, SlotsError> {
        let mut view = Self::as_left(root)?;
        view.state = view.recovered();
        Ok(view)
    }

    /// As they were left, also by a power cut.
    pub(super) fn as_left(root: &Path) -> Result<Self, SlotsError> {
        Ok(View {
            root: root.to_owned(),
            state: State::read(&root.join(STATE))?,
        })
    }

    /// The state as it follows from what `current` names.
    pub(super) fn recovered(&self) -> State {
        let version = |slot| self.version(slot);
        self.state.clone().recovered(self.current(), version)
    }

    /// The slot that runs; none: the program that the system's package installed.
    pub fn current(&self) -> Option<Slot> {
        let target = std::fs::read_link(self.root.join(CURRENT)).ok()?;
        Slot::from_name(target.to_str()?)
    }

    /// What is remembered.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The folder of a slot.
    pub fn folder(&self, slot: Slot) -> PathBuf {
        self.root.join(slot.name())
    }
}
