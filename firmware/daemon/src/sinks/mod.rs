//! The ways out of the box: each sink has a thread and a bounded queue of its own.
//!
//! In: [`Report`]s, through a [`FanOut`]. Out: lines on standard output and whatever other sinks are configured.
//!
//! - A sink that is slow or stuck never slows the analysis of live audio, nor another sink: what its queue cannot take is
//!   counted, and told in its place as [`Report::Dropped`]. A recording waits for room instead.
//! - Of what holds until the next change (info, status, health) the latest always comes through.
//! - At the end every sink says good-bye until a deadline, and what is stuck is left behind.

mod error;
mod fan_out;
mod mqtt;
mod queue;
mod serial;
mod stdout;
mod threads;

use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub use error::SinkError;
pub use fan_out::FanOut;
pub(crate) use mqtt::{Refused as BrokerRefused, check_tls, probe as probe_broker};
pub use queue::Waker;
pub use rustix::event::PollFlags;
pub use stdout::Lines;
pub use threads::Sinks;

use crate::config::Settings;
use crate::control::Handle;
use crate::status::{LinkHealth, Report};

/// One way out. All calls come from the thread of the sink.
pub trait Sink: Send + 'static {
    /// The name by which health and talk call it.
    fn name(&self) -> &'static str;

    /// How many reports may wait for it.
    fn capacity(&self) -> usize {
        256
    }

    /// How long it may take to say good-bye.
    fn good_bye(&self) -> Duration {
        Duration::ZERO
    }

    /// Takes a report, in the order in which they came. The first one is a [`Report::Info`].
    ///
    /// # Errors
    /// When the sink is at its end.
    fn take(&mut self, report: &Report) -> Result<(), SinkError>;

    /// Does what is due, without waiting for anything, and says when it wants to be called again at the latest. It is
    /// called after reports were taken, when the descriptor of [`Sink::interest`] is ready, and at that time.
    ///
    /// # Errors
    /// When the sink is at its end.
    fn turn(&mut self, now: Instant) -> Result<Option<Instant>, SinkError> {
        let _ = now;
        Ok(None)
    }

    /// A descriptor that it waits for, and for what.
    fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        None
    }

    /// How its connection is, where it has one; it is kept up to date.
    fn condition(&self) -> Option<Arc<Mutex<LinkHealth>>> {
        None
    }

    /// Lets another thread wake this one; called once before everything else.
    fn wakes(&mut self, waker: Waker) {
        let _ = waker;
    }

    /// Says good-bye; at the deadline it has ended, done or not.
    fn close(&mut self, deadline: Instant) {
        let _ = deadline;
    }
}

/// The sinks that are configured, not yet running. Commands that come in through one of them go to `handle`.
///
/// # Errors
/// When one cannot be set up.
pub fn configured(
    settings: &Settings,
    handle: Option<&Handle>,
) -> Result<Vec<Box<dyn Sink>>, SinkError> {
    let lines =
        Lines::new(std::io::stdout(), settings.output.format).with_levels(settings.output.levels);
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(lines)];
    if let Some(mqtt) = &settings.mqtt {
        sinks.push(Box::new(mqtt::Mqtt::new(mqtt.clone(), handle.cloned())?));
    }
    if let Some(serial) = &settings.serial {
        sinks.push(Box::new(serial::Serial::new(serial.clone())));
    }
    Ok(sinks)
}
