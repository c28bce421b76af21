//! ALSA capture: reads a device, and survives what happens to devices.
//!
//! | what happens        | answer                                                        |
//! |---------------------|---------------------------------------------------------------|
//! | overrun (EPIPE)     | prepare, start, a gap of as long as nothing was read          |
//! | suspend (ESTRPIPE)  | resume, or prepare where the driver cannot; a gap             |
//! | gone (any other)    | close, a mark, open again by the same name every second; a gap |

mod negotiate;

use std::time::{Duration, Instant};

use ::alsa::pcm::PCM;
use ::alsa::{Direction, Output};

use self::negotiate::Negotiated;
use super::{CaptureError, CaptureOptions, Format, MarkKind, Source, Writer, devices};
use crate::stop::Stop;
use crate::talk::say;

/// How long to wait for samples before the request to stop is looked at.
const POLL_MS: u32 = 100;
/// Without samples for so long, the microphone has stalled.
const STALL: Duration = Duration::from_secs(2);
/// From one attempt to open a lost device to the next.
const REOPEN: Duration = Duration::from_secs(1);
/// A sleep where the device has nothing and does not block either.
const NAP: Duration = Duration::from_millis(5);

/// An open device.
pub(super) struct AlsaSource {
    name: String,
    pcm: PCM,
    negotiated: Negotiated,
}

/// Why reading stopped.
enum Stopped {
    Asked,
    Gone(::alsa::Error),
}

impl AlsaSource {
    /// Opens a device by the name that ALSA knows it by, and settles what it delivers.
    pub(super) fn open(name: &str, options: &CaptureOptions) -> Result<Self, CaptureError> {
        let (pcm, negotiated) = open(name, options.device_rate, options.device_channels)?;
        Ok(AlsaSource {
            name: name.to_owned(),
            pcm,
            negotiated,
        })
    }
}

impl Source for AlsaSource {
    fn format(&self) -> Format {
        self.negotiated.format
    }

    fn is_live(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        format!(
            "ALSA device {:?} ({:?})",
            self.name, self.negotiated.encoding
        )
    }

    fn run(self: Box<Self>, mut writer: Writer, stop: &Stop) -> Result<(), CaptureError> {
        let AlsaSource {
            name,
            mut pcm,
            negotiated,
        } = *self;
        // Frees the thread's standard error from alsa-lib's own messages.
        let _quiet = Output::local_error_handler();
        let rate = negotiated.format.rate;
        loop {
            let reason = match read(&name, &pcm, &negotiated, &mut writer, stop)? {
                Stopped::Asked => return Ok(()),
                Stopped::Gone(reason) => reason,
            };
            let since = Instant::now();
            drop(pcm);
            say!(
                "the microphone {name:?} is gone ({}); waiting for it to come back",
                cause(reason)
            );
            writer.mark(MarkKind::Lost);
            let Some(again) = reopen(&name, &negotiated, stop) else {
                return Ok(());
            };
            pcm = again;
            say!(
                "the microphone {name:?} is back after {} s",
                since.elapsed().as_secs()
            );
            writer.gap(frames(since.elapsed(), rate));
        }
    }
}

fn open(
    name: &str,
    rate: Option<u32>,
    channels: Option<u32>,
) -> Result<(PCM, Negotiated), CaptureError> {
    let _quiet = Output::local_error_handler();
    let c_name = std::ffi::CString::new(name).map_err(|error| CaptureError::Device {
        name: name.to_owned(),
        action: "be looked up",
        reason: error.to_string(),
    })?;
    let pcm =
        PCM::open(&c_name, Direction::Capture, true).map_err(|error| open_error(name, error))?;
    let negotiated = negotiate::settle(name, &pcm, rate, channels)?;
    Ok((pcm, negotiated))
}

/// Tries until the device delivers the same as before, or the end is asked for.
fn reopen(name: &str, before: &Negotiated, stop: &Stop) -> Option<PCM> {
    let Format { rate, channels } = before.format;
    let mut next = Instant::now() + REOPEN;
    let mut refused = String::new();
    while !stop.requested() {
        if Instant::now() < next {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        }
        next = Instant::now() + REOPEN;
        match open(name, Some(rate), u32::try_from(channels).ok()) {
            Ok((pcm, now)) if now == *before => return Some(pcm),
            Ok(_) => tell_once(
                &mut refused,
                format!("the device {name:?} is back with another sample encoding"),
            ),
            Err(CaptureError::Missing { .. }) => {}
            Err(error) => tell_once(&mut refused, error.to_string()),
        }
    }
    None
}

