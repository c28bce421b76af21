//! What a device can deliver, without taking anything from it.

use std::ffi::CString;

use ::alsa::pcm::{HwParams, PCM};
use ::alsa::{Direction, Output};
use serde::Serialize;

use super::cause;
use super::negotiate::{ENCODINGS, RATES};
use super::open::open_error;
use crate::capture::CaptureError;

/// What a device can deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offers {
    /// The encodings that are understood here, as `source.device_format` names them; the preferred first.
    pub formats: Vec<&'static str>,
    /// The fewest and the most channels.
    pub channels: [u32; 2],
    /// Those of the usual rates that it has, in Hz; ascending.
    pub rates_hz: Vec<u32>,
}

/// Opens a device by the name that ALSA knows it by, asks, and closes it.
///
/// # Errors
/// Why it cannot be opened or asked.
pub(in crate::capture) fn offers(name: &str) -> Result<Offers, CaptureError> {
    let _quiet = Output::local_error_handler();
    let c_name = CString::new(name).map_err(|error| CaptureError::Device {
        name: name.to_owned(),
        action: "be looked up",
        reason: error.to_string(),
    })?;
    let pcm =
        PCM::open(&c_name, Direction::Capture, true).map_err(|error| open_error(name, error))?;
    let failed = |error| CaptureError::Device {
        name: name.to_owned(),
        action: "say what it offers",
        reason: cause(error),
    };
    let params = HwParams::any(&pcm).map_err(failed)?;
    // What the device has, not what ALSA could make of it.
    let _ = params.set_rate_resample(false);
    let formats = ENCODINGS
        .iter()
        .filter(|(format, _)| params.test_format(*format).is_ok());
    let mut rates_hz: Vec<u32> = RATES
        .into_iter()
        .filter(|rate| params.test_rate(*rate).is_ok())
        .collect();
    rates_hz.sort_unstable();
    Ok(Offers {
        formats: formats.map(|(_, encoding)| encoding.name()).collect(),
        channels: [
            params.get_channels_min().map_err(failed)?,
            params.get_channels_max().map_err(failed)?,
        ],
        rates_hz,
    })
}
