//! Capture through cpal: the system's default input, or one by its name.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Builder;
use std::time::Duration;

use ::cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use ::cpal::{Data, Device, ErrorKind, SampleFormat, Stream, SupportedStreamConfig};

use super::Encoding;
use super::convert::Decode as _;
use super::device::{self, Ended, SharedFeed, locked};
use super::feed::{Feed, GIVE_UP};
use super::{CaptureError, CaptureOptions, Format, Link, Source, Writer, devices};

/// From one look at the stream to the next.
const POLL: Duration = Duration::from_millis(20);
/// Samples converted at once.
const BLOCK: usize = 4096;
/// The rate that the analysis works at, which saves bringing another one there.
const PREFERRED_RATE: u32 = 16_000;

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

    fn run(self: Box<Self>, writer: Writer, link: Link) -> Result<(), CaptureError> {
        let _quiet = alsa::Output::local_error_handler();
        let (format, name) = (self.format(), self.name.clone());
        let again = CaptureOptions {
            device_rate: Some(format.rate),
            device_channels: u32::try_from(format.channels).ok(),
            ..CaptureOptions::default()
        };
        let called = format!("the microphone {:?}", self.shown());
        let feed = Feed::new(writer, link, called, format, true);
        device::keep(*self, feed, || CpalSource::open(name.as_deref(), &again))
    }
}

impl device::Device for CpalSource {
    fn format(&self) -> Format {
        Source::format(self)
    }

    fn listen(&mut self, feed: &SharedFeed) -> Result<Ended, CaptureError> {
        let (stream, health) = self.start(feed)?;
        let ended = health.watch(feed);
        health.gone.store(true, Ordering::Relaxed);
        release(stream);
        Ok(ended)
    }
}

impl CpalSource {
    fn start(&self, feed: &SharedFeed) -> Result<(Stream, Arc<Health>), CaptureError> {
        let health = Arc::new(Health::default());
        let (feed, encoding) = (Arc::clone(feed), self.encoding);
        let (mut samples, noted, told) =
            (vec![0.0; BLOCK], Arc::clone(&health), Arc::clone(&health));
        let channels = usize::from(self.config.channels().max(1));
        let block = BLOCK / channels * channels;
        let on_data = move |data: &Data, _: &::cpal::InputCallbackInfo| {
            if noted.gone.load(Ordering::Relaxed) {
                return;
            }
            noted.blocks.fetch_add(1, Ordering::Relaxed);
            // Others hold the lock for moments only.
            let mut feed = locked(&feed);
            if noted.interrupted.swap(false, Ordering::Relaxed) {
                feed.xrun("samples were lost");
            }
            for part in data.bytes().chunks(block * encoding.bytes()) {
                let count = encoding.decode(part, &mut samples);
                if feed.samples(&samples[..count]).is_err() {
                    noted.closed.store(true, Ordering::Relaxed);
                }
            }
        };
        let on_error = move |error: ::cpal::Error| match error.kind() {
            ErrorKind::Xrun => told.interrupted.store(true, Ordering::Relaxed),
            ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {}
            _ => told.failed.store(true, Ordering::Relaxed),
        };
        let config = ::cpal::StreamConfig {
            channels: self.config.channels(),
            sample_rate: self.config.sample_rate(),
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

/// What the callbacks of a stream have to tell, and what they are told.
#[derive(Default)]
struct Health {
    interrupted: AtomicBool,
    failed: AtomicBool,
    closed: AtomicBool,
    /// Nobody listens to this stream any more.
    gone: AtomicBool,
    /// Deliveries so far.
    blocks: AtomicU64,
}

impl Health {
    /// Waits until the stream is of no more use.
    fn watch(&self, feed: &SharedFeed) -> Ended {
        let mut blocks = 0;
        loop {
            if self.failed.load(Ordering::Relaxed) {
                return Ended::Gone("its stream failed".into());
            }
            {
                let mut feed = locked(feed);
                if feed.stopped() || self.closed.load(Ordering::Relaxed) {
                    return Ended::Asked;
                }
                if let Some(cause) = feed.mute() {
                    return Ended::Muted(cause);
                }
                let now = self.blocks.load(Ordering::Relaxed);
                // Looks are counted, and not time, so that a process that was suspended gives its device a chance.
                if now == blocks && feed.nothing_for(POLL) {
                    let waited = GIVE_UP.as_secs();
                    return Ended::Gone(format!("it has delivered nothing for {waited} s"));
                }
                blocks = now;
            }
            std::thread::sleep(POLL);
        }
    }
}

/// Closes a stream without waiting: that of a sound server that died may never close.
fn release<T: Send + 'static>(stream: T) {
    // Where no thread can be had, it is closed here.
    let _ = Builder::new()
        .name("close".to_owned())
        .spawn(move || drop(stream));
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

/// What is understood, the least to move first.
const FORMATS: [(SampleFormat, Encoding); 4] = [
    (SampleFormat::I16, Encoding::I16),
    (SampleFormat::I24, Encoding::I24In4),
    (SampleFormat::I32, Encoding::I32),
    (SampleFormat::F32, Encoding::F32),
];

/// What is asked for; where nothing is, 16 kHz and one channel as far as the device has them, and otherwise its default.
fn choose(
    device: &Device,
    options: &CaptureOptions,
) -> Result<(SupportedStreamConfig, Encoding), ::cpal::Error> {
    let default = device.default_input_config().ok();
    let usual_rate = default
        .as_ref()
        .map_or(48_000, |config| config.sample_rate());
    let wanted: Vec<(u32, Option<u32>)> = match (options.device_rate, options.device_channels) {
        (Some(rate), channels) => vec![(rate, channels)],
        (None, Some(channels)) => vec![
            (PREFERRED_RATE, Some(channels)),
            (usual_rate, Some(channels)),
        ],
        (None, None) => {
            let needed = options.pick.channels_needed();
            let few = needed.map_or(1, |needed| u32::try_from(needed).unwrap_or(u32::MAX));
            let any = if needed.is_some() { Some(few) } else { None };
            vec![
                (PREFERRED_RATE, Some(few)),
                (PREFERRED_RATE, any),
                (usual_rate, Some(few)),
                (usual_rate, any),
            ]
        }
    };
    let ranges: Vec<_> = device.supported_input_configs()?.collect();
    let of_ranges = |(rate, channels): (u32, Option<u32>)| {
        let fit = |format: SampleFormat| {
            ranges
                .iter()
                .filter(|range| range.sample_format() == format)
                .filter(|range| channels.is_none_or(|count| count == u32::from(range.channels())))
                .find_map(|range| range.try_with_sample_rate(rate))
        };
        FORMATS
            .into_iter()
            .find_map(|(format, encoding)| Some((fit(format)?, encoding)))
    };
    let free = options.device_rate.is_none() && options.device_channels.is_none();
    let as_default = || {
        let config = default.filter(|_| free && options.pick.channels_needed().is_none())?;
        let known = |(format, _): &(SampleFormat, Encoding)| *format == config.sample_format();
        let (_, encoding) = FORMATS.into_iter().find(known)?;
        Some((config, encoding))
    };
    wanted
        .into_iter()
        .find_map(of_ranges)
        .or_else(as_default)
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
