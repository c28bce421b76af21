//! Keeping a device: listening until it is muted or gone, then finding it again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::feed::Feed;
use super::link::MuteCause;
use super::{CaptureError, Format};
use crate::talk::say;

/// From one look at the requests to stop, mute and unmute to the next.
const LOOK: Duration = Duration::from_millis(20);

/// A device that is open.
pub(super) trait Device: Sized + Send + 'static {
    /// What it delivers.
    fn format(&self) -> Format;

    /// Delivers until something ends it. The feed may be locked all the while.
    ///
    /// # Errors
    /// Why it cannot even begin.
    fn listen(&mut self, feed: &SharedFeed) -> Result<Ended, CaptureError>;

    /// Closes it.
    fn close(self) {}
}

/// A feed that the threads of a sound library may use too.
pub(super) type SharedFeed = Arc<Mutex<Feed>>;

/// The feed, whatever became of a thread that had it.
pub(super) fn locked(feed: &SharedFeed) -> MutexGuard<'_, Feed> {
    feed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a device delivers no more.
pub(super) enum Ended {
    /// The end was asked for, or nobody reads any more.
    Asked,
    /// It must not listen.
    Muted(MuteCause),
    /// It failed; the text says how.
    Gone(String),
}

/// How long to wait from one attempt to find a device to the next: twice as long each time, up to a limit.
#[derive(Debug, Default)]
struct Backoff(Option<Duration>);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(2);

    fn next(&mut self) -> Duration {
        let wait = self
            .0
            .map_or(Self::FIRST, |last| (last * 2).min(Self::LONGEST));
        self.0 = Some(wait);
        wait
    }
}

/// Listens to a device, and to the same one again after a mute or a loss, until the end is asked for.
///
/// `reopen` must find the same device. The first start must work; later failures are waited out.
pub(super) fn keep<D: Device>(
    device: D,
    feed: Feed,
    mut reopen: impl FnMut() -> Result<D, CaptureError>,
) -> Result<(), CaptureError> {
    let feed: SharedFeed = Arc::new(Mutex::new(feed));
    let format = device.format();
    let (mut device, mut first) = (device, true);
    loop {
        let ended = match device.listen(&feed) {
            Err(error) if first => return Err(error),
            Err(error) => Ended::Gone(error.to_string()),
            Ok(ended) => ended,
        };
        first = false;
        device.close();
        match ended {
            Ended::Asked => return Ok(()),
            Ended::Muted(cause) => locked(&feed).muted(cause),
            Ended::Gone(reason) => locked(&feed).lost(&reason),
        }
        let Some(again) = seek(&feed, format, &mut reopen) else {
            return Ok(());
        };
        device = again;
    }
}

