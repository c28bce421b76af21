//! What is to run, as far as it is there.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{CURRENT, Slot};
use crate::error::SlotsError;
use crate::manifest::FileKind;

/// The files of the slot that is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The slot.
    pub slot: Slot,
    /// The program.
    pub daemon: PathBuf,
    /// The model; none: the one inside the program.
    pub model: Option<PathBuf>,
    /// The configuration; none: the box's own.
    pub configuration: Option<PathBuf>,
}

impl Contents {
    pub(super) fn of(root: &Path) -> Result<Option<Self>, SlotsError> {
        let current = root.join(CURRENT);
        let target = match std::fs::read_link(&current) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SlotsError::io("follow", current)(error)),
            Ok(target) => target,
        };
        let Some(slot) = target.to_str().and_then(Slot::from_name) else {
            return Err(SlotsError::BadState {
                path: current,
                reason: format!("it leads to {target:?}, a or b is expected"),
            });
        };
        let folder = root.join(slot.name());
        let daemon = folder.join(FileKind::Daemon.file_name());
        let is_file = std::fs::metadata(&daemon).and_then(|about| match about.is_file() {
            true => Ok(()),
            false => Err(io::Error::other("it is no regular file")),
        });
        is_file.map_err(|reason| SlotsError::DamagedSlot {
            slot,
            what: format!("{}: {reason}", FileKind::Daemon.file_name()),
        })?;
        // What is there and cannot be read is for the daemon to refuse by name.
        let there = |kind: FileKind| {
            let path = folder.join(kind.file_name());
            let looked = std::fs::symlink_metadata(&path);
            let absent = looked.is_err_and(|error| error.kind() == ErrorKind::NotFound);
            (!absent).then_some(path)
        };
        Ok(Some(Contents {
            slot,
            model: there(FileKind::Model),
            configuration: there(FileKind::Configuration),
            daemon,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn current_leads_to_files_to_nothing_or_to_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(Contents::of(root).unwrap(), None);

        symlink("b", root.join("current")).unwrap();
        let told = Contents::of(root).unwrap_err().to_string();
        assert!(
            told.starts_with("slot b is damaged: undertoned: "),
            "{told}"
        );
        fs::create_dir(root.join("b")).unwrap();
        fs::create_dir(root.join("b/undertoned")).unwrap();
        let told = Contents::of(root).unwrap_err().to_string();
        assert_eq!(told, "slot b is damaged: undertoned: it is no regular file");

        fs::remove_dir(root.join("b/undertoned")).unwrap();
        fs::write(root.join("b/undertoned"), "x").unwrap();
        fs::write(root.join("b/model.onnx"), "x").unwrap();
        let contents = Contents {
            slot: Slot::B,
            daemon: root.join("b/undertoned"),
            model: Some(root.join("b/model.onnx")),
            configuration: None,
        };
        assert_eq!(Contents::of(root).unwrap(), Some(contents));

        fs::remove_file(root.join("current")).unwrap();
        symlink("/bin", root.join("current")).unwrap();
        let error = Contents::of(root).unwrap_err();
        assert_eq!(error.code(), "bad-state");
        assert!(
            error
                .to_string()
                .contains("it leads to \"/bin\", a or b is expected")
        );
        fs::remove_file(root.join("current")).unwrap();
        fs::create_dir(root.join("current")).unwrap();
        assert_eq!(Contents::of(root).unwrap_err().code(), "io");
    }
}
