//! Sources of audio, one module each, behind one trait.
//!
//! A source writes interleaved `f32` samples (full scale ±1) into the ring, and marks where they are interrupted. It
//! never waits for what follows the ring, except where nothing may be lost: files and standard input.

mod alsa;
mod convert;
mod cpal;
mod devices;
mod error;
mod file;
mod ring;
mod spec;
mod stdin;

pub use devices::list_devices;
pub use error::CaptureError;
pub use ring::{Closed, Found, MarkKind, Reader, WhenFull, Writer, ring};
pub use spec::SourceSpec;
pub use undertone_analysis::Format;

use crate::stop::Stop;

/// What a source is opened with besides its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
}

/// An open source.
pub trait Source: Send {
    /// What it delivers.
    fn format(&self) -> Format;

    /// True for a device: its samples are of now, and it does not wait.
    fn is_live(&self) -> bool;

    /// One line for people about what was opened.
    fn describe(&self) -> String;

    /// Delivers samples until the audio ends, the end is asked for or nobody reads any more. The end
    /// of the writer is the end of the audio.
    ///
    /// # Errors
    /// When the source fails for good.
    fn run(self: Box<Self>, writer: Writer, stop: &Stop) -> Result<(), CaptureError>;
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
