//! Two slots, a link `current` to the one that runs, and a trial that a new one must stand.
//!
//! ```text
//! root/a/ root/b/        a version each: files, manifest.json, manifest.minisig
//! root/current -> b      what runs; changed by one rename
//! root/state.json        floor, trial, what ran before; replaced by one rename
//! root/incoming/         a version that is being written; worth nothing
//! root/lock              held by whoever changes something
//! unit link -> root/current/undertoned.service    there only while there is a current slot
//! ```

mod contents;
mod fs;
mod install;
mod state;
mod status;
mod switch;
mod trial;
mod view;

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

pub use contents::Contents;
pub use fs::{Fs, SystemFs};
pub use state::{Ending, Last, Moment, Slot, State, Trial};
pub use status::{SlotStatus, Status};
pub use trial::{Bounds, Decision};
pub use view::View;

use crate::error::SlotsError;

const CURRENT: &str = "current";
const STATE: &str = "state.json";
const INCOMING: &str = "incoming";
const LOCK: &str = "lock";
const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.minisig";

/// The slots of a box, locked for as long as this value lives.
#[derive(Debug)]
pub struct Slots<F = SystemFs> {
    view: View,
    /// Where the service's unit is linked to that of the current slot.
    unit_link: Option<PathBuf>,
    fs: F,
    /// Closing it gives the lock back.
    _lock: File,
}

impl Slots<SystemFs> {
    /// Opens the slots below a folder, which is made when it does not exist. `unit_link` is the link of the service to the
    /// unit of the current slot; none: units of bundles are kept and not used.
    ///
    /// # Errors
    /// [`SlotsError::Busy`], [`SlotsError::BadState`] or [`SlotsError::Io`].
    pub fn open(root: &Path, unit_link: Option<&Path>) -> Result<Self, SlotsError> {
        Self::open_on(root, unit_link, SystemFs)
    }

    /// The slots below a folder as they are: nothing is made, locked or cleared.
    ///
    /// # Errors
    /// [`SlotsError::BadState`] or [`SlotsError::Io`].
    pub fn look(root: &Path) -> Result<View, SlotsError> {
        View::of(root)
    }

    /// The files of the slot that is to run, without lock or state, so that starting the daemon depends on nothing else;
    /// none: the program that the system's package installed.
    ///
    /// # Errors
    /// [`SlotsError::DamagedSlot`], [`SlotsError::BadState`] or [`SlotsError::Io`] when `current` leads to no program.
    pub fn contents(root: &Path) -> Result<Option<Contents>, SlotsError> {
        Contents::of(root)
    }
}

impl<F: Fs> Slots<F> {
    /// As [`Slots::open`], with other hands on the disk.
    ///
    /// # Errors
    /// As [`Slots::open`].
    pub fn open_on(root: &Path, unit_link: Option<&Path>, fs: F) -> Result<Self, SlotsError> {
        make(root).map_err(SlotsError::io("make", root))?;
        let lock = Self::lock(root)?;
        let mut slots = Slots {
            view: View::as_left(root)?,
            unit_link: unit_link.map(Path::to_owned),
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

    /// Clears what a power cut left behind: half a version, a trial whose switch never came (or was taken back), and a unit
    /// that is not linked as `current` is.
    fn recover(&mut self) -> Result<(), SlotsError> {
        self.step("clear", &self.path(INCOMING), |fs, path| {
            fs.remove_dir(path)
        })?;
        for left in [format!("{CURRENT}.new"), format!("{STATE}.new")] {
            self.step("clear", &self.path(&left), |fs, path| fs.remove_file(path))?;
        }
        let state = self.view.recovered();
        if state != self.view.state {
            self.remember(state)?;
        }
        self.relink();
        Ok(())
    }

    /// The slots as they are.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The slot that runs; none: the program that the system's package installed.
    pub fn current(&self) -> Option<Slot> {
        self.view.current()
    }

    /// What is remembered.
    pub fn state(&self) -> &State {
        self.view.state()
    }

    /// Reads and hashes everything in both slots.
    pub fn status(&self) -> Status {
        self.view.status()
    }

    fn folder(&self, slot: Slot) -> PathBuf {
        self.view.folder(slot)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.view.root.join(name)
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
        self.step("write", &self.view.root, |fs, root| fs.sync_dir(root))?;
        self.view.state = state;
        Ok(())
    }
}

/// Makes the folder of the slots where there is none; everybody may look into it.
fn make(root: &Path) -> std::io::Result<()> {
    match std::fs::metadata(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            std::fs::create_dir_all(root)?;
            std::fs::set_permissions(root, Permissions::from_mode(fs::FOLDER))
        }
        // That it is no folder is told when the lock is opened in it.
        _ => Ok(()),
    }
}
