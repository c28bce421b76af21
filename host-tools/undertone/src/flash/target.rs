//! Where an image goes: a disk that may be erased, or a new file.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::{Access, CWD, OFlags, RenameFlags, access, renameat_with, statvfs};
use serde_json::{Value, json};

use super::disk::{Disk, examine, human};
use super::system::System;
use crate::failure::Failure;
use crate::place;

/// A target that nothing speaks against so far.
#[derive(Debug)]
pub(super) enum Target {
    Disk(PathBuf, Disk),
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
            return Ok(Self::Disk(real, disk));
        }
        Err(Failure::error(
            "exists",
            format!(
                "{} exists, and is no disk; it is left as it is",
                path.display()
            ),
            "name a file that does not exist yet",
        ))
    }

    pub(super) fn must_hold(&self, bytes: u64) -> Result<()> {
        match self {
            Self::Disk(_, disk) if disk.bytes < bytes => Err(Failure::error(
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
            Self::Disk(path, disk) => {
                let lost: Vec<Value> = disk
                    .partitions
                    .iter()
                    .map(|(name, bytes)| json!({"name": name, "bytes": bytes}))
                    .collect();
                json!({"device": path.display().to_string(), "model": disk.model, "bytes": disk.bytes, "erases": lost})
            }
            Self::NewFile(path) => json!({"file": path.display().to_string()}),
        }
    }

    /// Asks before a disk is erased, naming everything on it.
    pub(super) fn consent(&self, yes: bool, non_interactive: bool) -> Result<()> {
        let Self::Disk(_, disk) = self else {
            return Ok(());
        };
        eprint!("Everything on this device is erased:\n{}", disk.lines());
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
            return Err(refused("it was not agreed to; nothing was written"));
        }
        Ok(())
    }

    pub(super) fn open(&self) -> Result<Writing> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match self {
            Self::Disk(path, disk) => {
                // O_EXCL of a block device: the kernel refuses while anything of it is mounted.
                options.custom_flags(OFlags::EXCL.bits() as i32);
                let device = PathBuf::from(format!("/dev/{}", disk.name));
                let file = options
                    .open(path)
                    .map_err(|error| cannot_open(&device, &error))?;
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
                .and_then(|()| {
                    renameat_with(CWD, &*part, CWD, &*path, RenameFlags::NOREPLACE)
                        .map_err(Into::into)
                })
                .map_err(|error| place::refused(path, &error))?;
        }
        Ok(())
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
        Target::Disk("/dev/sdb".into(), disk)
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
