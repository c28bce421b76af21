//! ALSA capture: reads a device, and survives what happens to devices.
//!
//! | what happens              | answer                                                                   |
//! |---------------------------|--------------------------------------------------------------------------|
//! | overrun (EPIPE)           | prepare, start, a gap of as long as nothing was read                     |
//! | suspend (ESTRPIPE)        | resume, or prepare where the driver cannot; a gap                        |
//! | nothing comes             | stalled after 2 s; after 5 s closed and opened anew                      |
//! | the capture switch is off | closed, until it is on                                                   |
//! | gone (any other)          | closed, sought by its identity with growing waits, opened; a gap         |

mod identity;
mod mixer;
mod negotiate;
mod offers;
mod open;
mod read;

use std::sync::{Arc, Mutex, PoisonError};

use ::alsa::Output;

use self::mixer::MixerName;
pub use self::offers::Offers;
pub(super) use self::offers::offers;
pub(super) use self::open::links;
use self::open::{Finder, Opened};
use self::read::AlsaDevice;
use super::feed::Feed;
use super::{
    CaptureError, CaptureOptions, Format, Link, MuteSwitch, Source, Writer, device, realtime,
};

/// An open device.
pub(super) struct AlsaSource {
    name: String,
    finder: Finder,
    opened: Opened,
    mute_switch: MuteSwitch,
}

impl AlsaSource {
    /// Opens a device by the name that ALSA knows it by, or by its link in /dev/snd, and settles what it delivers.
    pub(super) fn open(name: &str, options: &CaptureOptions) -> Result<Self, CaptureError> {
        let mut finder = Finder::new(name, options);
        let opened = finder.open()?;
        Ok(AlsaSource {
            name: name.to_owned(),
            finder,
            opened,
            mute_switch: options.mute_switch.clone(),
        })
    }
}

impl Source for AlsaSource {
    fn format(&self) -> Format {
        self.opened.negotiated.format
    }

    fn is_live(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        format!(
            "ALSA device {:?} ({:?})",
            self.name, self.opened.negotiated.encoding
        )
    }

    fn run(self: Box<Self>, writer: Writer, link: Link) -> Result<(), CaptureError> {
        let format = self.format();
        let AlsaSource {
            name,
            mut finder,
            opened,
            mute_switch,
        } = *self;
        // Frees the thread's standard error from alsa-lib's own messages.
        let _quiet = Output::local_error_handler();
        let mixer = MixerName::new(Mutex::new(opened.mixer.clone()));
        mixer::watch(&mixer, mute_switch, link.mute.clone());
        realtime::ask();
        let feed = Feed::new(
            writer,
            link,
            format!("the microphone {name:?}"),
            format,
            true,
        );
        let noted = Arc::clone(&mixer);
        device::keep(AlsaDevice::new(&name, opened), feed, || {
            let opened = finder.reopen(format)?;
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = opened.mixer.clone();
            Ok(AlsaDevice::new(&name, opened))
        })
    }
}

/// What the system calls an error of alsa-lib.
fn cause(error: ::alsa::Error) -> String {
    std::io::Error::from_raw_os_error(error.errno()).to_string()
}
