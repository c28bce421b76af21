//! Reading an open device until it is muted or gone.

use std::time::{Duration, Instant};

use ::alsa::pcm::PCM;
use ::alsa::poll::Descriptors;

use super::cause;
use super::negotiate::Negotiated;
use super::open::Opened;
use crate::capture::convert::Decode as _;
use crate::capture::device::{Device, Ended, SharedFeed, locked};
use crate::capture::feed::{Feed, GIVE_UP};
use crate::capture::{CaptureError, Format};

/// How long to wait for samples before the requests to stop and to mute are looked at.
const POLL: Duration = Duration::from_millis(POLL_MS as u64);
const POLL_MS: i32 = 100;
/// A sleep where the device has nothing and does not block either.
const NAP: Duration = Duration::from_millis(5);
/// So many failures in a row without a sample in between, and the device counts as gone.
const FAILURES: u32 = 20;

/// A device that can be read.
pub(super) struct AlsaDevice {
    name: String,
    pcm: PCM,
    negotiated: Negotiated,
}

impl AlsaDevice {
    pub(super) fn new(name: &str, opened: Opened) -> Self {
        AlsaDevice {
            name: name.to_owned(),
            pcm: opened.pcm,
            negotiated: opened.negotiated,
        }
    }
}

impl Device for AlsaDevice {
    fn format(&self) -> Format {
        self.negotiated.format
    }

    fn listen(&mut self, feed: &SharedFeed) -> Result<Ended, CaptureError> {
        self.pcm.start().map_err(|error| CaptureError::Device {
            name: self.name.clone(),
            action: "start",
            reason: cause(error),
        })?;
        // Nobody else has a use for it while the device is open.
        Ok(self.read(&mut locked(feed)))
    }
}

impl AlsaDevice {
    fn read(&self, feed: &mut Feed) -> Ended {
        let Negotiated {
            format,
            encoding,
            period_frames,
        } = self.negotiated;
        let frame_bytes = encoding.bytes() * format.channels;
        let mut bytes = vec![0; period_frames * frame_bytes];
        let mut samples = vec![0.0; period_frames * format.channels];
        let io = self.pcm.io_bytes();
        let mut descriptors = match self.pcm.get() {
            Ok(descriptors) => descriptors,
            Err(error) => return Ended::Gone(cause(error)),
        };
        let mut failures = 0;
        loop {
            if feed.stopped() {
                return Ended::Asked;
            }
            if let Some(cause) = feed.mute() {
                return Ended::Muted(cause);
            }
            let began = Instant::now();
            // What is ready is found out by reading: `snd_pcm_wait` never comes back from a device whose descriptor is
            // ready and that has no samples all the same.
            let got = ::alsa::poll::poll(&mut descriptors, POLL_MS)
                .and_then(|_| self.pcm.revents(&descriptors))
                .and_then(|_| io.readi(&mut bytes));
            match got {
                Ok(count) if count > 0 => {
                    failures = 0;
                    encoding.decode(&bytes[..count * frame_bytes], &mut samples);
                    if feed.samples(&samples[..count * format.channels]).is_err() {
                        return Ended::Asked;
                    }
                }
                Err(error) if !matches!(error.errno(), libc::EAGAIN | libc::EINTR) => {
                    failures += 1;
                    if failures > FAILURES {
                        return Ended::Gone(cause(error));
                    }
                    if let Err(error) = recover(&self.pcm, error, feed) {
                        return Ended::Gone(cause(error));
                    }
                    feed.xrun(&cause(error));
                }
                _ => {
                    std::thread::sleep(NAP);
                    // A process that was suspended must not blame its device for that.
                    if feed.nothing_for(began.elapsed().min(POLL + NAP)) {
                        return Ended::Gone(format!(
                            "it has delivered nothing for {} s",
                            GIVE_UP.as_secs()
                        ));
                    }
                }
            }
        }
    }
}

/// Sets a device going again after an overrun or a suspend.
fn recover(pcm: &PCM, error: ::alsa::Error, feed: &Feed) -> Result<(), ::alsa::Error> {
    match error.errno() {
        libc::EPIPE => pcm.prepare()?,
        libc::ESTRPIPE => loop {
            match pcm.resume() {
                // The device is still asleep.
                Err(busy) if busy.errno() == libc::EAGAIN && !feed.stopped() => {
                    std::thread::sleep(POLL);
                }
                Err(unable) if unable.errno() == libc::ENOSYS => break pcm.prepare()?,
                Err(other) => return Err(other),
                // A resumed device is running already.
                Ok(()) => return Ok(()),
            }
        },
        _ => return Err(error),
    }
    std::thread::sleep(NAP);
    pcm.start()
}
