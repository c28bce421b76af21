//! Which board this is.

use std::fs;

use crate::error::SlotsError;

/// Where the kernel tells the maker's name of the board.
const MODEL: &str = "/proc/device-tree/model";

/// Boards that the project knows, and how the kernel names them; the first fit counts.
pub const BOARDS: [(&str, &str); 6] = [
    ("Raspberry Pi Zero 2", "rpi-zero-2w"),
    ("Raspberry Pi 3", "rpi-3"),
    ("Raspberry Pi 4", "rpi-4"),
    ("Raspberry Pi 5", "rpi-5"),
    ("NVIDIA Jetson Orin Nano", "jetson-orin-nano"),
    ("NVIDIA Jetson Nano", "jetson-nano"),
];

/// The board by the kernel's name for it.
pub fn board_of_model(model: &str) -> Option<&'static str> {
    BOARDS
        .iter()
        .find(|(start, _)| model.starts_with(start))
        .map(|(_, board)| *board)
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