/// Waits while muted, then tries until the device delivers the same as before; `None` when the end is asked for.
fn seek<D: Device>(
    feed: &SharedFeed,
    format: Format,
    reopen: &mut impl FnMut() -> Result<D, CaptureError>,
) -> Option<D> {
    let (mut backoff, mut due, mut refused) = (Backoff::default(), None, String::new());
    loop {
        let now = Instant::now();
        let muted = {
            let mut feed = locked(feed);
            if feed.stopped() {
                return None;
            }
            let cause = feed.mute();
            if let Some(cause) = cause {
                feed.muted(cause);
                // Once the mute is lifted, the device is opened at once.
                (backoff, due) = (Backoff::default(), Some(now));
            }
            cause.is_some()
        };
        if muted || now < *due.get_or_insert_with(|| now + backoff.next()) {
            std::thread::sleep(LOOK);
            continue;
        }
        let reason = match reopen() {
            Ok(device) if device.format() == format => return Some(device),
            Ok(device) => {
                device.close();
                "it came back with another rate or number of channels".to_owned()
            }
            Err(CaptureError::Missing { reason, .. }) => reason,
            Err(error) => {
                let message = error.to_string();
                if message != refused {
                    say!("{message}");
                    refused.clone_from(&message);
                }
                message
            }
        };
        locked(feed).lost(&reason);
        due = Some(Instant::now() + backoff.next());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{
        CaptureSignal, Found, Link, Mute, Reader, Selection, WhenFull, Writer, ring,
    };
    use crate::stop::Stop;
    use std::sync::mpsc::{Receiver, channel};

    /// A device that plays a script: so many samples, then an end.
    struct Scripted {
        rate: u32,
        samples: usize,
        then: &'static str,
    }

    impl Device for Scripted {
        fn format(&self) -> Format {
            Format {
                rate: self.rate,
                channels: 1,
            }
        }

        fn listen(&mut self, feed: &SharedFeed) -> Result<Ended, CaptureError> {
            let mut feed = locked(feed);
            for _ in 0..self.samples {
                if feed.samples(&[1.0]).is_err() {
                    return Ok(Ended::Asked);
                }
            }
            Ok(match self.then {
                "gone" => Ended::Gone("EIO".into()),
                _ => Ended::Asked,
            })
        }
    }

    fn parts() -> (Writer, Reader, Link, Receiver<CaptureSignal>, Mute) {
        let (mute, stop) = (Mute::default(), Stop::default());
        let (writer, reader) = ring(
            100,
            Selection::all(1),
            WhenFull::Drop,
            mute.clone(),
            stop.clone(),
        );
        let (sender, signals) = channel();
        let link = Link::new(stop, mute.clone(), move |signal| {
            sender.send(signal).unwrap();
        });
        (writer, reader, link, signals, mute)
    }

    fn missing() -> CaptureError {
        CaptureError::Missing {
            name: "mic".into(),
            reason: "no such device".into(),
            available: Vec::new(),
        }
    }

    #[test]
    fn the_wait_for_a_lost_device_grows_to_two_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..6).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 2000, 2000]);
    }

    #[test]
    fn a_lost_device_is_sought_until_it_delivers_what_it_did_before() {
        let (writer, mut reader, link, signals, _) = parts();
        let device = |rate, samples, then| Scripted {
            rate,
            samples,
            then,
        };
        let format = device(1000, 0, "").format();
        let feed = Feed::new(writer, link, "mic".into(), format, true);
        let mut answers = vec![
            Ok(device(1000, 4, "asked")),
            Ok(device(44_100, 9, "asked")),
            Err(missing()),
        ];
        let kept = keep(device(1000, 3, "gone"), feed, || {
            answers.pop().unwrap_or_else(|| Err(missing()))
        });
        assert!(kept.is_ok() && answers.is_empty());
        let told: Vec<CaptureSignal> = signals.try_iter().collect();
        assert!(
            matches!(
                told.as_slice(),
                [
                    CaptureSignal::Opened { .. },
                    CaptureSignal::Lost { .. },
                    CaptureSignal::Back { after }
                ] if *after >= Duration::from_millis(1700)
            ),
            "{told:?}"
        );
        let mut samples = 0;
        let mut buffer = [0.0; 16];
        loop {
            match reader.next(&mut buffer) {
                Found::Samples(count) => samples += count,
                Found::Mark(_) => {}
                Found::Nothing | Found::Abandoned => break,
            }
        }
        assert_eq!(samples, 7);
    }

    #[test]
    fn a_device_that_is_muted_is_not_opened_until_the_mute_is_lifted() {
        let (writer, _reader, link, signals, mute) = parts();
        let script = |samples, then| Scripted {
            rate: 1000,
            samples,
            then,
        };
        let feed = Feed::new(writer, link, "mic".into(), script(0, "").format(), true);
        mute.command(true);
        let lifted = mute.clone();
        let (opened, seen) = channel();
        let thread = std::thread::spawn(move || {
            keep(script(1, "gone"), feed, || {
                opened.send(mute.cause()).unwrap();
                Ok(script(1, "asked"))
            })
        });
        let first = signals.recv().unwrap();
        assert_eq!(first, CaptureSignal::Muted(MuteCause::Command));
        assert!(seen.recv_timeout(Duration::from_millis(200)).is_err());
        lifted.command(false);
        assert_eq!(seen.recv().unwrap(), None);
        assert!(thread.join().unwrap().is_ok());
    }
}
