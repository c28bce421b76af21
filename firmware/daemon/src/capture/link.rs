//! Between a source and whoever supervises it: what its device does, and whether it may listen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use super::Format;
use crate::stop::Stop;

/// What happened to a source. [`Opened`](CaptureSignal::Opened), [`Resumed`](CaptureSignal::Resumed),
/// [`Back`](CaptureSignal::Back) and [`Unmuted`](CaptureSignal::Unmuted) come with the first samples, never before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureSignal {
    /// The first samples have come.
    Opened {
        /// What was opened, for people.
        device: String,
        /// What it delivers, before channels are picked.
        format: Format,
    },
    /// The device lost samples; it goes on.
    Xrun {
        /// How many frames, as far as that is known; at least 1.
        missing_frames: u64,
    },
    /// The device is open and delivers nothing.
    Stalled,
    /// A stalled device delivers again.
    Resumed,
    /// The device is gone; it is being looked for.
    Lost {
        /// What the system says.
        reason: String,
    },
    /// A lost device delivers again.
    Back {
        /// How long it was away.
        after: Duration,
    },
    /// Nothing has come yet, of what waits for others to send it.
    Waiting,
    /// The device was closed on purpose.
    Muted(MuteCause),
    /// It delivers again.
    Unmuted,
}

/// Who muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MuteCause {
    /// A command.
    Command,
    /// The microphone's own switch.
    Switch,
}

const BY_COMMAND: u8 = 1;
const BY_SWITCH: u8 = 2;

/// Whether a source must not listen. Clones share it; a command and the microphone's switch are kept apart, and either
/// is enough.
#[derive(Debug, Clone, Default)]
pub struct Mute(Arc<AtomicU8>);

impl Mute {
    /// Mutes, or lifts the mute, by command.
    pub fn command(&self, muted: bool) {
        self.set(BY_COMMAND, muted);
    }

    /// The position of the microphone's own switch.
    pub(super) fn switch(&self, muted: bool) {
        self.set(BY_SWITCH, muted);
    }

    /// Why the source is muted; `None` when it may listen.
    pub fn cause(&self) -> Option<MuteCause> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            bits if bits & BY_COMMAND != 0 => Some(MuteCause::Command),
            _ => Some(MuteCause::Switch),
        }
    }

    fn set(&self, bit: u8, on: bool) {
        if on {
            self.0.fetch_or(bit, Ordering::SeqCst);
        } else {
            self.0.fetch_and(!bit, Ordering::SeqCst);
        }
    }
}

/// What a source gets to hear from its supervisor, and how it answers.
pub struct Link {
    /// The request to come to an end.
    pub stop: Stop,
    /// Whether it may listen.
    pub mute: Mute,
    tell: Box<dyn FnMut(CaptureSignal) + Send>,
}

impl Link {
    /// A link whose signals go to `tell`, which must not block: it is called by the thread that captures.
    pub fn new(stop: Stop, mute: Mute, tell: impl FnMut(CaptureSignal) + Send + 'static) -> Self {
        Link {
            stop,
            mute,
            tell: Box::new(tell),
        }
    }

    /// Tells one thing.
    pub fn tell(&mut self, signal: CaptureSignal) {
        (self.tell)(signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_and_a_switch_mute_each_by_itself() {
        let mute = Mute::default();
        assert_eq!(mute.cause(), None);
        mute.switch(true);
        assert_eq!(mute.clone().cause(), Some(MuteCause::Switch));
        mute.command(true);
        assert_eq!(mute.cause(), Some(MuteCause::Command));
        mute.switch(false);
        assert_eq!(mute.cause(), Some(MuteCause::Command));
        mute.switch(true);
        mute.command(false);
        assert_eq!(mute.cause(), Some(MuteCause::Switch));
        mute.switch(false);
        assert_eq!(mute.cause(), None);
    }
}
