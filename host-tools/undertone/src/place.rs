//! A place for a new file, looked at before the work whose outcome it is to hold.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use anyhow::Result;
use rustix::fs::{Access, access};

use crate::failure::Failure;

/// The folder that a file is, or would be, in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Refuses a place that could not take a new file: its folder is missing, is none, or may not be written to.
pub(crate) fn must_take(path: &Path) -> Result<()> {
    let shown = path.display();
    if path.as_os_str().as_bytes().ends_with(b"/") || path.file_name().is_none() {
        return Err(Failure::error(
            "no-file-name",
            format!("{shown} names a folder, and a file is to be written"),
            "add a name for the file to it",
        ));
    }
    let folder = folder_of(path);
    match std::fs::metadata(folder) {
        Ok(about) if about.is_dir() => {}
        Ok(_) => {
            return Err(Failure::error(
                "no-folder",
                format!(
                    "{} is a file, so {shown} cannot be written",
                    folder.display()
                ),
                "name a place in a folder",
            ));
        }
        Err(error) => return Err(refused(path, &error)),
    }
    let may = access(folder, Access::WRITE_OK | Access::EXEC_OK);
    may.map_err(|error| refused(path, &error.into()))
}

/// Why a new file cannot be written there.
pub(crate) fn refused(path: &Path, reason: &io::Error) -> anyhow::Error {
    let (shown, folder) = (path.display(), folder_of(path));
    if !folder.exists() {
        let folder = folder.display();
        return Failure::error(
            "no-folder",
            format!("the folder {folder} does not exist, so {shown} cannot be written"),
            format!("mkdir -p '{folder}', or name another place"),
        );
    }
    let next = match reason.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!(
                "make room, or name another place: df -h '{}'",
                folder.display()
            )
        }
        _ => format!(
            "name another place; ls -ld '{}' shows who may write there",
            folder.display()
        ),
    };
    // Not what tempfile adds: the name of a file that nobody asked for.
    let reason = reason.to_string();
    let reason = reason.split(" at path \"").next().unwrap_or(&reason);
    Failure::error(
        "cannot-write",
        format!("cannot write {shown}: {reason}"),
        next,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &str) -> String {
        let error = must_take(Path::new(path)).unwrap_err();
        error.downcast_ref::<Failure>().unwrap().code.clone()
    }

    #[test]
    fn a_place_that_cannot_take_a_file_is_refused_before_the_work() {
        assert_eq!(code("/nodir/x.zip"), "no-folder");
        assert_eq!(code("/etc/hostname/x"), "no-folder");
        for folder in ["ro/", "/", ".."] {
            assert_eq!(code(folder), "no-file-name", "{folder}");
        }
        must_take(Path::new("x.zip")).unwrap();
        must_take(&std::env::temp_dir().join("x.zip")).unwrap();
    }

    #[test]
    fn a_temporary_name_is_not_told() {
        let error = tempfile::NamedTempFile::new_in("/proc").unwrap_err();
        let told = refused(Path::new("/proc/x.zip"), &error).to_string();
        assert!(
            told.starts_with("cannot write /proc/x.zip: ") && !told.contains(".tmp"),
            "{told}"
        );
    }
}
