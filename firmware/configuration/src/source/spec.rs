//! How a source is named: `file:PATH`, `stdin`, `alsa:NAME`, `cpal:NAME`, `cpal:default`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

/// Bytes in the name of an ALSA device, at most: alsa-lib 1.2 aborts the process where a message of its own that
/// names the device has more than 255.
const MAX_ALSA_NAME: usize = 150;

/// A source by its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum SourceSpec {
    /// A recording.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// An ALSA capture device by the name that ALSA knows it by.
    Alsa(String),
    /// A device of the system's audio by its name; the default one when `None`.
    Cpal(Option<String>),
}

impl SourceSpec {
    /// True for a device: its samples are of now, and it does not wait.
    pub fn is_live(&self) -> bool {
        match self {
            SourceSpec::Alsa(_) | SourceSpec::Cpal(_) => true,
            SourceSpec::File(_) | SourceSpec::Stdin => false,
        }
    }
}

impl FromStr for SourceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "use one of file:PATH, stdin, alsa:NAME, cpal:NAME, cpal:default";
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        match (kind, name) {
            ("stdin", "") if !text.contains(':') => Ok(SourceSpec::Stdin),
            ("file" | "alsa" | "cpal", "") => {
                Err(format!("it lacks what follows {kind}:; {expected}"))
            }
            ("file", path) => Ok(SourceSpec::File(path.into())),
            ("alsa", name) if name.contains('\0') => Err("it contains a zero byte".to_owned()),
            ("alsa", name) if name.len() > MAX_ALSA_NAME => Err(format!(
                "the name of the ALSA device has {} bytes, but at most {MAX_ALSA_NAME} are taken; give it a short name in \
                 ~/.asoundrc",
                name.len()
            )),
            ("alsa", name) => Ok(SourceSpec::Alsa(name.to_owned())),
            ("cpal", "default") => Ok(SourceSpec::Cpal(None)),
            ("cpal", name) => Ok(SourceSpec::Cpal(Some(name.to_owned()))),
            _ => Err(format!("it is of no known kind; {expected}")),
        }
    }
}

impl TryFrom<String> for SourceSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceSpec::File(path) => write!(f, "file:{}", path.display()),
            SourceSpec::Stdin => f.write_str("stdin"),
            SourceSpec::Alsa(name) => write!(f, "alsa:{name}"),
            SourceSpec::Cpal(name) => write!(f, "cpal:{}", name.as_deref().unwrap_or("default")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_source_reads_back_as_it_was_written() {
        for text in [
            "file:a b.wav",
            "file:/x:y.flac",
            "stdin",
            "alsa:hw:CARD=Mic,DEV=0",
            "cpal:default",
            "cpal:USB Mic",
        ] {
            assert_eq!(text.parse::<SourceSpec>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_device_name_that_alsa_lib_could_not_print_is_refused() {
        assert!(
            format!("alsa:{}", "x".repeat(MAX_ALSA_NAME))
                .parse::<SourceSpec>()
                .is_ok()
        );
        let error = format!("alsa:{}", "x".repeat(MAX_ALSA_NAME + 1))
            .parse::<SourceSpec>()
            .unwrap_err();
        assert!(error.contains("151 bytes"), "{error}");
    }

    #[test]
    fn what_is_no_source_is_refused_with_what_would_be_one() {
        for text in [
            "", "file", "file:", "alsa:", "cpal:", "mic", "stdin:", "stdin:x", "http://x", "File:x",
        ] {
            let error = text.parse::<SourceSpec>().unwrap_err();
            assert!(error.contains("file:PATH, stdin, alsa:NAME"), "{error}");
        }
    }
}
