//! Which board this is.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::SlotsError;

/// Where the kernel tells the maker's name of the board.
const MODEL: &str = "/proc/device-tree/model";

/// A board that the project knows.
#[derive(Debug)]
pub struct KnownBoard {
    /// Its folder in `boards/`.
    pub name: &'static str,
    /// How the kernel's name for it begins.
    pub model: &'static str,
    /// Its `board.toml`.
    pub file: &'static str,
}

macro_rules! boards {
    ($($name:literal: $model:literal),* $(,)?) => {
        [$(KnownBoard {
            name: $name,
            model: $model,
            file: include_str!(concat!("../../../boards/", $name, "/board.toml")),
        }),*]
    };
}

/// All of them, by name; no model begins like another.
pub static BOARDS: [KnownBoard; 6] = boards!(
    "jetson-nano": "NVIDIA Jetson Nano",
    "jetson-orin-nano": "NVIDIA Jetson Orin Nano",
    "rpi-3": "Raspberry Pi 3",
    "rpi-4": "Raspberry Pi 4",
    "rpi-5": "Raspberry Pi 5",
    "rpi-zero-2w": "Raspberry Pi Zero 2",
);

/// The `board.toml` of a name.
pub fn board_file(name: &str) -> Option<&'static str> {
    let board = BOARDS.iter().find(|board| board.name == name)?;
    Some(board.file)
}

/// The board by the kernel's name for it.
pub fn board_of_model(model: &str) -> Option<&'static str> {
    BOARDS
        .iter()
        .find(|board| model.starts_with(board.model))
        .map(|board| board.name)
}

/// The board that this program runs on; a machine without a device tree is `pc`.
///
/// # Errors
/// [`SlotsError::UnknownBoard`] for a board that the project does not know, [`SlotsError::Io`] where the kernel's name for
/// it cannot be read.
pub fn own_board() -> Result<&'static str, SlotsError> {
    board_in(Path::new(MODEL))
}

fn board_in(path: &Path) -> Result<&'static str, SlotsError> {
    match fs::read(path) {
        Ok(model) => {
            let model = String::from_utf8_lossy(&model);
            let model = model.trim_end_matches(['\0', '\n']).to_owned();
            board_of_model(&model).ok_or(SlotsError::UnknownBoard(model))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok("pc"),
        Err(error) => Err(SlotsError::io("read", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_known_by_the_kernels_name() {
        for (model, board) in [
            ("Raspberry Pi 4 Model B Rev 1.4", Some("rpi-4")),
            ("Raspberry Pi Zero 2 W Rev 1.0", Some("rpi-zero-2w")),
            ("NVIDIA Jetson Nano Developer Kit", Some("jetson-nano")),
            (
                "NVIDIA Jetson Orin Nano Developer Kit",
                Some("jetson-orin-nano"),
            ),
            ("Raspberry Pi Zero W Rev 1.1", None),
            ("", None),
        ] {
            assert_eq!(board_of_model(model), board, "{model}");
        }
    }

    #[test]
    fn a_device_tree_that_cannot_be_read_is_no_pc() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        assert_eq!(board_in(&path).unwrap(), "pc");
        fs::write(&path, b"Raspberry Pi 5 \xff\0").unwrap();
        assert_eq!(board_in(&path).unwrap(), "rpi-5");
        fs::write(&path, "\0").unwrap();
        assert_eq!(board_in(&path).unwrap_err().code(), "unknown-board");
        let error = board_in(folder.path()).unwrap_err();
        assert_eq!(error.code(), "io");
        let shown = folder.path().display().to_string();
        assert!(error.to_string().contains(&shown), "{error}");
    }
}
