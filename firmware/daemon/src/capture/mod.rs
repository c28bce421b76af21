//! Sources of audio, one module each, behind one trait.
//!
//! A source writes interleaved `f32` samples (full scale ±1) into the ring, marks where they are interrupted, and tells its
//! supervisor what happens to its device ([`CaptureSignal`]). It never waits for what follows the ring, except where nothing
//! may be lost: files and standard input. While it is muted ([`Mute`]) nothing that it hears passes the ring, and a device
//! is closed. Channels that are not analysed ([`Selection`]) do not pass it either.

mod alsa;
mod convert;
mod cpal;
mod device;
mod devices;
mod error;
mod feed;
mod file;
mod link;
mod realtime;
mod ring;
mod selection;
mod spec;
mod stdin;

pub use self::alsa::{MuteSwitch, Offers};
pub use convert::Encoding;
pub use devices::list_devices;
pub use error::CaptureError;
pub use link::{CaptureSignal, Link, Mute, MuteCause};
pub use ring::{Closed, Found, MarkKind, Reader, WhenFull, Writer, ring};
pub use selection::{Pick, Selection};
pub use spec::SourceSpec;
pub use undertone_analysis::Format;

/// What a source is opened with besides its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureOptions {
    /// Play a file as fast as it can be analysed, instead of at real-time pace.
    pub fast: bool,
    /// The rate of headerless standard input, in Hz.
    pub stdin_rate: u32,
    /// The channels of headerless standard input.
    pub stdin_channels: usize,
    /// The rate to ask a device for, in Hz; the best that it offers when `None`.
    pub device_rate: Option<u32>,
    /// The channels to ask a device for; as few as it offers when `None`.
    pub device_channels: Option<u32>,
    /// The encoding to ask an ALSA device for; the first of those that are understood when `None`.
    pub device_format: Option<Encoding>,
    /// How often an ALSA device wakes the reader, in milliseconds.
    pub period_ms: u32,
    /// How late the reader may be before an ALSA device loses samples, in milliseconds.
    pub buffer_ms: u32,
    /// The channels that leave the capture thread. A device is asked for at least as many as that takes.
    pub pick: Pick,
    /// The capture switch that mutes an ALSA device.
    pub mute_switch: MuteSwitch,
    /// The mixer that has it; that of the device's card when `None`.
    pub mixer: Option<String>,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        CaptureOptions {
            fast: false,
            stdin_rate: 16_000,
            stdin_channels: 1,
            device_rate: None,
            device_channels: None,
            device_format: None,
            period_ms: 20,
            buffer_ms: 500,
            pick: Pick::default(),
            mute_switch: MuteSwitch::Auto,
            mixer: None,
        }
    }
}

/// An open source.
pub trait Source: Send {
    /// What it delivers.
    fn format(&self) -> Format;

    /// True for a device: its samples are of now, and it does not wait.
    fn is_live(&self) -> bool;

    /// One line for people about what was opened.
    fn describe(&self) -> String;

    /// Delivers samples until the audio ends, the end is asked for or nobody reads any more, and tells what happens
    /// meanwhile. The end of the writer is the end of the audio. `writer` must be one of a ring with the mute of `link`.
    ///
    /// # Errors
    /// When the source fails for good.
    fn run(self: Box<Self>, writer: Writer, link: Link) -> Result<(), CaptureError>;
}

/// What an ALSA device can deliver, by the name that ALSA knows it by; it is opened for a moment, and nothing is read.
///
/// # Errors
/// Why it cannot be opened or asked.
pub fn offers(name: &str) -> Result<Offers, CaptureError> {
    self::alsa::offers(name)
}

/// Opens the source that is named.
///
/// # Errors
/// Why it cannot be opened, and what could be done.
pub fn open(spec: &SourceSpec, options: &CaptureOptions) -> Result<Box<dyn Source>, CaptureError> {
    Ok(match spec {
        SourceSpec::File(path) => Box::new(file::FileSource::open(path, options.fast)?),
        SourceSpec::Stdin => Box::new(stdin::StdinSource::open(std::io::stdin(), options)?),
        SourceSpec::Alsa(name) => Box::new(alsa::AlsaSource::open(name, options)?),
        SourceSpec::Cpal(name) => Box::new(cpal::CpalSource::open(name.as_deref(), options)?),
    })
}
