//! Which capture devices exist.

use ::cpal::traits::{DeviceTrait, HostTrait};
use alsa::device_name::HintIter;
use alsa::{Direction, Output};

use super::alsa::links as alsa_links;

/// What alsa-lib lists besides devices: converters, which are of use only inside a configuration.
const NO_DEVICES: [&str; 8] = [
    "null",
    "lavrate",
    "samplerate",
    "speexrate",
    "speex",
    "upmix",
    "vdownmix",
    "jack",
];

/// The names of ALSA capture devices, as they are written after `alsa:`.
pub(super) fn alsa_names() -> Vec<String> {
    // What alsa-lib has to say about devices that it cannot look into would only confuse.
    let _quiet = Output::local_error_handler();
    let hints = HintIter::new(None, c"pcm").into_iter().flatten();
    let named = hints
        .filter(|hint| hint.direction != Some(Direction::Playback))
        .filter_map(|hint| hint.name)
        .filter(|name| !NO_DEVICES.contains(&name.as_str()));
    alsa_links().into_iter().chain(named).collect()
}

/// The names of the system's input devices, as they are written after `cpal:`.
pub(super) fn cpal_names() -> Vec<String> {
    let _quiet = Output::local_error_handler();
    let Ok(devices) = ::cpal::default_host().input_devices() else {
        return Vec::new();
    };
    let mut names: Vec<String> = devices
        .filter_map(|device| device.id().ok())
        .map(|id| id.id().to_owned())
        .collect();
    names.retain(|name| name != "default" && !NO_DEVICES.contains(&name.as_str()));
    names.sort();
    names.dedup();
    names
}

/// Every capture device, one source name per line, as `--source` takes it.
pub fn list_devices() -> Vec<String> {
    let alsa = alsa_names().into_iter().map(|name| format!("alsa:{name}"));
    let cpal = cpal_names().into_iter().map(|name| format!("cpal:{name}"));
    alsa.chain(std::iter::once("cpal:default".to_owned()))
        .chain(cpal)
        .collect()
}
