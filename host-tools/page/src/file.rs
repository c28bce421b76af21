//! Pages as files: where one may go, and putting it there.

use std::fs::{self, File};
use std::io::{self, Read};
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
            "{} exists and is no page; it is left alone: choose another name",
            place.display()
        ),
    ))
}

/// Writes a page to a place that [`may_be_written`], whole or not at all.
///
/// # Errors
/// Why it cannot be written.
pub fn write(place: &Path, html: &str) -> io::Result<()> {
    let partial = place.with_extension(format!("partial{}", std::process::id()));
    fs::write(&partial, html)
        .and_then(|()| fs::rename(&partial, place))
        .inspect_err(|_| drop(fs::remove_file(&partial)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
