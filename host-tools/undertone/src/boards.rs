//! The boards that the project knows, from `boards/`.

use anyhow::{Context, Result};
use serde::Deserialize;
use undertone_slots::{BOARDS, board_file};

use crate::failure::Failure;

/// What the tools need of a `board.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Board {
    pub(crate) title: String,
    pub(crate) target: String,
    pub(crate) target_32bit: Option<String>,
    pub(crate) audio: Vec<Audio>,
}

/// A way to hear.
#[derive(Debug, Deserialize)]
pub(crate) struct Audio {
    pub(crate) kind: String,
    pub(crate) setup: Vec<String>,
}

/// Names of all boards, and `pc` for a machine that is none.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BOARDS.iter().map(|board| board.name).chain(["pc"])
}

/// The board of a name.
pub(crate) fn named(name: &str) -> Result<Board> {
    let Some(text) = board_file(name) else {
        return Err(unknown(name));
    };
    toml::from_str(text).with_context(|| format!("boards/{name}/board.toml"))
}

/// Refuses a name that is none of a board.
pub(crate) fn must_know(name: &str) -> Result<()> {
    if names().any(|known| known == name) {
        return Ok(());
    }
    Err(unknown(name))
}

/// A name that is none of a board.
pub(crate) fn unknown(name: &str) -> anyhow::Error {
    let known: Vec<&str> = names().collect();
    Failure::error(
        "unknown-board",
        format!("{name:?} is not a known board"),
        format!("name one of {}", known.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_is_read_by_the_tools_too() {
        for known in &BOARDS {
            let board = named(known.name).unwrap();
            assert!(!board.title.is_empty() && !board.target.is_empty());
            assert!(
                board
                    .audio
                    .iter()
                    .any(|audio| audio.kind == "usb" && audio.setup.is_empty())
            );
        }
        assert!(named("toaster").is_err());
    }
}
