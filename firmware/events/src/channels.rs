//! How the channels of a source are taken.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which channels of a source are analysed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// Their mean, as one channel.
    #[default]
    Mix,
    /// Each by itself.
    Each,
}

impl FromStr for Channels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mix" => Ok(Self::Mix),
            "each" => Ok(Self::Each),
            _ => Err(format!("channels is {text:?}: give mix or each")),
        }
    }
}
