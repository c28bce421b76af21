//! Which microphone a name means, and where it is after it was plugged in again.
//!
//! A card's number, and even its name, may change when it is plugged in again. What does not change is what USB says about
//! it (vendor, product, serial number) and the port that it is plugged into.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the system describes its sound cards.
#[derive(Debug, Clone)]
pub(super) struct Cards {
    /// `/sys/class/sound`: one folder `cardN` for each card.
    sys: PathBuf,
    /// `/dev/snd`: device files, and links to them in `by-id` and `by-path`.
    dev: PathBuf,
}

/// What tells one card from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The name that ALSA gave it, as in `hw:CARD=name`.
    id: String,
    usb: Option<Usb>,
    /// The path of its device in /sys: for USB, the port.
    port: Option<PathBuf>,
}

/// What a USB device says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Usb {
    vendor: String,
    product: String,
    serial: Option<String>,
}

impl Cards {
    /// The cards of this machine.
    pub(super) fn of_system() -> Self {
        Cards {
            sys: "/sys/class/sound".into(),
            dev: "/dev/snd".into(),
        }
    }

    /// The number of the card that a link in /dev/snd leads to: `by-id/NAME` or `by-path/NAME`.
    pub(super) fn linked(&self, link: &str) -> Option<u32> {
        let target = fs::read_link(self.dev.join(link)).ok()?;
        let file = target.file_name()?.to_str()?;
        file.strip_prefix("controlC")?.parse().ok()
    }

    /// Every link in `by-id` and `by-path` to a card that can capture.
    pub(super) fn links(&self) -> Vec<String> {
        let names = |folder: &'static str| {
            let entries = fs::read_dir(self.dev.join(folder)).into_iter().flatten();
            entries.filter_map(move |entry| {
                Some(format!("{folder}/{}", entry.ok()?.file_name().to_str()?))
            })
        };
        let mut links: Vec<String> = names("by-id").chain(names("by-path")).collect();
        links.retain(|link| self.linked(link).is_some_and(|card| self.captures(card)));
        links.sort();
        links
    }

    /// What tells a card from others; `None` when there is no such card.
    pub(super) fn identify(&self, card: u32) -> Option<Identity> {
        let folder = self.sys.join(format!("card{card}"));
        let port = fs::canonicalize(folder.join("device")).ok();
        Some(Identity {
            id: line(&folder.join("id"))?,
            // The device is an interface of the USB device in the folder above.
            usb: port.as_deref().and_then(Path::parent).and_then(usb),
            port,
        })
    }

    /// The number of the card that is called so, by its number or its name.
    pub(super) fn number(&self, card: &str) -> Option<u32> {
        let named = || {
            self.all()
                .find(|number| self.identify(*number).is_some_and(|found| found.id == card))
        };
        card.parse().ok().or_else(named)
    }

    /// The number that a card has now. Of two microphones that say the same about themselves, it is the one in the same
    /// port; where neither is, it is none, because the wrong one would be worse.
    pub(super) fn find(&self, wanted: &Identity) -> Option<u32> {
        let found: Vec<(u32, Identity)> = self
            .all()
            .filter_map(|number| Some((number, self.identify(number)?)))
            .filter(|(_, card)| card.usb == wanted.usb)
            .collect();
        let in_port = found
            .iter()
            .find(|(_, card)| wanted.port.is_some() && card.port == wanted.port);
        let elsewhere = || match (&wanted.usb, found.as_slice()) {
            (Some(_), [only]) => Some(only),
            (Some(_), _) => None,
            (None, cards) => cards.iter().find(|(_, card)| card.id == wanted.id),
        };
        in_port.or_else(elsewhere).map(|(number, _)| *number)
    }

    fn captures(&self, card: u32) -> bool {
        let prefix = format!("pcmC{card}D");
        fs::read_dir(&self.dev).into_iter().flatten().any(|entry| {
            entry.is_ok_and(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with(&prefix) && name.ends_with('c')
            })
        })
    }

    fn all(&self) -> impl Iterator<Item = u32> {
        let entries = fs::read_dir(&self.sys).into_iter().flatten();
        let mut cards: Vec<u32> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                name.to_str()?.strip_prefix("card")?.parse().ok()
            })
            .collect();
        cards.sort_unstable();
        cards.into_iter()
    }
}

/// The name of a device of one card, as in `hw:1,0` or `plughw:CARD=Mic,DEV=0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CardName {
    before: String,
    /// The card's number or name.
    pub(super) card: String,
    after: String,
}

impl CardName {
    /// `None` for a name that does not say which card it means.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (kind, arguments) = name.split_once(':')?;
        if !matches!(kind, "hw" | "plughw" | "sysdefault" | "front" | "dsnoop") {
            return None;
        }
        let (key, value) = match arguments.find("CARD=") {
            Some(at) => arguments.split_at(at + "CARD=".len()),
            None => ("", arguments),
        };
        let end = value.find(',').unwrap_or(value.len());
        let (card, after) = value.split_at(end);
        (!card.is_empty()).then(|| CardName {
            before: format!("{kind}:{key}"),
            card: card.to_owned(),
            after: after.to_owned(),
        })
    }

    /// The same device of the card that has this number now.
    pub(super) fn on_card(&self, number: u32) -> String {
        format!("{}{number}{}", self.before, self.after)
    }
}

fn usb(device: &Path) -> Option<Usb> {
    Some(Usb {
        vendor: line(&device.join("idVendor"))?,
        product: line(&device.join("idProduct"))?,
        serial: line(&device.join("serial")),
    })
}

