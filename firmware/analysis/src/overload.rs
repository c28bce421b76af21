//! What to do when analysis cannot keep up: less often an answer first, and only then less audio.

use std::time::Duration;

/// When analysis counts as behind, and how it gives way. [`Default`] is for live sources with a ring of four seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverloadSettings {
    /// This much audio waiting is too late.
    pub late: Duration,
    /// At most this much waiting is in time again; less than `late`. In between nothing changes.
    pub in_time: Duration,
    /// While it stays late, the distance between answers doubles whenever this has passed.
    pub widen_after: Duration,
    /// When it has been in time for this long, the distance between answers halves.
    pub narrow_after: Duration,
    /// Largest factor of the distance between answers; a power of two.
    pub widest: u32,
}

impl Default for OverloadSettings {
    fn default() -> Self {
        OverloadSettings {
            late: Duration::from_millis(500),
            in_time: Duration::from_millis(200),
            widen_after: Duration::from_millis(500),
            narrow_after: Duration::from_secs(10),
            widest: 8,
        }
    }
}

/// How analysis is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// It keeps up.
    InTime,
    /// It is behind, and nothing is lost: answers come `widening` (2 to [`OverloadSettings::widest`]) times as far apart.
    Degraded {
        /// Factor of the distance between answers, for [`crate::Analyser::widen`].
        widening: u32,
    },
    /// Answers are as far apart as they may be, and audio is lost all the same.
    Dropping {
        /// Factor of the distance between answers.
        widening: u32,
        /// Frames lost since analysis was last in time.
        lost: u64,
    },
}

impl Load {
    /// Factor of the distance between answers: 1 while in time.
    #[must_use]
    pub fn widening(self) -> u32 {
        match self {
            Load::InTime => 1,
            Load::Degraded { widening } | Load::Dropping { widening, .. } => widening,
        }
    }

    /// Whether the box should say that it is degraded.
    #[must_use]
    pub fn is_degraded(self) -> bool {
        self != Load::InTime
    }
}

/// What one observation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Late,
    Between,
    InTime,
}

/// The state machine. Feed it how late the latest source is, as often as you like.
///
/// | state    | late                                  | between | in time for `narrow_after`     | frames lost |
/// |----------|---------------------------------------|---------|--------------------------------|-------------|
/// | InTime   | Degraded (2)                          | InTime  | InTime                         | Dropping    |
/// | Degraded | after `widen_after` twice as wide     | -       | half as wide; InTime from 2 on | Dropping    |
/// | Dropping | Dropping                              | -       | Degraded, half as wide         | Dropping    |
///
/// The first report of a degraded state comes with the first observation that is late, so before a ring that holds more
/// than `late` loses anything. A loss without lateness (a ring shorter than that) still widens and is counted.
#[derive(Debug, Clone)]
pub struct Overload {
    settings: OverloadSettings,
    load: Load,
    /// How long the pace has lasted, without a change of state.
    lasted: Duration,
    pace: Pace,
    lost_total: u64,
}

impl Overload {
    /// In time, nothing lost. Settings that contradict each other are made to fit: `in_time` is at most `late`, and
    /// `widest` the power of two at or below it, at least 2.
    pub fn new(settings: OverloadSettings) -> Self {
        let widest = settings.widest.max(2);
        Overload {
            settings: OverloadSettings {
                in_time: settings.in_time.min(settings.late),
                widest: 1 << widest.ilog2(),
                ..settings
            },
            load: Load::InTime,
            lasted: Duration::ZERO,
            pace: Pace::InTime,
            lost_total: 0,
        }
    }

    /// How analysis is doing.
    pub fn load(&self) -> Load {
        self.load
    }

    /// Frames lost so far.
    pub fn lost(&self) -> u64 {
        self.lost_total
    }

    /// Takes an observation: `elapsed` since the one before, the audio that waits in the fullest ring, and how many
    /// frames all rings have lost since the start, together. Gives the new state when it differs from the last one given.
    pub fn observe(&mut self, elapsed: Duration, waiting: Duration, lost: u64) -> Option<Load> {
        let lost_now = lost.saturating_sub(self.lost_total);
        self.lost_total = self.lost_total.max(lost);
        let before = self.load;
        let pace = if waiting > self.settings.late || lost_now > 0 {
            Pace::Late
        } else if waiting > self.settings.in_time {
            Pace::Between
        } else {
            Pace::InTime
        };
        self.lasted = if pace == self.pace {
            self.lasted + elapsed
        } else {
            Duration::ZERO
        };
        self.pace = pace;
        self.load = match pace {
            Pace::Late => self.late(lost_now),
            Pace::Between => before,
            Pace::InTime => self.in_time(),
        };
        (self.load != before).then_some(self.load)
    }

    fn late(&mut self, lost_now: u64) -> Load {
        let widest = self.settings.widest;
        let lost = lost_now
            + match self.load {
                Load::Dropping { lost, .. } => lost,
                Load::InTime | Load::Degraded { .. } => 0,
            };
        if lost > 0 {
            // What is lost calls for all that can be given up.
            return Load::Dropping {
                widening: widest,
                lost,
            };
        }
        let widening = self.load.widening();
        if !self.load.is_degraded() || self.lasted >= self.settings.widen_after {
            self.lasted = Duration::ZERO;
            return Load::Degraded {
                widening: (widening * 2).min(widest),
            };
        }
        self.load
    }

    fn in_time(&mut self) -> Load {
        if !self.load.is_degraded() || self.lasted < self.settings.narrow_after {
            return self.load;
        }
        self.lasted = Duration::ZERO;
        match self.load.widening() / 2 {
            0 | 1 => Load::InTime,
            widening => Load::Degraded { widening },
        }
    }
}
