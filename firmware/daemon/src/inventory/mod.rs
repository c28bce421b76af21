//! `undertoned devices`: microphones and serial ports, what they offer, and what blocks them.
//!
//! In: what the kernel shows in /sys, /proc and /dev. Out: a [`Listing`]. A device that is free is opened for a moment to ask
//! what it offers; nothing is read from it, and none that is in use is disturbed.

mod holders;
mod serial;
mod sound;

use std::path::Path;

use serde::Serialize;

pub use self::holders::Holder;
pub(crate) use self::holders::{Holders, described};
pub use self::serial::SerialPort;
pub(crate) use self::serial::{access, group_name};
pub use self::sound::Microphone;
use crate::capture;

/// List the microphones and serial ports of this box, what they offer, and what blocks them.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Also look at these ALSA devices, as alsa:NAME; cards are found by themselves
    #[arg(value_name = "SOURCE")]
    sources: Vec<capture::SourceSpec>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What there is.
#[derive(Debug, Clone, Serialize)]
pub struct Listing {
    /// Always true; a listing cannot fail.
    pub ok: bool,
    /// Devices of sound cards that capture, then those that were asked for.
    pub microphones: Vec<Microphone>,
    /// Other names that a source may have: virtual devices of ALSA, and those of the system's audio.
    pub other_sources: Vec<String>,
    /// Serial ports.
    pub serial_ports: Vec<SerialPort>,
    /// False when not every process can be looked into, so that a holder may be missing here.
    pub holders_complete: bool,
}

impl Args {
    /// Looks, and prints.
    pub fn run(&self) {
        let listing = list(&self.sources);
        let text = if self.json {
            serde_json::to_string(&listing).unwrap_or_default() + "\n"
        } else {
            for_people(&listing)
        };
        crate::print(&text);
    }
}

/// Looks.
pub(crate) fn list(sources: &[capture::SourceSpec]) -> Listing {
    let holders = Holders::of(Path::new("/dev"));
    let mut microphones = sound::cards(Path::new("/"), &holders);
    for microphone in &mut microphones {
        microphone.ask();
    }
    for source in sources {
        let mut asked = Microphone::named(source);
        asked.ask();
        microphones.push(asked);
    }
    let known = |name: &String| {
        microphones
            .iter()
            .any(|microphone| microphone.is_called(name))
    };
    let mut other_sources = capture::list_devices();
    other_sources.retain(|name| !known(name));
    Listing {
        ok: true,
        other_sources,
        serial_ports: serial::ports(Path::new("/"), &holders),
        holders_complete: holders.complete,
        microphones,
    }
}

fn for_people(listing: &Listing) -> String {
    let mut lines = Vec::new();
    for microphone in &listing.microphones {
        lines.extend(microphone.lines());
    }
    if listing.microphones.is_empty() {
        lines.push("no sound card that can capture".into());
    }
    for port in &listing.serial_ports {
        lines.extend(port.lines());
    }
    if listing.serial_ports.is_empty() {
        lines.push("no serial port".into());
    }
    for name in &listing.other_sources {
        lines.push(format!("source       {name}"));
    }
    if !listing.holders_complete {
        lines.push("what holds a device is shown of your own programs only; sudo shows all".into());
    }
    let plain = |line: String| line.replace(char::is_control, "?") + "\n";
    lines.into_iter().map(plain).collect()
}
