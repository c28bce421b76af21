//! The microphone's own mute switch, as ALSA's mixer shows it.

use std::ffi::CString;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::Builder;
use std::time::Duration;

use ::alsa::Output;
use ::alsa::mixer::{Mixer, Selem, SelemChannelId};

use crate::capture::{Mute, MuteSwitch};
use crate::talk::say;

/// From one look at a mixer to the next, where it does not tell of changes by itself.
const LOOK_MS: u32 = 250;
/// So many looks (2 s) from one attempt to open a mixer to the next.
const RETRY: u32 = 8;
/// What capture switches are called, the most likely first.
const USUAL: [&str; 4] = ["Capture", "Mic", "Microphone", "Headset"];

/// A capture switch, and whether any of its channels is on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    name: String,
    on: bool,
}

/// Whether these switches mute; `None` when none of them is the one that counts.
fn mutes(positions: &[Position], which: &MuteSwitch) -> Option<bool> {
    // A card may have several of one name; it is muted when all of them are off.
    let all_off = |name: &str| {
        let mut named = positions.iter().filter(|position| position.name == name);
        let first = named.next()?;
        Some(!first.on && named.all(|position| !position.on))
    };
    match which {
        MuteSwitch::Off => None,
        MuteSwitch::Named(name) => all_off(name),
        MuteSwitch::Auto => USUAL.into_iter().find_map(all_off).or(match positions {
            [only] => Some(!only.on),
            _ => None,
        }),
    }
}

/// The name of the mixer to look at, which changes when a card comes back under another number; the watch ends with it.
pub(super) type MixerName = Arc<Mutex<Option<String>>>;

/// Follows the switch in a thread of its own, since the mixer of a sound server may block. A mixer that is not there
/// does not mute.
pub(super) fn watch(name: &MixerName, which: MuteSwitch, mute: Mute) {
    if which == MuteSwitch::Off {
        return;
    }
    let name = Arc::downgrade(name);
    let started = Builder::new()
        .name("mute switch".to_owned())
        .spawn(move || {
            let _quiet = Output::local_error_handler();
            let mut told = false;
            while let Some(wanted) = current(&name) {
                if let Some(wanted) = wanted {
                    follow(&wanted, &name, &which, &mute, &mut told);
                }
                mute.switch(false);
                for _ in 0..RETRY {
                    std::thread::sleep(Duration::from_millis(LOOK_MS.into()));
                }
            }
        });
    if let Err(reason) = started {
        say!("the mute switch of the microphone is not followed: {reason}");
    }
}

/// Follows one mixer until it fails or another one is meant.
fn follow(
    wanted: &str,
    name: &Weak<Mutex<Option<String>>>,
    which: &MuteSwitch,
    mute: &Mute,
    told: &mut bool,
) {
    let Ok(mixer) = open(wanted) else { return };
    while current(name).flatten().as_deref() == Some(wanted) {
        let muted = mutes(&positions(&mixer), which);
        if let (MuteSwitch::Named(switch), None, false) = (which, muted, *told) {
            *told = true;
            say!(
                "the mixer {wanted:?} has no capture switch {switch:?}; `amixer -D {wanted}` shows those that it has"
            );
        }
        mute.switch(muted.unwrap_or(false));
        if mixer.wait(Some(LOOK_MS)).is_err() || mixer.handle_events().is_err() {
            return;
        }
    }
}

/// `None` when nobody is interested any more.
fn current(name: &Weak<Mutex<Option<String>>>) -> Option<Option<String>> {
    let name = name.upgrade()?;
    Some(name.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

fn open(name: &str) -> Result<Mixer, ::alsa::Error> {
    let name = CString::new(name).map_err(|_| ::alsa::Error::unsupported("mixer name"))?;
    let mut mixer = Mixer::open(false)?;
    mixer.attach(&name)?;
    Selem::register(&mut mixer)?;
    mixer.load()?;
    Ok(mixer)
}

fn positions(mixer: &Mixer) -> Vec<Position> {
    let switches = mixer
        .iter()
        .filter_map(Selem::new)
        .filter(Selem::has_capture_switch);
    switches
        .filter_map(|switch| {
            let on = SelemChannelId::all()
                .iter()
                .filter(|channel| switch.has_capture_channel(**channel))
                .any(|channel| switch.get_capture_switch(*channel).is_ok_and(|on| on != 0));
            let name = switch.get_id().get_name().ok()?.to_owned();
            Some(Position { name, on })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutes_by(positions: &[(&str, bool)], which: &str) -> Option<bool> {
        let positions: Vec<Position> = positions
            .iter()
            .map(|(name, on)| Position {
                name: (*name).to_owned(),
                on: *on,
            })
            .collect();
        mutes(&positions, &MuteSwitch::from(which.to_owned()))
    }

    #[test]
    fn the_capture_switch_counts_before_others_and_the_only_one_whatever_its_name() {
        let both = [("Line", false), ("Mic", false), ("Capture", true)];
        assert_eq!(mutes_by(&both, "auto"), Some(false));
        assert_eq!(mutes_by(&both[..2], "auto"), Some(true));
        assert_eq!(mutes_by(&both[..1], "auto"), Some(true));
        assert_eq!(mutes_by(&[("Line", false), ("Aux", false)], "auto"), None);
        assert_eq!(mutes_by(&[], "auto"), None);
    }

    #[test]
    fn several_switches_of_one_name_mute_together() {
        assert_eq!(
            mutes_by(&[("Capture", false), ("Capture", true)], "auto"),
            Some(false)
        );
        assert_eq!(
            mutes_by(&[("Capture", false), ("Capture", false)], "auto"),
            Some(true)
        );
    }

    #[test]
    fn a_switch_can_be_named_or_left_out_of_account() {
        let both = [("Line", false), ("Capture", true)];
        assert_eq!(mutes_by(&both, "Line"), Some(true));
        assert_eq!(mutes_by(&both, "Mic"), None);
        assert_eq!(mutes_by(&[("Capture", false)], "off"), None);
    }
}
