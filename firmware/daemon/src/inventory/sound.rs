//! Sound cards that capture.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::holders::{Holder, Holders, described};
use crate::capture::{self, Offers, SourceSpec};

/// Cards that are looked at, at most.
const MAX_DEVICES: usize = 64;

/// A device that captures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Microphone {
    /// The name to configure, as in `source.name`: the one that stays when it is plugged in again, where there is one.
    pub source: String,
    /// Its name by the number that the card has now.
    pub now: Option<String>,
    /// What the card calls itself.
    pub title: Option<String>,
    /// What USB says of it: `vendor:product`, and the serial number where it has one.
    pub usb: Option<String>,
    /// Other names that stay.
    pub links: Vec<String>,
    /// The file of the device.
    pub file: Option<PathBuf>,
    /// What it delivers; `None` when it cannot be asked.
    pub offers: Option<Offers>,
    /// What has it open.
    pub held_by: Vec<Holder>,
    /// Why it cannot be used now; `None` when it can.
    pub blocked: Option<String>,
}

impl Microphone {
    /// A device that was asked for by its name.
    pub(super) fn named(source: &SourceSpec) -> Self {
        Microphone {
            source: source.to_string(),
            now: None,
            title: None,
            usb: None,
            links: Vec::new(),
            file: None,
            offers: None,
            held_by: Vec::new(),
            blocked: None,
        }
    }

    /// Opens it for a moment, and asks what it offers.
    pub(super) fn ask(&mut self) {
        let name = self.now.as_ref().unwrap_or(&self.source);
        let Some(name) = name.strip_prefix("alsa:") else {
            self.blocked =
                Some("only ALSA devices (alsa:NAME) can be asked what they offer".into());
            return;
        };
        match capture::offers(name) {
            Ok(offers) => self.offers = Some(offers),
            Err(error) => {
                let holders = described(&self.held_by);
                self.blocked = Some(if holders.is_empty() {
                    // The list of what else exists is part of this listing anyway.
                    error.to_string().lines().next().unwrap_or_default().into()
                } else {
                    format!("held by {holders}")
                });
            }
        }
    }

    /// Whether that is a name of it.
    pub(super) fn is_called(&self, name: &String) -> bool {
        *name == self.source || self.now.as_ref() == Some(name) || self.links.contains(name)
    }

    /// Lines for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "microphone   {}{}",
            self.source,
            self.title
                .as_ref()
                .map_or(String::new(), |title| format!("   {title}"))
        )];
        let mut detail = |name: &str, text: String| lines.push(format!("  {name:<10} {text}"));
        if let Some(now) = self.now.as_ref().filter(|now| **now != self.source) {
            detail("now", now.clone());
        }
        if let Some(offers) = &self.offers {
            let rates: Vec<String> = offers.rates_hz.iter().map(u32::to_string).collect();
            let [least, most] = offers.channels;
            let formats = offers.formats.join(" ");
            detail(
                "offers",
                format!(
                    "{formats}; {least} to {most} channels; {} Hz",
                    rates.join(" ")
                ),
            );
        }
        if let Some(blocked) = &self.blocked {
            detail("blocked", blocked.clone());
        }
        lines
    }
}

/// Every device below `root` that captures, in the order of the cards.
pub(super) fn cards(root: &Path, holders: &Holders) -> Vec<Microphone> {
    let dev = root.join("dev/snd");
    let mut found: Vec<(u32, u32)> = fs::read_dir(&dev)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| numbers(entry.file_name().to_str()?))
        .collect();
    found.sort_unstable();
    found.truncate(MAX_DEVICES);
    let describe = |(card, device): (u32, u32)| {
        let folder = root.join(format!("sys/class/sound/card{card}"));
        let id = line(&folder.join("id"));
        let links = links(&dev, card);
        let now = format!("alsa:hw:{card},{device}");
        // A link names the card, and its first device.
        let stays = links.first().filter(|_| device == 0).cloned();
        let by_id = || Some(format!("alsa:hw:CARD={},DEV={device}", id.clone()?));
        let file = dev.join(format!("pcmC{card}D{device}c"));
        Microphone {
            source: stays.or_else(by_id).unwrap_or_else(|| now.clone()),
            now: Some(now),
            title: title(root, card),
            usb: usb(&folder),
            links,
            offers: None,
            held_by: holders.with(&file),
            file: Some(file),
            blocked: None,
        }
    };
    found.into_iter().map(describe).collect()
}

