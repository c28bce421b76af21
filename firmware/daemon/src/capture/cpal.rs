//! Capture through cpal: the system's default input, or one by its name.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use ::cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use ::cpal::{Data, Device, ErrorKind, SampleFormat, Stream, SupportedStreamConfig};

use super::convert::Encoding;
use super::{CaptureError, CaptureOptions, Format, MarkKind, Source, Writer, devices};
use crate::stop::Stop;
use crate::talk::say;

/// From one look at the stream to the next.
const POLL: Duration = Duration::from_millis(20);
/// After so many looks without samples (2 s), the microphone has stalled.
const STALLED: u32 = 100;
/// After so many (5 s), it is taken for gone: a sound server that dies is not always reported as an error.
const GIVEN_UP: u32 = 250;
/// From one attempt to open a lost device to the next.
const REOPEN: Duration = Duration::from_secs(1);
/// Samples converted at once.
const BLOCK: usize = 4096;

/// A device that was found; its stream begins with [`Source::run`].
pub(super) struct CpalSource {
    name: Option<String>,
    device: Device,
    config: SupportedStreamConfig,
    encoding: Encoding,
}

impl CpalSource {
    /// Finds a device, the default one when no name is given, and settles what it delivers.
    pub(super) fn open(name: Option<&str>, options: &CaptureOptions) -> Result<Self, CaptureError> {
        let _quiet = alsa::Output::local_error_handler();
        let shown = name.unwrap_or("default").to_owned();
        let missing = |reason: String| CaptureError::Missing {
            name: shown.clone(),
            reason,
            available: devices::cpal_names(),
        };
        let host = ::cpal::default_host();
        let device = match name {
            None => host
                .default_input_device()
                .ok_or_else(|| missing("there is no default input".into()))?,
            Some(name) => host
                .input_devices()
                .map_err(|error| missing(error.to_string()))?
                .find(|device| is_called(device, name))
                .ok_or_else(|| missing("no input device has this name".into()))?,
        };
        let (config, encoding) = choose(&device, options).map_err(|error| match error.kind() {
            ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => {
                missing(error.to_string())
            }
            _ => sort(&shown, "say what it delivers", &error),
        })?;
        Ok(CpalSource {
            name: name.map(str::to_owned),
            device,
            config,
            encoding,
        })
    }

    fn shown(&self) -> String {
        self.name.as_deref().unwrap_or("default").to_owned()
    }
}

impl Source for CpalSource {
    fn format(&self) -> Format {
        Format {
            rate: self.config.sample_rate(),
            channels: usize::from(self.config.channels()),
        }
    }

    fn is_live(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        format!(
            "audio input {:?} ({})",
            self.shown(),
            self.config.sample_format()
        )
    }

    fn run(self: Box<Self>, writer: Writer, stop: &Stop) -> Result<(), CaptureError> {
        let _quiet = alsa::Output::local_error_handler();
        let (format, shown) = (self.format(), self.shown());
        let again = CaptureOptions {
            device_rate: Some(format.rate),
            device_channels: u32::try_from(format.channels).ok(),
            ..CaptureOptions::default()
        };
        let writer = Arc::new(Mutex::new(writer));
        let mut source = *self;
        // The first start must work; a device that is lost later is waited for.
        let mut stream = Some(source.start(&writer)?);
        while !stop.requested() {
            let mut since = Instant::now();
            if let Some((_, health)) = &stream {
                let Some(gone) = health.watch(&shown, stop) else {
                    break;
                };
                since = gone.since;
                say!(
                    "the microphone {shown:?} is gone ({}); waiting for it to come back",
                    gone.why
                );
                lock(&writer).mark(MarkKind::Lost);
                release(stream.take());
            }
            while stream.is_none() && !stop.requested() {
                std::thread::sleep(REOPEN);
                if let Ok(found) = CpalSource::open(source.name.as_deref(), &again)
                    && found.format() == format
                {
                    source = found;
                    stream = source.start(&writer).ok();
                }
            }
            if stream.is_some() {
                say!(
                    "the microphone {shown:?} is back after {} s",
                    since.elapsed().as_secs()
                );
                lock(&writer).gap((since.elapsed().as_secs_f64() * f64::from(format.rate)) as u64);
            }
        }
        Ok(())
    }
}

