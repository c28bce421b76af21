//! The SHA-256 that an image file must have: told by `--sha256`, or by a file beside it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::failure::Failure;
use crate::text;

/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;
/// No file of sums is longer.
const MAX_BYTES: u64 = 1 << 20;

/// The sum of the command line, in small letters.
pub(super) fn given(text: &str) -> Result<String> {
    parse(text.trim()).map_err(|reason| {
        Failure::error(
            "bad-sum",
            format!("--sha256 {reason}"),
            "copy it whole from the page that the image is from",
        )
    })
}

/// The sum that a publisher puts beside an image as `IMAGE.sha256`; none where there is no such file.
pub(super) fn beside(image: &Path) -> Result<Option<String>> {
    let mut path = image.as_os_str().to_owned();
    path.push(".sha256");
    let path = PathBuf::from(path);
    let refuse = |reason: String| {
        Failure::error(
            "bad-sum",
            format!("{} {reason}", path.display()),
            "fetch it again, or remove it and pass --sha256 with the sum that the publisher names",
        )
    };
    let read = std::fs::File::open(&path).and_then(|file| text::bounded(file, MAX_BYTES));
    let text = match read {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(format!("cannot be read: {error}"))),
        Ok(text) => text,
    };
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    sum_of(&text, &name).map(Some).map_err(refuse)
}

/// The sum in a text of lines `SUM  NAME` or `SHA256 (NAME) = SUM`: the one line that there is, or the one that has the name.
fn sum_of(text: &str, name: &str) -> Result<String, String> {
    let lines: Vec<(&str, &str)> = text.lines().filter_map(entry).collect();
    match lines[..] {
        [] => Err("is empty".into()),
        [(sum, _)] => parse(sum),
        _ => match lines.iter().find(|(_, of)| *of == name) {
            Some((sum, _)) => parse(sum),
            None => Err(format!("has {} lines, and none is for {name}", lines.len())),
        },
    }
}

/// Sum and name of a line; none for an empty one.
fn entry(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if let Some((name, sum)) = line
        .strip_prefix("SHA256 (")
        .and_then(|rest| rest.rsplit_once(") = "))
    {
        return Some((sum, name));
    }
    let (sum, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    // A star says that it was read as bytes.
    (!line.is_empty()).then_some((sum, name.trim_start().trim_start_matches('*')))
}

/// A sum in small letters, or what is wrong with it.
fn parse(text: &str) -> Result<String, String> {
    if let Some(other) = text.chars().find(|letter| !letter.is_ascii_hexdigit()) {
        return Err(format!(
            "has {other:?} in it, and a SHA-256 has {DIGITS} hexadecimal digits and nothing else"
        ));
    }
    if text.len() != DIGITS {
        return Err(format!(
            "has {} hexadecimal digits, and a SHA-256 has {DIGITS}",
            text.len()
        ));
    }
    Ok(text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_found_in_every_form_that_publishers_use() {
        let (sum, other) = ("Ab".repeat(32), "0".repeat(64));
        for text in [
            sum.clone(),
            format!("{sum}\n"),
            format!("\n{sum}  another-name.img.xz\n"),
            format!("{other}  x.img\n{sum} *os.img\n"),
            format!("SHA256 (os.img) = {sum}\nSHA256 (x.img) = {other}\n"),
        ] {
            assert_eq!(
                sum_of(&text, "os.img").unwrap(),
                sum.to_lowercase(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_sum_is_refused_with_how_many_digits_it_has_and_wants() {
        for (text, told) in [
            ("", "is empty"),
            ("\n \n", "is empty"),
            ("00", "has 2 hexadecimal digits, and a SHA-256 has 64"),
            ("<html>", "has '<' in it"),
            (
                "a  x.img\nb  y.img\n",
                "has 2 lines, and none is for os.img",
            ),
        ] {
            let error = sum_of(text, "os.img").unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
        let error = given("00").unwrap_err().to_string();
        assert_eq!(
            error,
            "--sha256 has 2 hexadecimal digits, and a SHA-256 has 64"
        );
    }
}