fn tell_once(last: &mut String, message: String) {
    if *last != message {
        say!("{message}");
        *last = message;
    }
}

fn read(
    name: &str,
    pcm: &PCM,
    negotiated: &Negotiated,
    writer: &mut Writer,
    stop: &Stop,
) -> Result<Stopped, CaptureError> {
    let Format { rate, channels } = negotiated.format;
    let frame_bytes = negotiated.encoding.bytes() * channels;
    let block = (rate as usize / 25).max(1);
    let mut bytes = vec![0; block * frame_bytes];
    let mut samples = vec![0.0; block * channels];
    let io = pcm.io_bytes();
    if let Err(error) = pcm.start() {
        return Ok(Stopped::Gone(error));
    }
    let mut last_read = Instant::now();
    let (mut heard, mut stalled) = (false, false);
    while !stop.requested() {
        let got = pcm
            .wait(Some(POLL_MS))
            .and_then(|ready| if ready { io.readi(&mut bytes) } else { Ok(0) });
        match got {
            Ok(0) => {
                if !stalled && last_read.elapsed() > STALL {
                    stalled = true;
                    say!("the microphone {name:?} delivers nothing; it has stalled");
                }
                std::thread::sleep(NAP);
            }
            Ok(count) => {
                negotiated
                    .encoding
                    .decode(&bytes[..count * frame_bytes], &mut samples);
                if stalled {
                    stalled = false;
                    say!("the microphone {name:?} delivers again");
                }
                (heard, last_read) = (true, Instant::now());
                if writer.write(&samples[..count * channels]).is_err() {
                    return Ok(Stopped::Asked);
                }
            }
            Err(error) if error.errno() == libc::EAGAIN || error.errno() == libc::EINTR => {
                std::thread::sleep(NAP)
            }
            Err(error) => {
                if let Err(error) = recover(pcm, error, stop) {
                    return Ok(Stopped::Gone(error));
                }
                say!("the microphone {name:?} was interrupted ({})", cause(error));
                if heard {
                    writer.gap(frames(last_read.elapsed(), rate).max(1));
                }
                last_read = Instant::now();
            }
        }
    }
    Ok(Stopped::Asked)
}

/// Sets a device going again after an overrun or a suspend.
fn recover(pcm: &PCM, error: ::alsa::Error, stop: &Stop) -> Result<(), ::alsa::Error> {
    match error.errno() {
        libc::EPIPE => pcm.prepare()?,
        libc::ESTRPIPE => loop {
            match pcm.resume() {
                // The device is still asleep.
                Err(busy) if busy.errno() == libc::EAGAIN && !stop.requested() => {
                    std::thread::sleep(Duration::from_millis(POLL_MS.into()));
                }
                Err(unable) if unable.errno() == libc::ENOSYS => break pcm.prepare()?,
                Err(other) => return Err(other),
                // A resumed device is running already.
                Ok(()) => return Ok(()),
            }
        },
        _ => return Err(error),
    }
    pcm.start()
}

fn frames(elapsed: Duration, rate: u32) -> u64 {
    u64::try_from(elapsed.as_nanos() * u128::from(rate) / 1_000_000_000).unwrap_or(u64::MAX)
}

/// What the system calls an error of alsa-lib.
fn cause(error: ::alsa::Error) -> String {
    std::io::Error::from_raw_os_error(error.errno()).to_string()
}

fn open_error(name: &str, error: ::alsa::Error) -> CaptureError {
    let (name, reason) = (name.to_owned(), cause(error));
    match error.errno() {
        // A number that no card can have is EINVAL.
        libc::ENOENT | libc::ENODEV | libc::ENXIO | libc::ECONNREFUSED | libc::EINVAL => {
            CaptureError::Missing {
                name,
                reason,
                available: devices::alsa_names(),
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
