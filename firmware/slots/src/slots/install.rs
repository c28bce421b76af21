//! A bundle into the slot that does not run.

use std::io::Read;
use std::path::Path;

use super::{Fs, INCOMING, MANIFEST, Moment, SIGNATURE, Slot, Slots, State, Trial};
use crate::bundle::Bundle;
use crate::error::SlotsError;
use crate::keys::TrustedKeys;
use crate::manifest::{FileKind, Manifest};

/// The unit that the system's package brings.
const PACKAGED_UNIT: &str = "/usr/lib/systemd/system/undertoned.service";

impl<F: Fs> Slots<F> {
    /// Checks a bundle, writes it into the slot that does not run, and switches to it, on trial.
    ///
    /// # Errors
    /// Why the bundle is refused; then, and after a power cut at any step, the slot that ran is the current one still, or
    /// the new one is, complete.
    pub fn install(
        &mut self,
        source: impl Read,
        keys: &TrustedKeys,
        board: &str,
        arch: &str,
        now: &Moment,
    ) -> Result<(Slot, Manifest), SlotsError> {
        if let Some(trial) = &self.view.state.trial {
            return Err(SlotsError::TrialPending { slot: trial.slot });
        }
        let bundle = Bundle::open(source, keys)?;
        bundle.manifest().fits(board, arch, self.view.state.floor)?;
        let current = self.current();
        let slot = current.map_or(Slot::A, Slot::other);
        let incoming = self.path(INCOMING);
        let written = self.write(bundle, &incoming);
        if written.is_err() {
            self.step("clear", &incoming, |fs, path| fs.remove_dir(path))?;
        }
        let manifest = written?;
        // What the other slot held is given up from here on; it must not be offered as a way back.
        if self.view.state.previous.is_some() {
            self.remember(State {
                previous: None,
                ..self.view.state.clone()
            })?;
        }
        let folder = self.folder(slot);
        self.step("clear", &folder, |fs, path| fs.remove_dir(path))?;
        self.step("fill", &folder, |fs, path| fs.rename(&incoming, path))?;
        let root = self.view.root.clone();
        self.step("write", &root, |fs, root| fs.sync_dir(root))?;
        // First the trial, then the switch: a new slot must never run without somebody watching it.
        self.remember(State {
            trial: Some(Trial {
                slot,
                previous: current,
                starts: 0,
                since: now.clone(),
            }),
            ..self.view.state.clone()
        })?;
        self.switch(Some(slot))?;
        Ok((slot, manifest))
    }

    fn write<R: Read>(&self, bundle: Bundle<R>, folder: &Path) -> Result<Manifest, SlotsError> {
        self.step("make", folder, |fs, path| fs.create_dir(path))?;
        let front = [
            (MANIFEST, bundle.manifest_bytes().to_vec()),
            (SIGNATURE, bundle.signature().to_vec()),
        ];
        for (name, bytes) in front {
            self.put(&folder.join(name), 0o644, &mut &bytes[..])?;
        }
        let manifest = bundle.files(|entry, content| {
            let path = folder.join(entry.kind.file_name());
            self.put(&path, entry.kind.mode(), content)
        })?;
        if !manifest
            .files
            .iter()
            .any(|file| file.kind == FileKind::Unit)
        {
            let link = folder.join(FileKind::Unit.file_name());
            let target = Path::new(PACKAGED_UNIT);
            self.step("make", &link, |fs, link| fs.symlink(target, link))?;
        }
        self.step("write", folder, |fs, path| fs.sync_dir(path))?;
        Ok(manifest)
    }

    fn put(&self, path: &Path, mode: u32, content: &mut dyn Read) -> Result<(), SlotsError> {
        self.step("write", path, |fs, path| fs.write(path, mode, content))?;
        self.step("write", path, |fs, path| fs.sync_file(path))
    }
}
