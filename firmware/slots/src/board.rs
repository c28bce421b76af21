//! Which board this is.

use std::fs;

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
/// [`SlotsError::UnknownBoard`] for a board that the project does not know.
pub fn own_board() -> Result<&'static str, SlotsError> {
    match fs::read_to_string(MODEL) {
        Ok(model) => {
            let model = model.trim_end_matches(['\0', '\n']).to_owned();
            board_of_model(&model).ok_or(SlotsError::UnknownBoard(model))
        }
        Err(_) => Ok("pc"),
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
}
