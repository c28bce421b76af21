//! `current`, and the link of the service's unit, which follows it.

use std::path::{Path, PathBuf};

use super::{CURRENT, Fs, Slot, Slots};
use crate::error::SlotsError;
use crate::manifest::FileKind;

impl<F: Fs> Slots<F> {
    /// Points `current` to a slot in one step, or takes it away. The unit's link leads through `current`, so it goes before
    /// `current` does and comes after it: a service whose unit leads nowhere does not start.
    pub(super) fn switch(&self, slot: Option<Slot>) -> Result<(), SlotsError> {
        let (path, new) = (self.path(CURRENT), self.path(&format!("{CURRENT}.new")));
        let root = &self.view.root;
        let Some(slot) = slot else {
            self.unlink()?;
            self.step("remove", &path, |fs, path| fs.remove_file(path))?;
            return self.step("write", root, |fs, root| fs.sync_dir(root));
        };
        let target = Path::new(slot.name());
        self.step("make", &new, |fs, new| fs.symlink(target, new))?;
        self.step("switch", &path, |fs, path| fs.rename(&new, path))?;
        self.step("write", root, |fs, root| fs.sync_dir(root))?;
        self.link()
    }

    /// Links the unit as `current` wants it where a power cut kept that from being done. Whatever keeps it from being done
    /// now keeps nothing else back, above all no way back; [`Slots::switch`] tells it.
    pub(super) fn relink(&self) {
        let Some(link) = &self.unit_link else { return };
        let _ = match self.current() {
            None => self.unlink(),
            Some(_) if std::fs::symlink_metadata(link).is_err() => self.link(),
            Some(_) => Ok(()),
        };
    }

    /// Lets the service's unit be that of the current slot. A slot whose bundle brought no unit has a link to the packaged
    /// one, so that the way through `current` always ends somewhere.
    fn link(&self) -> Result<(), SlotsError> {
        let Some(link) = self.unit_link.as_ref().filter(|link| !self.is_ours(link)) else {
            return Ok(());
        };
        let mut new = link.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        let target = self.unit();
        self.step("clear", &new, |fs, new| fs.remove_file(new))?;
        self.step("make", &new, |fs, new| fs.symlink(&target, new))?;
        self.step("link", link, |fs, link| fs.rename(&new, link))?;
        self.sync_folder_of(link)
    }

    /// Lets the service's unit be the packaged one; what somebody else put in the link's place stays.
    fn unlink(&self) -> Result<(), SlotsError> {
        let Some(link) = self.unit_link.as_ref().filter(|link| self.is_ours(link)) else {
            return Ok(());
        };
        self.step("remove", link, |fs, link| fs.remove_file(link))?;
        self.sync_folder_of(link)
    }

    fn unit(&self) -> PathBuf {
        self.path(CURRENT).join(FileKind::Unit.file_name())
    }

    fn is_ours(&self, link: &Path) -> bool {
        std::fs::read_link(link).is_ok_and(|target| target == self.unit())
    }

    fn sync_folder_of(&self, link: &Path) -> Result<(), SlotsError> {
        let folder = link.parent().unwrap_or(Path::new("/"));
        self.step("write", folder, |fs, folder| fs.sync_dir(folder))
    }
}
