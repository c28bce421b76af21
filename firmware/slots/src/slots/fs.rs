//! The steps on the disk, one method each, so that a test can cut the power between any two.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Permissions of every folder.
pub(super) const FOLDER: u32 = 0o755;

/// Everything that changes the disk. Reading is no step.
pub trait Fs {
    /// Makes a folder that does not exist; everybody may read it, and only its owner write there.
    ///
    /// # Errors
    /// What the system says; so for every method.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a new file with these permissions and this content.
    fn write(&self, path: &Path, mode: u32, content: &mut dyn Read) -> io::Result<()>;
    /// Brings a file's content to the disk.
    fn sync_file(&self, path: &Path) -> io::Result<()>;
    /// Brings a folder's entries to the disk.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Renames, replacing a file or link at the new name in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a link.
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()>;
    /// Removes a file or link; one that is not there is no error.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder with all in it; one that is not there is no error.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
}

/// The file system of this machine. Permissions are those that are named, whatever the process masks: the unit's mask lets
/// nobody but root read, and the daemon is not root.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFs;

impl Fs for SystemFs {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)?;
        fs::set_permissions(path, Permissions::from_mode(FOLDER))
    }

    fn write(&self, path: &Path, mode: u32, content: &mut dyn Read) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        io::copy(content, &mut file)?;
        Ok(())
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, link)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_file(path))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_dir_all(path))
    }
}

fn absent_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
