//! Where an image goes: a disk that may be erased, or a new file.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::{Access, CWD, OFlags, RenameFlags, access, major, minor, renameat_with, statvfs};
use rustix::io::Errno;
use serde_json::{Value, json};

use super::disk::{Disk, examine, human};
use super::system::System;
use crate::failure::Failure;
use crate::place;

/// A target that nothing speaks against so far.
#[derive(Debug)]
pub(super) enum Target {
    /// Its path without links, what was found, and whether it may be larger than a card.
    Disk {
        real: PathBuf,
        disk: Disk,
        large: bool,
    },
    NewFile(PathBuf),
}

/// A target that is being written.
pub(super) enum Writing {
    Disk(File),
    /// The file under another name, and the name that it gets when it is whole.
    NewFile(File, PathBuf, PathBuf),
}

impl Target {
    pub(super) fn examine(system: &System, path: &Path, large: bool) -> Result<Self> {
        let Ok(about) = std::fs::metadata(path) else {
            if let Ok(leads) = std::fs::read_link(path) {
                return Err(Failure::error(
                    "dangling-link",
                    format!(
                        "{} is a link to {}, which does not exist",
                        path.display(),
                        leads.display()
                    ),
                    format!("name the place itself, or: rm '{}'", path.display()),
                ));
            }
            if path.starts_with("/dev") {
                return Err(Failure::error(
                    "no-disk",
                    format!("{} does not exist", path.display()),
                    "lsblk -o NAME,SIZE,MODEL,MOUNTPOINTS shows what there is",
                ));
            }
            place::must_take(path)?;
            let part = part_of(path);
            if part.exists() {
                return Err(left_over(&part, &"it is there already"));
            }
            return Ok(Self::NewFile(path.into()));
        };
        if about.file_type().is_block_device() {
            let real = path
                .canonicalize()
                .map_err(|error| cannot_open(path, &error))?;
            let name = real
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let disk = examine(system, &name, large)?;
            access(&real, Access::READ_OK | Access::WRITE_OK)
                .map_err(|error| cannot_open(&real, &error.into()))?;
            return Ok(Self::Disk { real, disk, large });
        }
        Err(Failure::error(
            "exists",
            format!(
                "{} exists, and is not a disk; it is left as it is",
                path.display()
            ),
            "name a file that does not exist yet",
        ))
    }

