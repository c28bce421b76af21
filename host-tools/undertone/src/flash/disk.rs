//! Which disks may be erased: not the system's, nothing mounted, nothing of a wrong size.

use std::fmt::Write as _;

use anyhow::Result;

use super::system::System;
use crate::failure::Failure;

/// Larger cards than this are rather somebody's archive.
const LARGEST_CARD: u64 = 512 << 30;

/// A disk that nothing speaks against erasing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) name: String,
    pub(crate) model: String,
    pub(crate) bytes: u64,
    /// Name and size of each partition.
    pub(crate) partitions: Vec<(String, u64)>,
}

fn refuse(code: &str, cause: String, next: impl Into<String>) -> anyhow::Error {
    Failure::error(code, cause, next)
}

/// Looks at a disk by its kernel name, such as `sdb` or `mmcblk0`.
pub(crate) fn examine(system: &System, name: &str, large: bool) -> Result<Disk> {
    const LIST: &str = "lsblk -o NAME,SIZE,MODEL,MOUNTPOINTS shows what there is";
    let block = format!("sys/block/{name}");
    if !system.path(&block).is_dir() {
        let part = system.path(&format!("sys/class/block/{name}/partition"));
        let (code, what) = if part.exists() {
            ("partition", "is a partition, not a whole disk")
        } else {
            ("no-disk", "is not a disk")
        };
        return Err(refuse(code, format!("/dev/{name} {what}"), LIST));
    }
    let size = |below: &str| -> u64 {
        // In units of 512 bytes, whatever the disk's own are.
        let sectors = system.value(&format!("{below}/size"));
        sectors
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0)
            * 512
    };
    let partitions: Vec<String> = system
        .names(&block)
        .into_iter()
        .filter(|part| system.path(&format!("{block}/{part}/partition")).exists())
        .collect();
    not_in_use(system, name, &partitions)?;
    let bytes = size(&block);
    if bytes == 0 {
        return Err(refuse(
            "no-card",
            format!("/dev/{name} holds no card"),
            "put a card in",
        ));
    }
    if system.value(&format!("{block}/ro")).as_deref() == Some("1") {
        return Err(refuse(
            "read-only",
            format!("/dev/{name} is write-protected"),
            "move the switch at the card's side, or take another card",
        ));
    }
    let path = system.real(&block);
    let pluggable = system.value(&format!("{block}/removable")).as_deref() == Some("1")
        || name.starts_with("mmcblk")
        || path
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with("usb"));
    if !pluggable {
        return Err(refuse(
            "fixed-disk",
            format!("/dev/{name} is built in, neither a card nor on USB"),
            LIST,
        ));
    }
    if bytes > LARGEST_CARD && !large {
        return Err(refuse(
            "large-disk",
            format!("/dev/{name} has {}, more than a card has", human(bytes)),
            "pass --large-disk if it is the right one",
        ));
    }
    let model = ["device/model", "device/name"]
        .iter()
        .find_map(|below| system.value(&format!("{block}/{below}")))
        .unwrap_or_else(|| "unnamed".into());
    let partitions = partitions
        .into_iter()
        .map(|part| (part.clone(), size(&format!("{block}/{part}"))))
        .collect();
    Ok(Disk {
        name: name.to_owned(),
        model,
        bytes,
        partitions,
    })
}

/// Nothing of it mounted, swapped to, or part of something larger (LVM, RAID, encryption).
fn not_in_use(system: &System, name: &str, partitions: &[String]) -> Result<()> {
    let block = format!("sys/block/{name}");
    let folders: Vec<(String, &str)> = std::iter::once((block.clone(), name))
        .chain(
            partitions
                .iter()
                .map(|part| (format!("{block}/{part}"), part.as_str())),
        )
        .collect();
    let mounts = system.mounts().map_err(|error| {
        refuse(
            "no-mounts",
            format!("cannot tell what is mounted: {error}"),
            "ls -l /proc/self/mountinfo",
        )
    })?;
    for (folder, part) in &folders {
        let number = system.value(&format!("{folder}/dev")).unwrap_or_default();
        let node = format!("/dev/{part}");
        let mut of_it = mounts
            .iter()
            .filter(|mount| mount.device == number || mount.source == node);
        if let Some(mount) = of_it.next() {
            let place = &mount.place;
            if [
                "/",
                "/boot",
                "/boot/firmware",
                "/boot/efi",
                "/usr",
                "/var",
                "/home",
            ]
            .contains(&place.as_str())
            {
                return Err(refuse(
                    "system-disk",
                    format!("{node} is this machine's own {place}"),
                    "name the card's device: lsblk -o NAME,SIZE,MODEL,MOUNTPOINTS",
                ));
            }
            return Err(refuse(
                "mounted",
                format!("{node} is mounted at {place}"),
                format!("if it is the right card: umount '{place}'"),
            ));
        }
        if system.swaps().contains(&node) {
            return Err(refuse(
                "system-disk",
                format!("{node} is this machine's swap space"),
                "name the card's device: lsblk -o NAME,SIZE,MODEL,MOUNTPOINTS",
            ));
        }
        if let Some(holder) = system.names(&format!("{folder}/holders")).first() {
            return Err(refuse(
                "in-use",
                format!("{node} is part of {holder}"),
                "name the card's device: lsblk shows what belongs together",
            ));
        }
    }
    Ok(())
}

