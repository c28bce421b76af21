//! What the box remembers about its slots, in `state.json`.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::SlotsError;
use crate::version::Version;

/// No state is longer.
const MAX_BYTES: u64 = 64 * 1024;

/// One of the two places for a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// Folder `a`.
    A,
    /// Folder `b`.
    B,
}

impl Slot {
    /// The folder's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::A, Self::B]
            .into_iter()
            .find(|slot| slot.name() == name)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

/// A point in time that survives jumps of the wall clock: a box without a clock chip wakes up in the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// The kernel's name for this run of the machine.
    pub boot: String,
    /// Seconds since the machine started.
    pub uptime_s: f64,
}

impl Moment {
    /// Now, on this machine.
    ///
    /// # Errors
    /// [`SlotsError::Io`] where `/proc` is not as Linux has it.
    pub fn now() -> Result<Self, SlotsError> {
        let read =
            |path: &str| fs::read_to_string(path).map_err(SlotsError::io("read", path.to_owned()));
        let uptime = read("/proc/uptime")?;
        let first = uptime.split(' ').next().unwrap_or_default();
        let uptime_s = first.parse().map_err(|_| {
            SlotsError::io("understand", "/proc/uptime")(io::ErrorKind::InvalidData.into())
        })?;
        Ok(Moment {
            boot: read("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
            uptime_s,
        })
    }
}

/// A slot that was switched to and not yet committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Which one.
    pub slot: Slot,
    /// What ran before; none: the program that the system's package installed.
    pub previous: Option<Slot>,
    /// How often it was started.
    pub starts: u32,
    /// From when on its deadline counts.
    pub since: Moment,
}

/// How the last trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It was well and stays.
    Committed,
    /// It was not well in time, or started too often.
    RolledBack,
    /// Somebody went back by hand.
    RolledBackByHand,
}

/// The last trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// Its slot.
    pub slot: Slot,
    /// Its version.
    pub version: Version,
    /// How it ended.
    pub ending: Ending,
}

/// All that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Nothing older may be installed or gone back to.
    pub floor: Version,
    /// The slot on trial.
    pub trial: Option<Trial>,
    /// What ran well before the current slot was committed.
    pub previous: Option<Slot>,
    /// How the last trial ended.
    pub last: Option<Last>,
}

impl State {
    /// What a power cut between the switch of `current` and the writing of the state left, set right by what `current`
    /// names: an end that came is an end, and there is no way back to what runs.
    pub(super) fn recovered(
        mut self,
        current: Option<Slot>,
        version: impl Fn(Slot) -> Version,
    ) -> Self {
        let ended = |slot, ending| {
            Some(Last {
                slot,
                version: version(slot),
                ending,
            })
        };
        match (&self.trial, &self.last) {
            (Some(trial), _) if Some(trial.slot) != current => {
                self.last = ended(trial.slot, Ending::RolledBack);
                self.trial = None;
            }
            // Nobody but a person takes back what was committed.
            (None, Some(last))
                if last.ending == Ending::Committed && Some(last.slot) != current =>
            {
                self.last = ended(last.slot, Ending::RolledBackByHand);
            }
            _ => {}
        }
        if self.trial.is_none() {
            self.previous = self
                .previous
                .filter(|previous| current.is_some_and(|current| current != *previous));
        }
        self
    }

    /// The state of a file; the first one when there is none.
    pub(super) fn read(path: &Path) -> Result<Self, SlotsError> {
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(SlotsError::io("read", path)(error)),
            Ok(file) => file,
        };
        let mut text = Vec::new();
        file.take(MAX_BYTES)
            .read_to_end(&mut text)
            .map_err(SlotsError::io("read", path))?;
        serde_json::from_slice(&text).map_err(|error| SlotsError::BadState {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(slot: Slot, ending: Ending) -> Option<Last> {
        Some(Last {
            slot,
            version: Version::default(),
            ending,
        })
    }

    #[test]
    fn what_a_power_cut_left_is_set_right_by_what_runs() {
        let trial = |slot: Slot| {
            Some(Trial {
                slot,
                previous: Some(slot.other()),
                starts: 1,
                since: Moment {
                    boot: "first".into(),
                    uptime_s: 0.0,
                },
            })
        };
        let state = |trial, previous, last| State {
            floor: Version::default(),
            trial,
            previous,
            last,
        };
        let (a, b) = (Slot::A, Slot::B);
        let committed = |slot| last(slot, Ending::Committed);
        for (left, current, right) in [
            // A trial that runs, and one that is over.
            (state(trial(b), None, committed(a)), Some(b), None),
            (
                state(trial(b), None, committed(a)),
                Some(a),
                Some(state(None, None, last(b, Ending::RolledBack))),
            ),
            (
                state(trial(a), None, None),
                None,
                Some(state(None, None, last(a, Ending::RolledBack))),
            ),
            // What was committed runs, and was gone back from.
            (state(None, Some(a), committed(b)), Some(b), None),
            (
                state(None, Some(a), committed(b)),
                Some(a),
                Some(state(None, None, last(b, Ending::RolledBackByHand))),
            ),
            (
                state(None, Some(a), committed(b)),
                None,
                Some(state(None, None, last(b, Ending::RolledBackByHand))),
            ),
            (state(None, None, None), None, None),
        ] {
            let recovered = left.clone().recovered(current, |_| Version::default());
            assert_eq!(recovered, right.unwrap_or(left));
        }
    }
}