impl CpalSource {
    fn start(&self, writer: &Arc<Mutex<Writer>>) -> Result<(Stream, Arc<Health>), CaptureError> {
        let health = Arc::new(Health::default());
        let (writer, encoding, rate) =
            (Arc::clone(writer), self.encoding, self.config.sample_rate());
        let (mut samples, noted, told) =
            (vec![0.0; BLOCK], Arc::clone(&health), Arc::clone(&health));
        let mut last = Instant::now();
        let block = BLOCK / usize::from(self.config.channels().max(1))
            * usize::from(self.config.channels().max(1));
        let on_data = move |data: &Data, _: &::cpal::InputCallbackInfo| {
            if noted.gone.load(Ordering::Relaxed) {
                return;
            }
            noted.blocks.fetch_add(1, Ordering::Relaxed);
            // Nobody else holds the lock while the stream runs, so this never waits.
            let mut writer = lock(&writer);
            if noted.interrupted.swap(false, Ordering::Relaxed) {
                writer.gap(((last.elapsed().as_secs_f64() * f64::from(rate)) as u64).max(1));
            }
            last = Instant::now();
            for part in data.bytes().chunks(block * encoding.bytes()) {
                let count = encoding.decode(part, &mut samples);
                if writer.write(&samples[..count]).is_err() {
                    noted.closed.store(true, Ordering::Relaxed);
                }
            }
        };
        let on_error = move |error: ::cpal::Error| match error.kind() {
            ErrorKind::Xrun => told.interrupted.store(true, Ordering::Relaxed),
            ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {}
            _ => told.gone.store(true, Ordering::Relaxed),
        };
        let config = ::cpal::StreamConfig {
            channels: self.config.channels(),
            sample_rate: rate,
            buffer_size: ::cpal::BufferSize::Default,
        };
        let failed = |error| sort(&self.shown(), "start", &error);
        let stream = self
            .device
            .build_input_stream_raw(config, self.config.sample_format(), on_data, on_error, None)
            .map_err(failed)?;
        stream.play().map_err(failed)?;
        Ok((stream, health))
    }
}

/// What the callbacks of a stream have to tell.
#[derive(Default)]
struct Health {
    interrupted: AtomicBool,
    gone: AtomicBool,
    closed: AtomicBool,
    /// Deliveries so far.
    blocks: AtomicU64,
}

/// A device that delivers no more.
struct Gone {
    /// When it last delivered.
    since: Instant,
    why: &'static str,
}

impl Health {
    /// Waits until the device is gone; `None` when the end is asked for or nobody reads any more.
    fn watch(&self, shown: &str, stop: &Stop) -> Option<Gone> {
        let (mut blocks, mut since, mut quiet) = (0, Instant::now(), 0);
        while !stop.requested() && !self.closed.load(Ordering::Relaxed) {
            if self.gone.load(Ordering::Relaxed) {
                let why = "its stream failed";
                return Some(Gone { since, why });
            }
            let now = self.blocks.load(Ordering::Relaxed);
            // Looks are counted, and not time, so that a process that was suspended gives its device a chance.
            quiet = if now == blocks { quiet + 1 } else { 0 };
            if now != blocks {
                (blocks, since) = (now, Instant::now());
            }
            if quiet == STALLED {
                say!("the microphone {shown:?} delivers nothing; it has stalled");
            }
            if quiet >= GIVEN_UP {
                self.gone.store(true, Ordering::Relaxed);
                let why = "it has delivered nothing for 5 s";
                return Some(Gone { since, why });
            }
            std::thread::sleep(POLL);
        }
        None
    }
}

/// Closes a stream without waiting: that of a sound server that died may never close.
fn release<T: Send + 'static>(stream: T) {
    // Where no thread can be had, it is closed here.
    let _ = Builder::new()
        .name("close".to_owned())
        .spawn(move || drop(stream));
}

fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_called(device: &Device, name: &str) -> bool {
    let by_id = device
        .id()
        .is_ok_and(|id| id.id() == name || id.to_string() == name);
    by_id
        || device
            .description()
            .is_ok_and(|description| description.name() == name)
}

fn encoding(format: SampleFormat) -> Option<Encoding> {
    match format {
        SampleFormat::I16 => Some(Encoding::I16),
        SampleFormat::I24 => Some(Encoding::I24In4),
        SampleFormat::I32 => Some(Encoding::I32),
        SampleFormat::F32 => Some(Encoding::F32),
        _ => None,
    }
}

/// The default configuration where it fits, otherwise the first that does.
fn choose(
    device: &Device,
    options: &CaptureOptions,
) -> Result<(SupportedStreamConfig, Encoding), ::cpal::Error> {
    let fits = |config: &SupportedStreamConfig| {
        options
            .device_rate
            .is_none_or(|rate| rate == config.sample_rate())
            && options
                .device_channels
                .is_none_or(|channels| channels == u32::from(config.channels()))
    };
    let default = device.default_input_config().ok().filter(fits);
    if let Some((config, encoding)) =
        default.and_then(|config| Some((config, encoding(config.sample_format())?)))
    {
        return Ok((config, encoding));
    }
    let wanted = options.device_rate.unwrap_or(16_000);
    device
        .supported_input_configs()?
        .filter_map(|range| {
            let rate = wanted.clamp(range.min_sample_rate(), range.max_sample_rate());
            let config = range.try_with_sample_rate(rate)?;
            Some((config, encoding(config.sample_format())?))
        })
        .find(|(config, _)| fits(config))
        .ok_or_else(|| ErrorKind::UnsupportedConfig.into())
}

fn sort(name: &str, action: &'static str, error: &::cpal::Error) -> CaptureError {
    let (name, reason) = (name.to_owned(), error.to_string());
    match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => CaptureError::Missing {
            name,
            reason,
            available: devices::cpal_names(),
        },
        ErrorKind::DeviceBusy => CaptureError::Busy { name, reason },
        ErrorKind::PermissionDenied => CaptureError::Denied { name, reason },
        ErrorKind::UnsupportedConfig => CaptureError::Unsupported {
            name,
            what: "a usable sample format".into(),
            reason,
        },
        _ => CaptureError::Device {
            name,
            action,
            reason,
        },
    }
}
