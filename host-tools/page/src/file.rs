//! Pages as files: where one may go, and putting it there.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What every page begins with, whatever the case of its letters.
const BEGIN: &[u8] = b"<!doctype html";

/// Refuses a place where something else than a page is, such as the recording that the page is about.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or why it cannot be seen what is there.
pub fn may_be_written(place: &Path) -> io::Result<()> {
    let mut file = match File::open(place) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut begin = [0; BEGIN.len()];
    let is_page = file.read_exact(&mut begin).is_ok() && begin.eq_ignore_ascii_case(BEGIN);
    if is_page {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!(
            "{} exists and is not a page; it is left alone: choose another name",
            place.display()
        ),
    ))
}

/// Writes a page to a place that [`may_be_written`], whole or not at all.
///
/// # Errors
/// Why it cannot be written.
pub fn write(place: &Path, html: &str) -> io::Result<()> {
    let folder = place
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Of a name that nobody can foresee, and as readable as a new file of this user is.
    let mut partial = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(plain)?;
    partial.write_all(html.as_bytes()).map_err(plain)?;
    partial
        .persist(place)
        .map(drop)
        .map_err(|error| plain(error.error))
}

/// The error without the name of a file that nobody asked for.
fn plain(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path \"") {
        Some((reason, _)) => io::Error::new(error.kind(), reason),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_somebody_laid_beside_a_page_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.html");
        let other = folder.path().join("other");
        std::fs::write(&other, "mine").unwrap();
        let link = place.with_extension(format!("partial{}", std::process::id()));
        std::os::unix::fs::symlink(&other, link).unwrap();
        write(&place, "<!doctype html>").unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"mine");
        assert_eq!(std::fs::read(&place).unwrap(), b"<!doctype html>");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told_without_another_name() {
        let error = write(Path::new("/proc/a.html"), "").unwrap_err();
        assert!(!error.to_string().contains(".tmp"), "{error}");
    }

    #[test]
    fn only_a_page_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.html");
        may_be_written(&place).unwrap();
        std::fs::write(&place, crate::Page::new("t", crate::Html::text("i")).html()).unwrap();
        may_be_written(&place).unwrap();
        for other in ["", "RIFF", "<html>"] {
            std::fs::write(&place, other).unwrap();
            let refused = may_be_written(&place).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists, "{other}");
        }
    }
}
