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
mod stdin;

pub use self::alsa::Offers;
pub use devices::list_devices;
pub use error::CaptureError;
pub use link::{CaptureSignal, Link, Mute, MuteCause};
pub use ring::{Closed, Found, MarkKind, Reader, WhenFull, Writer, ring};
pub use selection::Selection;
pub use stdin::await_stdin;
pub use undertone_analysis::Format;
pub use undertone_configuration::{CaptureOptions, Encoding, MuteSwitch, Pick, SourceSpec};

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
        SourceSpec::Stdin => Box::new(stdin::StdinSource::open(options)?),
        SourceSpec::Alsa(name) => Box::new(alsa::AlsaSource::open(name, options)?),
        SourceSpec::Cpal(name) => Box::new(cpal::CpalSource::open(name.as_deref(), options)?),
    })
}
