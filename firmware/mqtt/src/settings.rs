//! The broker, and who we are to it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::Failure;

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
    /// [`Failure::Authentication`] when the file cannot be read.
    pub fn read(&self) -> Result<Option<Secret>, Failure> {
        let path = match self {
            Password::None => return Ok(None),
            Password::Given(secret) => return Ok(Some(secret.clone())),
            Password::File(path) => path,
        };
        let text = std::fs::read_to_string(path).map_err(|reason| {
            Failure::Authentication(format!("{} cannot be read: {reason}", path.display()))
        })?;
        Ok(Some(Secret::new(text.lines().next().unwrap_or_default())))
    }
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