impl Disk {
    /// What will be lost, for the question.
    pub(crate) fn lines(&self) -> String {
        let mut text = format!(
            "/dev/{}  {}  {}\n",
            self.name,
            human(self.bytes),
            self.model
        );
        for (part, bytes) in &self.partitions {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  /dev/{part}  {}", human(*bytes));
        }
        text
    }
}

/// Bytes for people.
pub(crate) fn human(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    const MIB: u64 = 1 << 20;
    match bytes {
        GIB.. => format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB),
        MIB.. => format!("{} MiB", bytes / MIB),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// A machine with its own disk `sda`, a card `sdb` with two partitions, and whatever is mounted besides.
    pub(in crate::flash) fn machine(root: &Path, mounts: &str) -> System {
        let put = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (disk, number, sectors, removable) in [
            ("sda", 0, "1000215216", "0"),
            ("sdb", 16, "62333952", "1"),
            ("sdc", 32, "0", "1"),
        ] {
            put(&format!("sys/block/{disk}/dev"), &format!("8:{number}\n"));
            put(&format!("sys/block/{disk}/size"), &format!("{sectors}\n"));
            put(
                &format!("sys/block/{disk}/removable"),
                &format!("{removable}\n"),
            );
            put(&format!("sys/block/{disk}/ro"), "0\n");
            put(&format!("sys/block/{disk}/device/model"), "Card Reader \n");
            for part in 1..=2 {
                let folder = format!("sys/block/{disk}/{disk}{part}");
                put(&format!("{folder}/partition"), &format!("{part}\n"));
                put(&format!("{folder}/dev"), &format!("8:{}\n", number + part));
                put(&format!("{folder}/size"), "1048576\n");
                fs::create_dir_all(root.join(&folder).join("holders")).unwrap();
            }
        }
        put("sys/class/block/sdb1/partition", "1\n");
        put(
            "proc/swaps",
            "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n",
        );
        let own = "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
        put("proc/self/mountinfo", &format!("{own}{mounts}"));
        System::below(root)
    }

    fn code(system: &System, name: &str) -> String {
        let error = examine(system, name, false).unwrap_err();
        error.downcast_ref::<Failure>().unwrap().code.clone()
    }

    #[test]
    fn a_card_that_nothing_uses_may_be_erased_and_is_named_with_all_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let system = machine(folder.path(), "");
        let disk = examine(&system, "sdb", false).unwrap();
        assert_eq!(
            disk.lines(),
            "/dev/sdb  29.7 GiB  Card Reader\n  /dev/sdb1  512 MiB\n  /dev/sdb2  512 MiB\n"
        );
    }

    #[test]
    fn the_systems_disk_a_mounted_card_and_an_empty_slot_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let system = machine(folder.path(), "");
        assert_eq!(code(&system, "sda"), "system-disk");
        assert_eq!(code(&system, "sdc"), "no-card");
        assert_eq!(code(&system, "sdb1"), "partition");
        assert_eq!(code(&system, "sdx"), "no-disk");
        let by_number = "30 25 8:17 / /media/me/bootfs rw - vfat /dev/disk/by-label/x rw\n";
        let by_name = "30 25 0:44 / /media/me/data rw - btrfs /dev/sdb2 rw\n";
        for mounts in [by_number, by_name] {
            assert_eq!(code(&machine(folder.path(), mounts), "sdb"), "mounted");
        }
    }

    #[test]
    fn swap_volumes_protected_built_in_and_huge_disks_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let system = machine(root, "");
        fs::write(root.join("proc/swaps"), "Filename\n/dev/sdb2 partition\n").unwrap();
        assert_eq!(code(&system, "sdb"), "system-disk");
        let system = machine(root, "");
        fs::write(root.join("sys/block/sdb/sdb2/holders/dm-0"), "").unwrap();
        assert_eq!(code(&system, "sdb"), "in-use");
        fs::remove_file(root.join("sys/block/sdb/sdb2/holders/dm-0")).unwrap();
        for (file, value, expected) in [
            ("ro", "1", "read-only"),
            ("removable", "0", "fixed-disk"),
            ("size", "7814037168", "large-disk"),
        ] {
            let system = machine(root, "");
            fs::write(root.join("sys/block/sdb").join(file), value).unwrap();
            assert_eq!(code(&system, "sdb"), expected);
        }
        fs::remove_file(root.join("proc/self/mountinfo")).unwrap();
        assert_eq!(code(&system, "sdb"), "no-mounts");
    }
}