fn line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// The folders that the kernel and udev would show, in a temporary place.
    struct Machine {
        root: tempfile::TempDir,
    }

    impl Machine {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            for folder in ["sys/class/sound", "snd/by-id", "snd/by-path"] {
                fs::create_dir_all(root.path().join(folder)).unwrap();
            }
            Machine { root }
        }

        fn cards(&self) -> Cards {
            Cards {
                sys: self.root.path().join("sys/class/sound"),
                dev: self.root.path().join("snd"),
            }
        }

        fn plug(&self, number: u32, id: &str, port: &str, usb: Option<(&str, &str)>) {
            let device = self.root.path().join("sys/devices/usb1").join(port);
            let interface = device.join(format!("{port}:1.0"));
            fs::create_dir_all(&interface).unwrap();
            if let Some((product, serial)) = usb {
                fs::write(device.join("idVendor"), "0d8c\n").unwrap();
                fs::write(device.join("idProduct"), format!("{product}\n")).unwrap();
                fs::write(device.join("serial"), format!("{serial}\n")).unwrap();
            }
            let card = self
                .root
                .path()
                .join(format!("sys/class/sound/card{number}"));
            fs::create_dir(&card).unwrap();
            fs::write(card.join("id"), format!("{id}\n")).unwrap();
            symlink(&interface, card.join("device")).unwrap();
            let snd = self.root.path().join("snd");
            fs::write(snd.join(format!("pcmC{number}D0c")), "").unwrap();
            let link = |name: String| {
                let _ = fs::remove_file(snd.join(&name));
                symlink(format!("../controlC{number}"), snd.join(name)).unwrap();
            };
            link(format!("by-path/platform-usb-{port}"));
            if let Some((product, serial)) = usb {
                link(format!("by-id/usb-{product}_{serial}-00"));
            }
        }

        fn unplug(&self, number: u32) {
            fs::remove_dir_all(
                self.root
                    .path()
                    .join(format!("sys/class/sound/card{number}")),
            )
            .unwrap();
        }
    }

    #[test]
    fn a_microphone_is_found_again_under_another_number_and_in_another_port() {
        let machine = Machine::new();
        machine.plug(1, "Mic", "1-1", Some(("0014", "A7")));
        let cards = machine.cards();
        let mic = cards.identify(1).unwrap();
        machine.unplug(1);
        assert_eq!(cards.find(&mic), None);
        machine.plug(1, "Mic", "1-1", Some(("beef", "1")));
        assert_eq!(cards.find(&mic), None, "another microphone in its place");
        machine.plug(3, "Mic_1", "1-2", Some(("0014", "A7")));
        assert_eq!(cards.find(&mic), Some(3));
    }

    #[test]
    fn of_two_that_say_the_same_the_one_in_the_same_port_is_meant() {
        let machine = Machine::new();
        machine.plug(1, "Mic", "1-1", Some(("0014", "")));
        machine.plug(2, "Mic_1", "1-2", Some(("0014", "")));
        let cards = machine.cards();
        let second = cards.identify(2).unwrap();
        machine.unplug(1);
        machine.unplug(2);
        machine.plug(1, "Mic", "1-2", Some(("0014", "")));
        machine.plug(2, "Mic_1", "1-1", Some(("0014", "")));
        assert_eq!(cards.find(&second), Some(1));
        machine.unplug(1);
        assert_eq!(
            cards.find(&second),
            Some(2),
            "the only one of its kind that is left"
        );
        machine.plug(5, "Mic_2", "1-4", Some(("0014", "")));
        assert_eq!(cards.find(&second), None, "two, and neither in its port");
    }

    #[test]
    fn a_card_that_is_not_usb_is_known_by_its_port_or_its_name() {
        let machine = Machine::new();
        machine.plug(0, "seeed2micvoicec", "soc-i2s", None);
        let cards = machine.cards();
        let array = cards.identify(0).unwrap();
        machine.unplug(0);
        machine.plug(0, "vc4hdmi", "soc-hdmi", None);
        assert_eq!(cards.find(&array), None);
        machine.plug(2, "seeed2micvoicec", "soc-i2s", None);
        assert_eq!(cards.find(&array), Some(2));
        assert_eq!(
            (
                cards.number("vc4hdmi"),
                cards.number("7"),
                cards.number("x")
            ),
            (Some(0), Some(7), None)
        );
    }

    #[test]
    fn links_lead_to_the_cards_that_can_capture() {
        let machine = Machine::new();
        machine.plug(4, "Mic", "1-1", Some(("0014", "A7")));
        symlink(
            "../controlC9",
            machine.root.path().join("snd/by-id/usb-speaker"),
        )
        .unwrap();
        let cards = machine.cards();
        assert_eq!(cards.linked("by-id/usb-0014_A7-00"), Some(4));
        assert_eq!(cards.linked("by-id/none"), None);
        assert_eq!(
            cards.links(),
            ["by-id/usb-0014_A7-00", "by-path/platform-usb-1-1"]
        );
    }

    #[test]
    fn the_card_in_a_name_is_replaced_and_nothing_else() {
        let on_7 = |name| CardName::parse(name).map(|name| (name.card.clone(), name.on_card(7)));
        let some = |card: &str, name: &str| Some((card.to_owned(), name.to_owned()));
        assert_eq!(on_7("hw:1,0"), some("1", "hw:7,0"));
        assert_eq!(
            on_7("plughw:CARD=Mic,DEV=2"),
            some("Mic", "plughw:CARD=7,DEV=2")
        );
        assert_eq!(on_7("hw:DEV=1,CARD=Mic"), some("Mic", "hw:DEV=1,CARD=7"));
        assert_eq!(on_7("hw:Mic"), some("Mic", "hw:7"));
        for name in ["default", "pulse", "hw:", "undertone_mic", "iec958:1"] {
            assert_eq!(on_7(name), None, "{name}");
        }
    }
}
