//! What the kernel says about disks, below a root that a test can put elsewhere.

use std::fs;
use std::path::PathBuf;

/// `/`, or a folder that looks like it.
#[derive(Debug, Clone)]
pub(crate) struct System {
    root: PathBuf,
}

impl Default for System {
    fn default() -> Self {
        System { root: "/".into() }
    }
}

/// Something mounted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// `major:minor` of the device.
    pub(super) device: String,
    /// What was mounted, for instance `/dev/sdb1`.
    pub(super) source: String,
    /// Where.
    pub(super) place: String,
}

impl System {
    #[cfg(test)]
    pub(super) fn below(root: &std::path::Path) -> Self {
        System { root: root.into() }
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// A value of sysfs without its line end.
    pub(super) fn value(&self, below: &str) -> Option<String> {
        let text = fs::read_to_string(self.path(below)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Names in a folder, sorted.
    pub(super) fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(below));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// Everything mounted; proc(5), `/proc/pid/mountinfo`.
    pub(super) fn mounts(&self) -> std::io::Result<Vec<Mount>> {
        let text = fs::read_to_string(self.path("proc/self/mountinfo"))?;
        Ok(text.lines().filter_map(mount).collect())
    }

    /// Devices that are swapped to.
    pub(super) fn swaps(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("proc/swaps")).unwrap_or_default();
        let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
        text.lines().skip(1).filter_map(first).collect()
    }

    /// Where a link of sysfs leads.
    pub(super) fn real(&self, below: &str) -> PathBuf {
        let path = self.path(below);
        path.canonicalize().unwrap_or(path)
    }
}

fn mount(line: &str) -> Option<Mount> {
    let (front, back) = line.split_once(" - ")?;
    let mut front = front.split(' ').skip(2);
    let device = front.next()?.to_owned();
    let place = unescaped(front.nth(1)?);
    let source = unescaped(back.split(' ').nth(1)?);
    Some(Mount {
        device,
        source,
        place,
    })
}

/// The kernel writes blanks as `\040`.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_understood() {
        let line = "36 35 8:17 / /media/my\\040card rw,noatime shared:1 - vfat /dev/sdb1 rw,errors=continue";
        let expected = Mount {
            device: "8:17".into(),
            source: "/dev/sdb1".into(),
            place: "/media/my card".into(),
        };
        assert_eq!(mount(line), Some(expected));
        assert_eq!(mount("36 35 8:17 /"), None);
    }
}
