//! Serial ports.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access as may};
use serde::Serialize;

use super::holders::{Holder, Holders, described};

/// Ports that are looked at, at most.
const MAX_PORTS: usize = 256;

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SerialPort {
    /// The name to configure, as `serial.port`: the one that stays when it is plugged in again, where there is one.
    pub port: PathBuf,
    /// The file of the device.
    pub file: PathBuf,
    /// Other names that stay.
    pub links: Vec<PathBuf>,
    /// What has it open.
    pub held_by: Vec<Holder>,
    /// Why it cannot be used now; `None` when it can.
    pub blocked: Option<String>,
}

impl SerialPort {
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("serial port  {}", self.port.display())];
        if self.port != self.file {
            lines.push(format!("  {:<10} {}", "now", self.file.display()));
        }
        if let Some(blocked) = &self.blocked {
            lines.push(format!("  {:<10} {blocked}", "blocked"));
        }
        lines
    }
}

/// Every port below `root` that has a device behind it.
pub(super) fn ports(root: &Path, holders: &Holders) -> Vec<SerialPort> {
    let entries = fs::read_dir(root.join("sys/class/tty"));
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("device").exists() && is_there(&entry.path()))
        .filter_map(|entry| Some(entry.file_name().to_str()?.to_owned()))
        .collect();
    names.sort();
    names.truncate(MAX_PORTS);
    let describe = |name: String| {
        let file = root.join("dev").join(&name);
        let links = links(root, &name);
        let held_by = holders.with(&file);
        let blocked = match (held_by.is_empty(), access(&file)) {
            (false, _) => Some(format!("held by {}", described(&held_by))),
            (true, Err(reason)) => Some(reason),
            (true, Ok(())) => None,
        };
        SerialPort {
            port: links.first().cloned().unwrap_or_else(|| file.clone()),
            file,
            links,
            held_by,
            blocked,
        }
    };
    names.into_iter().map(describe).collect()
}

/// Whether this user may read and write a device; otherwise why not.
///
/// # Errors
/// The owner, the group and the mode that stand in the way, or that it does not exist.
pub(crate) fn access(file: &Path) -> Result<(), String> {
    may(file, Access::READ_OK | Access::WRITE_OK).map_err(|error| {
        let reason = std::io::Error::from(error);
        match fs::metadata(file) {
            Ok(about) => format!(
                "{reason}: it belongs to user {} and group {}, mode {:o}",
                about.uid(),
                group_name(about.gid()),
                about.mode() & 0o777
            ),
            Err(_) => reason.to_string(),
        }
    })
}

/// The name of a group, or its number.
pub(crate) fn group_name(gid: u32) -> String {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let named = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| gid.to_string())
}

/// The kernel reserves names of ports that the machine does not have; those are of no type.
fn is_there(folder: &Path) -> bool {
    fs::read_to_string(folder.join("type")).is_ok_and(|kind| kind.trim() != "0")
        || !folder.join("type").exists()
}

/// Names of a port that stay; those by identity before those by port.
fn links(root: &Path, name: &str) -> Vec<PathBuf> {
    let mut links = Vec::new();
    for folder in ["by-id", "by-path"] {
        let folder = root.join("dev/serial").join(folder);
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|link| {
                fs::read_link(link).is_ok_and(|to| to.file_name().is_some_and(|own| *own == *name))
            })
            .collect();
        found.sort();
        links.append(&mut found);
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn ports_with_a_device_behind_them_are_listed_by_the_name_that_stays() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for (name, kind) in [
            ("ttyUSB0", None),
            ("ttyS0", Some("0")),
            ("ttyS1", Some("4")),
        ] {
            let folder = at("sys/class/tty").join(name);
            fs::create_dir_all(folder.join("device")).unwrap();
            if let Some(kind) = kind {
                fs::write(folder.join("type"), kind).unwrap();
            }
        }
        fs::create_dir_all(at("sys/class/tty/tty1")).unwrap();
        fs::create_dir_all(at("dev/serial/by-id")).unwrap();
        fs::write(at("dev/ttyUSB0"), "").unwrap();
        fs::write(at("dev/ttyS1"), "").unwrap();
        symlink("../../ttyUSB0", at("dev/serial/by-id/usb-FTDI-if00")).unwrap();
        let holders = Holders {
            list: vec![Holder {
                pid: 5,
                program: "minicom".into(),
                path: at("dev/ttyUSB0"),
            }],
            complete: true,
        };
        let [serial, usb] = &ports(root.path(), &holders)[..] else {
            panic!("two ports are there");
        };
        assert_eq!(serial.port, at("dev/ttyS1"));
        assert_eq!(serial.blocked, None);
        assert_eq!(usb.port, at("dev/serial/by-id/usb-FTDI-if00"));
        assert_eq!(usb.file, at("dev/ttyUSB0"));
        assert_eq!(usb.blocked.as_deref(), Some("held by minicom (process 5)"));
    }

    #[test]
    fn a_port_that_is_not_there_says_so() {
        let reason = access(Path::new("/dev/no-such-port")).unwrap_err();
        assert!(reason.contains("No such file"), "{reason}");
    }
}
