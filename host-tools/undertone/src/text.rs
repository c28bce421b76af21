//! Text in the forms that others read: words for a shell, bytes as hexadecimal digits, files of bounded length.

use std::io::{self, ErrorKind, Read};

/// A word for a shell, whatever it holds; one without special characters stays as it is.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=:,@+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Two small hexadecimal digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a text to its end.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] for one of more than `most` bytes, [`ErrorKind::InvalidData`] for what is not UTF-8, or why
/// it cannot be read.
pub(crate) fn bounded(source: impl Read, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes)?;
    // Before it is read as text: the limit may lie inside of a letter.
    if bytes.len() as u64 > most {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it is longer than {} KiB", most >> 10),
        ));
    }
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not text (UTF-8)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(
            quoted("/tmp/undertone.x/bundle.utb"),
            "/tmp/undertone.x/bundle.utb"
        );
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's;reboot"), r"'it'\''s;reboot'");
        assert_eq!(quoted("*"), "'*'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_and_not_cut() {
        assert_eq!(bounded(&b"abc"[..], 3).unwrap(), "abc");
        let error = bounded("aä".as_bytes(), 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(
            bounded(&b"\xff"[..], 3).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
    }

    #[test]
    fn bytes_have_two_digits_each() {
        assert_eq!(hex(&[0, 0x0f, 0xa0]), "000fa0");
    }
}
