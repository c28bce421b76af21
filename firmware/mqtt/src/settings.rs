//! The broker, and who we are to it.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::Failure;

/// Bytes of a user or a password, at most (MQTT 3.1.1, 1.5.3).
pub const MAX_TEXT_BYTES: usize = 65_535;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// Where the password is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Password {
    /// There is none.
    #[default]
    None,
    /// Here.
    Given(Secret),
    /// In the first line of a file, which is read anew for every connection.
    File(PathBuf),
}

impl Password {
    /// The password, if there is one.
    ///
    /// # Errors
    /// [`Failure::Authentication`] when the file cannot be read or its first line is empty, and when the password is longer
    /// than [`MAX_TEXT_BYTES`].
    pub fn read(&self) -> Result<Option<Secret>, Failure> {
        let refuse = |reason: String| Err(Failure::Authentication(reason));
        let (secret, place) = match self {
            Password::None => return Ok(None),
            Password::Given(secret) => (secret.clone(), "the password".to_owned()),
            Password::File(path) => {
                let shown = path.display();
                match first_line(path) {
                    Err(reason) => return refuse(format!("{shown} cannot be read: {reason}")),
                    Ok(line) if line.is_empty() => {
                        return refuse(format!(
                            "the first line of {shown} is empty: write the password there"
                        ));
                    }
                    Ok(line) => (Secret(line), format!("the first line of {shown}")),
                }
            }
        };
        if secret.reveal().len() > MAX_TEXT_BYTES {
            return refuse(format!(
                "{place} is longer than {MAX_TEXT_BYTES} bytes, which no password of MQTT is"
            ));
        }
        Ok(Some(secret))
    }
}

/// The first line of a file without its end, cut where it is longer than any password.
fn first_line(path: &Path) -> io::Result<String> {
    let mut line = String::new();
    let most = MAX_TEXT_BYTES as u64 + 2;
    BufReader::new(File::open(path)?.take(most)).read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

/// The PEM files of TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Who may sign the broker's certificate; whom the system trusts when left out.
    pub ca: Option<PathBuf>,
    /// Our own certificate, with whatever leads to its authority.
    pub certificate: Option<PathBuf>,
    /// Its key; without both of them we have no certificate.
    pub key: Option<PathBuf>,
}

/// What the broker publishes, retained and with QoS 1, when we are gone without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: String,
}

/// The broker, and who we are to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Name or address of the broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS, if any.
    pub tls: Option<TlsFiles>,
    /// Our name at the broker; another client of the same name takes our place.
    pub client_id: String,
    /// The user.
    pub user: Option<String>,
    /// The password.
    pub password: Password,
    /// Seconds of silence before the broker is asked whether it is there.
    pub keep_alive_s: u16,
    /// The longest wait between two tries to connect.
    pub retry_max: Duration,
    /// The last will, if any.
    pub will: Option<Will>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(content: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let read = Password::File(file.path().to_owned()).read();
        let shown = file.path().display().to_string();
        let refused = |failure: Failure| failure.cause().replace(&shown, "FILE");
        read.map(|secret| secret.unwrap().reveal().to_owned())
            .map_err(refused)
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        for content in [&b"pass word"[..], b"pass word\n", b"pass word\r\nnext\n"] {
            assert_eq!(of_file(content).unwrap(), "pass word");
        }
        let longest = vec![b'x'; MAX_TEXT_BYTES];
        assert_eq!(of_file(&longest).unwrap().len(), MAX_TEXT_BYTES);
    }

    #[test]
    fn what_is_no_password_is_refused_with_its_place_and_is_not_shown() {
        let empty = "the first line of FILE is empty: write the password there";
        assert_eq!(of_file(b"").unwrap_err(), empty);
        assert_eq!(of_file(b"\nhunter2\n").unwrap_err(), empty);
        let told = of_file(b"\xff\n").unwrap_err();
        assert!(told.starts_with("FILE cannot be read: "), "{told}");

        let long = vec![b'x'; MAX_TEXT_BYTES + 1];
        let told = of_file(&long).unwrap_err();
        assert!(
            told.starts_with("the first line of FILE is longer than 65535 bytes"),
            "{told}"
        );
        let given = Password::Given(Secret::new(String::from_utf8(long).unwrap()));
        let told = given.read().unwrap_err().to_string();
        assert!(
            told.contains("the password is longer than 65535 bytes"),
            "{told}"
        );
        // A file without an end is read no further than that.
        let told = Password::File("/dev/zero".into())
            .read()
            .unwrap_err()
            .to_string();
        assert!(told.contains("/dev/zero is longer than"), "{told}");
    }
}