/// Card and device of `pcmC1D0c`; `None` for whatever does not capture.
fn numbers(name: &str) -> Option<(u32, u32)> {
    let (card, device) = name
        .strip_prefix("pcmC")?
        .strip_suffix('c')?
        .split_once('D')?;
    Some((card.parse().ok()?, device.parse().ok()?))
}

/// Names of a card that stay, as they are written in `source.name`; those by identity before those by port.
fn links(dev: &Path, card: u32) -> Vec<String> {
    let control = format!("controlC{card}");
    let mut links = Vec::new();
    for folder in ["by-id", "by-path"] {
        let entries = fs::read_dir(dev.join(folder))
            .into_iter()
            .flatten()
            .flatten();
        let mut names: Vec<String> = entries
            .filter(|entry| {
                fs::read_link(entry.path())
                    .is_ok_and(|to| to.file_name().is_some_and(|name| *name == *control))
            })
            .filter_map(|entry| Some(format!("alsa:{folder}/{}", entry.file_name().to_str()?)))
            .collect();
        names.sort();
        links.append(&mut names);
    }
    links
}

/// What /proc/asound/cards says of a card: ` 1 [Mic            ]: USB-Audio - USB Microphone`.
fn title(root: &Path, card: u32) -> Option<String> {
    let text = fs::read_to_string(root.join("proc/asound/cards")).ok()?;
    text.lines().find_map(|line| {
        let (number, rest) = line.trim_start().split_once(' ')?;
        let (_, title) = rest.split_once("]: ")?;
        (number.parse() == Ok(card)).then(|| title.trim().to_owned())
    })
}

fn usb(card: &Path) -> Option<String> {
    // The device is an interface of the USB device in the folder above.
    let device = fs::canonicalize(card.join("device")).ok()?;
    let device = device.parent()?;
    let (vendor, product) = (
        line(&device.join("idVendor"))?,
        line(&device.join("idProduct"))?,
    );
    let serial = line(&device.join("serial")).map_or(String::new(), |serial| format!(" {serial}"));
    Some(format!("{vendor}:{product}{serial}"))
}

fn line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_card_is_listed_by_the_name_that_stays() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for file in ["pcmC1D0c", "pcmC1D0p", "pcmC2D3c", "controlC1"] {
            write(at("dev/snd").join(file), "");
        }
        fs::create_dir_all(at("dev/snd/by-id")).unwrap();
        symlink("../controlC1", at("dev/snd/by-id/usb-Mic_42-00")).unwrap();
        write(at("sys/class/sound/card1/id"), "Mic\n");
        write(at("sys/class/sound/card2/id"), "Board\n");
        write(at("sys/devices/usb1/1-2/idVendor"), "0d8c\n");
        write(at("sys/devices/usb1/1-2/idProduct"), "0014\n");
        write(at("sys/devices/usb1/1-2/serial"), "42\n");
        fs::create_dir_all(at("sys/devices/usb1/1-2/1-2:1.0")).unwrap();
        symlink(
            at("sys/devices/usb1/1-2/1-2:1.0"),
            at("sys/class/sound/card1/device"),
        )
        .unwrap();
        let cards_file = " 1 [Mic            ]: USB-Audio - USB Microphone\n      somewhere\n";
        write(at("proc/asound/cards"), cards_file);
        let holder = Holder {
            pid: 7,
            program: "arecord".into(),
            path: at("dev/snd/pcmC2D3c"),
        };
        let holders = Holders {
            list: vec![holder],
            complete: true,
        };
        let [first, second] = &cards(root.path(), &holders)[..] else {
            panic!("two devices capture");
        };
        assert_eq!(first.source, "alsa:by-id/usb-Mic_42-00");
        assert_eq!(first.now.as_deref(), Some("alsa:hw:1,0"));
        assert_eq!(first.title.as_deref(), Some("USB-Audio - USB Microphone"));
        assert_eq!(first.usb.as_deref(), Some("0d8c:0014 42"));
        assert!(first.held_by.is_empty());
        assert_eq!(second.source, "alsa:hw:CARD=Board,DEV=3");
        assert_eq!(described(&second.held_by), "arecord (process 7)");
    }
}
