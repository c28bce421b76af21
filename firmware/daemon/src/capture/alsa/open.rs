//! Opening a device by its name, and the same one again.

use std::ffi::CString;

use ::alsa::pcm::PCM;
use ::alsa::{Direction, Output};

use super::cause;
use super::identity::{CardName, Cards, Identity};
use super::negotiate::{self, Negotiated};
use crate::capture::{CaptureError, CaptureOptions, Format, devices};

/// Finds a device, and the same one after it was away.
pub(super) struct Finder {
    name: String,
    options: CaptureOptions,
    cards: Cards,
    /// The card that was opened first, and how its device is called; not for devices that are no card's.
    known: Option<(Identity, CardName)>,
}

/// A device that was opened.
pub(super) struct Opened {
    pub(super) pcm: PCM,
    pub(super) negotiated: Negotiated,
    /// The mixer of its card, where it has one.
    pub(super) mixer: Option<String>,
}

impl Finder {
    pub(super) fn new(name: &str, options: &CaptureOptions) -> Self {
        Finder {
            name: name.to_owned(),
            options: options.clone(),
            cards: Cards::of_system(),
            known: None,
        }
    }

    /// Opens it by its name, and remembers which microphone that is.
    pub(super) fn open(&mut self) -> Result<Opened, CaptureError> {
        let _quiet = Output::local_error_handler();
        let name = self.resolved().ok_or_else(|| CaptureError::Missing {
            name: self.name.clone(),
            reason: format!("/dev/snd/{} does not exist", self.name),
            available: devices::alsa_names(),
        })?;
        let opened = self.open_as(&name).map_err(with_list)?;
        self.known = CardName::parse(&name).and_then(|card| {
            let number = self.cards.number(&card.card)?;
            Some((self.cards.identify(number)?, card))
        });
        Ok(opened)
    }

    /// Opens the same microphone again; it must deliver what it did before.
    pub(super) fn reopen(&mut self, before: Format) -> Result<Opened, CaptureError> {
        let _quiet = Output::local_error_handler();
        self.options.device_rate = Some(before.rate);
        self.options.device_channels = u32::try_from(before.channels).ok();
        let by_link = is_link(&self.name);
        let name = match &self.known {
            Some((identity, device)) if !by_link => {
                self.cards.find(identity).map(|card| device.on_card(card))
            }
            _ => self.resolved(),
        };
        let name = name.ok_or_else(|| CaptureError::Missing {
            name: self.name.clone(),
            reason: "no card is this microphone".into(),
            available: Vec::new(),
        })?;
        self.open_as(&name)
    }

    /// The name that ALSA knows; `None` for a link that leads nowhere.
    fn resolved(&self) -> Option<String> {
        if !is_link(&self.name) {
            return Some(self.name.clone());
        }
        let card = self.cards.linked(&self.name)?;
        Some(format!("hw:{card},0"))
    }

    fn open_as(&self, name: &str) -> Result<Opened, CaptureError> {
        let c_name = CString::new(name).map_err(|error| CaptureError::Device {
            name: self.name.clone(),
            action: "be looked up",
            reason: error.to_string(),
        })?;
        let pcm = PCM::open(&c_name, Direction::Capture, true)
            .map_err(|error| open_error(&self.name, error))?;
        let negotiated = negotiate::settle(&self.name, &pcm, &self.options)?;
        let card = pcm.info().map_or(-1, |info| info.get_card());
        let of_card = || u32::try_from(card).ok().map(|card| format!("hw:{card}"));
        let mixer = self.options.mixer.clone().or_else(of_card);
        Ok(Opened {
            pcm,
            negotiated,
            mixer,
        })
    }
}

/// Names of cards in /dev/snd.
pub(in crate::capture) fn links() -> Vec<String> {
    Cards::of_system().links()
}

fn is_link(name: &str) -> bool {
    name.starts_with("by-id/") || name.starts_with("by-path/")
}

pub(super) fn open_error(name: &str, error: ::alsa::Error) -> CaptureError {
    let (name, reason) = (name.to_owned(), cause(error));
    match error.errno() {
        // A number that no card can have is EINVAL.
        libc::ENOENT | libc::ENODEV | libc::ENXIO | libc::ECONNREFUSED | libc::EINVAL => {
            CaptureError::Missing {
                name,
                reason,
                available: Vec::new(),
            }
        }
        libc::EBUSY => CaptureError::Busy { name, reason },
        libc::EACCES | libc::EPERM => CaptureError::Denied { name, reason },
        _ => CaptureError::Device {
            name,
            action: "open",
            reason,
        },
    }
}

/// Making the list costs too much for every attempt to find a lost device.
fn with_list(error: CaptureError) -> CaptureError {
    match error {
        CaptureError::Missing { name, reason, .. } => CaptureError::Missing {
            name,
            reason,
            available: devices::alsa_names(),
        },
        other => other,
    }
}
