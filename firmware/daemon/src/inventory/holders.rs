//! Which processes have a device open.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// A process that has a device open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Number of the process.
    pub pid: u32,
    /// Name of its program, as the kernel knows it.
    pub program: String,
    /// What it has open.
    #[serde(skip)]
    pub path: PathBuf,
}

/// The processes that have something open below a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holders {
    pub(crate) list: Vec<Holder>,
    /// Every process could be looked into.
    pub(crate) complete: bool,
}

impl Holders {
    /// Looks at every process but this one.
    pub(crate) fn of(folder: &Path) -> Self {
        Self::below(Path::new("/proc"), folder, std::process::id())
    }

    fn below(proc: &Path, folder: &Path, own: u32) -> Self {
        let mut found = Holders {
            complete: true,
            ..Holders::default()
        };
        let processes = fs::read_dir(proc).into_iter().flatten().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        for pid in ids.filter(|pid| *pid != own) {
            let process = proc.join(pid.to_string());
            let open = match fs::read_dir(process.join("fd")) {
                Ok(open) => open,
                Err(error) => {
                    // One that has ended meanwhile holds nothing.
                    found.complete &= error.kind() != std::io::ErrorKind::PermissionDenied;
                    continue;
                }
            };
            let paths: BTreeSet<PathBuf> = open
                .flatten()
                .filter_map(|entry| fs::read_link(entry.path()).ok())
                .filter(|path| path.starts_with(folder))
                .collect();
            let program = || fs::read_to_string(process.join("comm")).unwrap_or_default();
            found.list.extend(paths.into_iter().map(|path| Holder {
                pid,
                program: program().trim().to_owned(),
                path,
            }));
        }
        found
    }

    /// Those that have this very file open.
    pub(crate) fn with(&self, path: &Path) -> Vec<Holder> {
        let same = |holder: &&Holder| holder.path == path;
        self.list.iter().filter(same).cloned().collect()
    }
}

/// Holders for people: `arecord (process 12)`, each process once.
pub(crate) fn described(holders: &[Holder]) -> String {
    let mut names: Vec<String> = holders
        .iter()
        .map(|holder| format!("{} (process {})", holder.program, holder.pid))
        .collect();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_a_file_open_is_found_by_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("pcmC0D0c");
        let open = fs::File::create(&path).unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .stdin(open)
            .spawn()
            .unwrap();
        // Between fork and exec the child still has the name of this program.
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let found = loop {
            let found = Holders::of(path.parent().unwrap()).with(&path);
            let runs = found.iter().any(|holder| holder.program == "sleep");
            if runs || std::time::Instant::now() > until {
                break found;
            }
        };
        let pid = child.id();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(described(&found), format!("sleep (process {pid})"));
        assert_eq!(Holders::of(path.parent().unwrap()).with(&path), []);
    }
}