    pub(super) fn must_hold(&self, bytes: u64) -> Result<()> {
        match self {
            Self::Disk { disk, .. } if disk.bytes < bytes => Err(Failure::error(
                "too-small",
                format!(
                    "the image has {}, and /dev/{} only {}",
                    human(bytes),
                    disk.name,
                    human(disk.bytes)
                ),
                "take a larger card",
            )),
            Self::NewFile(path) => {
                let folder = place::folder_of(path);
                let free = statvfs(folder)
                    .map(|about| about.f_bavail.saturating_mul(about.f_frsize))
                    .map_err(|error| place::refused(path, &error.into()))?;
                if free < bytes {
                    return Err(Failure::error(
                        "no-space",
                        format!(
                            "the image has {}, and {} only {} free",
                            human(bytes),
                            folder.display(),
                            human(free)
                        ),
                        format!(
                            "make room, or name another place: df -h '{}'",
                            folder.display()
                        ),
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn report(&self) -> Value {
        match self {
            Self::Disk { real, disk, .. } => {
                let lost: Vec<Value> = disk
                    .partitions
                    .iter()
                    .map(|(name, bytes)| json!({"name": name, "bytes": bytes}))
                    .collect();
                json!({"device": real.display().to_string(), "model": disk.model, "bytes": disk.bytes, "erases": lost})
            }
            Self::NewFile(path) => json!({"file": path.display().to_string()}),
        }
    }

    /// Asks before a disk is erased, naming everything on it.
    pub(super) fn consent(&self, yes: bool, non_interactive: bool) -> Result<()> {
        let Self::Disk { disk, .. } = self else {
            return Ok(());
        };
        eprint!(
            "Everything on this device will be erased:\n{}",
            disk.lines()
        );
        if yes {
            return Ok(());
        }
        let refused = |cause: &str| {
            Failure::error(
                "not-agreed",
                cause,
                "pass --yes when it is the right device",
            )
        };
        if non_interactive || !std::io::stdin().is_terminal() {
            return Err(refused("nobody can be asked whether it may be erased"));
        }
        eprint!("Type {} to go on: ", disk.name);
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if answer.trim() != disk.name {
            return Err(refused("you did not agree; nothing was written"));
        }
        Ok(())
    }

    /// Opens it, if it is still what was looked at: minutes may have passed, and a question that somebody answered.
    pub(super) fn open(&self, system: &System) -> Result<Writing> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match self {
            Self::Disk { real, disk, large } => {
                if examine(system, &disk.name, *large)? != *disk {
                    return Err(changed(&disk.name));
                }
                // O_EXCL of a block device: the kernel refuses while anything of it is mounted.
                options.custom_flags(OFlags::EXCL.bits() as i32);
                let device = PathBuf::from(format!("/dev/{}", disk.name));
                let file = options
                    .open(real)
                    .map_err(|error| cannot_open(&device, &error))?;
                let opened = file
                    .metadata()
                    .map_err(|error| cannot_open(&device, &error))?
                    .rdev();
                // The name may have gone to another disk since.
                let number = format!("{}:{}", major(opened), minor(opened));
                if system.value(&format!("sys/block/{}/dev", disk.name)) != Some(number) {
                    return Err(changed(&disk.name));
                }
                Ok(Writing::Disk(file))
            }
            Self::NewFile(path) => {
                let part = part_of(path);
                let file = options
                    .create_new(true)
                    .mode(0o600)
                    .open(&part)
                    .map_err(|error| left_over(&part, &error))?;
                Ok(Writing::NewFile(file, part, path.clone()))
            }
        }
    }
}

/// What the file is called until it is whole.
fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

fn left_over(part: &Path, reason: &dyn std::fmt::Display) -> anyhow::Error {
    Failure::error(
        "cannot-write",
        format!("cannot make {}: {reason}", part.display()),
        format!("if it is left from before: rm '{}'", part.display()),
    )
}

fn changed(name: &str) -> anyhow::Error {
    Failure::error(
        "changed",
        format!("/dev/{name} is no longer the disk that was looked at; nothing was written"),
        "leave the card in its reader, and start again",
    )
}

fn cannot_open(device: &Path, reason: &std::io::Error) -> anyhow::Error {
    Failure::error(
        "cannot-open",
        format!("cannot open {}: {reason}", device.display()),
        "run it with sudo; where it is busy, unmount it first",
    )
}

impl Writing {
    pub(super) fn file(&mut self) -> &mut File {
        match self {
            Self::Disk(file) | Self::NewFile(file, ..) => file,
        }
    }

    /// A whole file gets its name, unless somebody else took it meanwhile.
    pub(super) fn finish(mut self) -> Result<()> {
        if let Self::NewFile(file, part, path) = &mut self {
            file.sync_all()
                .and_then(|()| give_name(part, path, rename_new))
                .map_err(|error| place::refused(path, &error))?;
        }
        Ok(())
    }
}

fn rename_new(part: &Path, path: &Path) -> Result<(), Errno> {
    renameat_with(CWD, part, CWD, path, RenameFlags::NOREPLACE)
}

/// Gives a file a name that nothing has yet.
fn give_name(
    part: &Path,
    path: &Path,
    rename: impl FnOnce(&Path, &Path) -> Result<(), Errno>,
) -> std::io::Result<()> {
    match rename(part, path) {
        // rename(2): the file system cannot refuse to replace. A second name for a file never replaces one.
        Err(Errno::INVAL | Errno::NOSYS) => {
            std::fs::hard_link(part, path)?;
            std::fs::remove_file(part)
        }
        outcome => outcome.map_err(Into::into),
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Self::NewFile(_, part, _) = self {
            let _ = std::fs::remove_file(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::tests::machine;
    use super::*;

    fn code(error: &anyhow::Error) -> String {
        error.downcast_ref::<Failure>().unwrap().code.clone()
    }

    fn card() -> Target {
        let disk = Disk {
            name: "sdb".into(),
            model: "Card Reader".into(),
            bytes: 1 << 30,
            partitions: vec![("sdb1".into(), 1 << 29)],
        };
        Target::Disk {
            real: "/dev/sdb".into(),
            disk,
            large: false,
        }
    }

    #[test]
    fn a_card_is_not_erased_without_a_yes() {
        let error = card().consent(false, true).unwrap_err();
        assert_eq!(code(&error), "not-agreed");
        card().consent(true, true).unwrap();
    }

    #[test]
    fn an_image_that_is_larger_than_the_card_is_refused() {
        card().must_hold(1 << 30).unwrap();
        assert_eq!(
            code(&card().must_hold((1 << 30) + 1).unwrap_err()),
            "too-small"
        );
    }

    #[test]
    fn a_disk_that_is_no_longer_the_one_that_was_looked_at_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let system = machine(root, "");
        let real = root.join("device");
        std::fs::write(&real, "").unwrap();
        let target = Target::Disk {
            real,
            disk: examine(&system, "sdb", false).unwrap(),
            large: false,
        };
        let refused = |expected: &str| {
            let error = target.open(&system).err().unwrap();
            assert_eq!(code(&error), expected);
        };
        let block = root.join("sys/block/sdb");
        // A file has the number 0:0, and the card another.
        refused("changed");
        std::fs::write(block.join("dev"), "0:0\n").unwrap();
        target.open(&system).unwrap();
        std::fs::write(block.join("device/model"), "Another\n").unwrap();
        refused("changed");
        std::fs::write(block.join("size"), "0\n").unwrap();
        refused("no-card");
    }

    #[test]
    fn a_name_is_given_where_the_file_system_cannot_refuse_to_replace_too() {
        let folder = tempfile::tempdir().unwrap();
        let (part, path) = (folder.path().join("part"), folder.path().join("card.img"));
        for refusal in [Err(Errno::INVAL), Err(Errno::NOSYS)] {
            std::fs::write(&part, "new").unwrap();
            give_name(&part, &path, |_, _| refusal).unwrap();
            assert!(!part.exists());
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
            std::fs::write(&part, "newer").unwrap();
            let error = give_name(&part, &path, |_, _| refusal).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::write(&path, "there").unwrap();
        let error = give_name(&part, &path, rename_new).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn what_is_neither_a_disk_nor_new_is_left_alone() {
        let system = System::default();
        for path in ["/dev/null", "/etc/hostname", "/tmp"] {
            let error = Target::examine(&system, Path::new(path), false).unwrap_err();
            assert_eq!(code(&error), "exists", "{path}");
        }
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/nowhere/at/all", &link).unwrap();
        std::fs::write(folder.path().join("x.img.part"), "").unwrap();
        for (path, expected) in [
            (Path::new("/dev/nowhere"), "no-disk"),
            (Path::new("/nodir/card.img"), "no-folder"),
            (&link, "dangling-link"),
            (&folder.path().join("x.img"), "cannot-write"),
        ] {
            let error = Target::examine(&system, path, false).unwrap_err();
            assert_eq!(code(&error), expected, "{}", path.display());
        }
        let new = Target::examine(&system, &folder.path().join("y.img"), false).unwrap();
        new.must_hold(1).unwrap();
        assert_eq!(code(&new.must_hold(u64::MAX).unwrap_err()), "no-space");
    }
}
