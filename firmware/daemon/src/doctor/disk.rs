//! Whether there is room for what the box writes, and whether it can be written.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};

use super::check::Check;
use super::setup::Setup;

const NAME: &str = "disk";
/// With less than this, an upgrade or a day of journal fills it.
const LITTLE: u64 = 200 << 20;
/// With less than this, nothing works any more.
const NONE: u64 = 16 << 20;
/// Files of an outbox that are counted, at most.
const MAX_FILES: usize = 100_000;

pub(super) fn check(setup: &Setup) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut seen = Vec::new();
    for path in [
        setup.slots.root.clone(),
        "/var/lib/undertone".into(),
        "/var/log".into(),
        "/".into(),
    ] {
        let Some(there) = existing(&path) else {
            continue;
        };
        let device = fs::metadata(&there).map(|about| about.dev()).ok();
        if device.is_some_and(|device| seen.contains(&device)) {
            continue;
        }
        seen.extend(device);
        if let Ok(about) = statvfs(&there) {
            checks.push(room(&about, 0).about(there.display()));
        }
    }
    checks.extend(outbox(setup));
    checks
}

/// The folder, or the first one above it that exists.
fn existing(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|path| path.is_dir())
        .map(Path::to_owned)
}

fn room(about: &StatVfs, needed: u64) -> Check {
    let free = about.f_bavail * about.f_frsize;
    let whole = (about.f_blocks * about.f_frsize).max(1);
    let share = 100 * free / whole;
    let told = format!("{} MiB free of {} MiB ({share} %)", free >> 20, whole >> 20);
    let next =
        "df -h; sudo du -xh --max-depth=2 / | sort -h | tail; sudo journalctl --vacuum-size=50M";
    let check = if free < NONE.max(needed) {
        Check::fail(NAME, "disk-full", told, next)
    } else if free < LITTLE {
        Check::warn(NAME, "disk-low", told, next)
    } else if about.f_files > 0 && about.f_favail * 100 < about.f_files {
        let cause = format!("{told}, but less than 1 % of its files");
        Check::warn(NAME, "disk-inodes", cause, "df -i")
    } else {
        Check::ok(NAME, told)
    };
    check.figure("free_mib", free >> 20)
}

/// Events that wait for the broker.
fn outbox(setup: &Setup) -> Option<Check> {
    let mqtt = setup.settings.as_ref()?.mqtt.as_ref()?;
    let Some(path) = &mqtt.outbox.path else {
        let cause =
            "in memory (mqtt.outbox.path is not set): what waits is lost when the power fails";
        return Some(Check::ok("outbox", cause));
    };
    let most = mqtt.outbox.max_bytes as u64;
    Some(of_folder(path, most).about(path.display()))
}

fn of_folder(path: &Path, most: u64) -> Check {
    let Some(there) = existing(path) else {
        let next = format!("sudo ls -ld {}", path.display());
        return Check::fail(
            "outbox",
            "outbox-missing",
            "no folder above it exists",
            next,
        );
    };
    let about = match statvfs(&there) {
        Ok(about) => about,
        Err(error) => {
            let next = format!("sudo ls -ld {}", path.display());
            return Check::fail("outbox", "outbox-unreadable", error.to_string(), next);
        }
    };
    if about.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let cause = "its file system is read-only; events are in memory only";
        let next =
            "dmesg | grep -i -e ext4 -e mmc -e 'I/O error' | tail; findmnt -o TARGET,OPTIONS";
        return Check::fail("outbox", "outbox-read-only", cause, next);
    }
    let used: u64 = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .take(MAX_FILES)
        .filter_map(|entry| Some(entry.metadata().ok()?.len()))
        .sum();
    let free = about.f_bavail * about.f_frsize;
    let told = format!("{} KiB in use of {} KiB at most", used >> 10, most >> 10);
    if free + used < most {
        let cause = format!("{told}, but the disk has only {} KiB left", free >> 10);
        return Check::warn(
            "outbox",
            "outbox-cramped",
            cause,
            "df -h; sudo journalctl --vacuum-size=50M",
        );
    }
    // A segment stays until the next one is full, so that some use is no sign of waiting.
    if used * 10 > most * 8 {
        let cause = format!("{told}; the oldest events are about to be given up");
        return Check::warn(
            "outbox",
            "outbox-full",
            cause,
            "undertoned doctor   # check the broker",
        );
    }
    Check::ok("outbox", told).figure("used_bytes", used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_that_is_nearly_full_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("segment"), vec![0; 900]).unwrap();
        assert_eq!(of_folder(folder.path(), 1000).code, "outbox-full");
        assert_eq!(of_folder(folder.path(), 100_000).code, "ok");
        assert_eq!(of_folder(&folder.path().join("not/yet"), 1000).code, "ok");
        assert_eq!(
            of_folder(folder.path(), u64::MAX / 16).code,
            "outbox-cramped"
        );
    }

    #[test]
    fn a_full_disk_is_told_from_one_with_room() {
        let about = statvfs("/").unwrap();
        let with = |free: u64| StatVfs {
            f_bavail: free / about.f_frsize,
            f_files: 0,
            ..about
        };
        assert_eq!(room(&with(1 << 40), 0).code, "ok");
        assert_eq!(room(&with(100 << 20), 0).code, "disk-low");
        assert_eq!(room(&with(1 << 20), 0).code, "disk-full");
    }
}
