//! Two slots, a link `current` to the one that runs, and a trial that a new one must stand.
//!
//! ```text
//! root/a/ root/b/        a version each: files, manifest.json, manifest.minisig
//! root/current -> b      what runs; changed by one rename
//! root/state.json        floor, trial, what ran before; replaced by one rename
//! root/incoming/         a version that is being written; worth nothing
//! root/lock              held by whoever changes something
//! ```

mod fs;
mod install;
mod state;
mod status;
mod trial;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

pub use fs::{Fs, SystemFs};
pub use state::{Ending, Last, Moment, Slot, State, Trial};
pub use status::{SlotStatus, Status};
pub use trial::{Bounds, Decision};

use crate::error::SlotsError;
use crate::manifest::FileKind;

const CURRENT: &str = "current";
const STATE: &str = "state.json";
const INCOMING: &str = "incoming";
const LOCK: &str = "lock";
const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.minisig";

/// The slots of a box, locked for as long as this value lives.
#[derive(Debug)]
pub struct Slots<F = SystemFs> {
    root: PathBuf,
    fs: F,
    state: State,
    /// Closing it gives the lock back.
    _lock: File,
}

impl Slots<SystemFs> {
    /// Opens the slots below a folder, which is made when it does not exist.
    ///
    /// # Errors
    /// [`SlotsError::Busy`], [`SlotsError::BadState`] or [`SlotsError::Io`].
    pub fn open(root: &Path) -> Result<Self, SlotsError> {
        Self::open_on(root, SystemFs)
    }

    /// The slot that runs, without lock or state, so that starting the daemon depends on nothing else.
    pub fn current_of(root: &Path) -> Option<Slot> {
        let target = std::fs::read_link(root.join(CURRENT)).ok()?;
        Slot::from_name(target.to_str()?)
    }

    /// The folder of a slot below a root.
    pub fn folder_of(root: &Path, slot: Slot) -> PathBuf {
        root.join(slot.name())
    }
}

impl<F: Fs> Slots<F> {
    /// As [`Slots::open`], with other hands on the disk.
    ///
    /// # Errors
    /// As [`Slots::open`].
    pub fn open_on(root: &Path, fs: F) -> Result<Self, SlotsError> {
        std::fs::create_dir_all(root).map_err(SlotsError::io("make", root))?;
        let lock = Self::lock(root)?;
        let mut slots = Slots {
            root: root.to_owned(),
            state: State::read(&root.join(STATE))?,
            fs,
            _lock: lock,
        };
        slots.recover()?;
        Ok(slots)
    }

    fn lock(root: &Path) -> Result<File, SlotsError> {
        let path = root.join(LOCK);
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(SlotsError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(SlotsError::Busy {
                root: root.to_owned(),
            }),
            Err(TryLockError::Error(reason)) => Err(SlotsError::io("lock", &path)(reason)),
        }
    }

    /// Clears what a power cut left behind: half a version, and a trial whose switch never came (or was taken back).
    fn recover(&mut self) -> Result<(), SlotsError> {
        self.step("clear", &self.path(INCOMING), |fs, path| {
            fs.remove_dir(path)
        })?;
        for left in [format!("{CURRENT}.new"), format!("{STATE}.new")] {
            self.step("clear", &self.path(&left), |fs, path| fs.remove_file(path))?;
        }
        let trial = self.state.trial.as_ref().map(|trial| trial.slot);
        if trial.is_some() && trial != self.current() {
            let state = State {
                trial: None,
                ..self.state.clone()
            };
            self.remember(state)?;
        }
        Ok(())
    }

    /// The slot that runs; none: the program that the system's package installed.
    pub fn current(&self) -> Option<Slot> {
        Slots::current_of(&self.root)
    }

    /// What is remembered.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The folder of a slot.
    pub fn folder(&self, slot: Slot) -> PathBuf {
        Slots::folder_of(&self.root, slot)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn step(
        &self,
        action: &'static str,
        path: &Path,
        act: impl FnOnce(&F, &Path) -> std::io::Result<()>,
    ) -> Result<(), SlotsError> {
        act(&self.fs, path).map_err(SlotsError::io(action, path))
    }

    /// Replaces the state in one step.
    fn remember(&mut self, state: State) -> Result<(), SlotsError> {
        let (path, new) = (self.path(STATE), self.path(&format!("{STATE}.new")));
        let mut text = serde_json::to_vec_pretty(&state).map_err(|error| SlotsError::BadState {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        self.step("write", &new, |fs, new| {
            fs.write(new, 0o644, &mut &text[..])
        })?;
        self.step("write", &new, |fs, new| fs.sync_file(new))?;
        self.step("replace", &path, |fs, path| fs.rename(&new, path))?;
        self.step("write", &self.root, |fs, root| fs.sync_dir(root))?;
        self.state = state;
        Ok(())
    }

    /// Points `current` to a slot in one step, or takes it away.
    fn switch(&self, slot: Option<Slot>) -> Result<(), SlotsError> {
        let (path, new) = (self.path(CURRENT), self.path(&format!("{CURRENT}.new")));
        match slot {
            Some(slot) => {
                let target = Path::new(slot.name());
                self.step("make", &new, |fs, new| fs.symlink(target, new))?;
                self.step("switch", &path, |fs, path| fs.rename(&new, path))?;
            }
            None => self.step("remove", &path, |fs, path| fs.remove_file(path))?,
        }
        self.step("write", &self.root, |fs, root| fs.sync_dir(root))
    }

    /// Lets the service's unit be that of the current slot, if a place for the link is named. A slot whose bundle brought
    /// no unit has a link to the packaged one, so that the way through `current` always ends somewhere.
    ///
    /// # Errors
    /// [`SlotsError::Io`].
    pub fn link_unit(&self, link: &Path) -> Result<(), SlotsError> {
        let target = self.path(CURRENT).join(FileKind::Unit.file_name());
        if self.current().is_none() {
            return self.step("remove", link, |fs, link| fs.remove_file(link));
        }
        if std::fs::read_link(link).is_ok_and(|found| found == target) {
            return Ok(());
        }
        let mut new = link.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        self.step("clear", &new, |fs, new| fs.remove_file(new))?;
        self.step("make", &new, |fs, new| fs.symlink(&target, new))?;
        self.step("link", link, |fs, link| fs.rename(&new, link))
    }
}
