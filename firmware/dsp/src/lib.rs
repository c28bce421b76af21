//! Samples to feature frames, streaming, in fixed buffers.
//!
//! In: mono `f32` samples at any rate, full scale ±1, in blocks of any length. Out: one [`Frame`] per hop with zero-crossing
//! rate, RMS, log-mel spectrum and MFCCs in librosa's definitions, and, through [`Resampler`], samples at another rate.
//!
//! Training and the box run this same code, so that the features of the two cannot differ. What a frame means is fixed
//! by a [`FrontendConfig`], which travels inside the model file.
//!
//! - Every buffer and every FFT plan is made at construction; `push`, `flush` and `reset` never allocate.
//! - How the input is cut into blocks never changes the output, not by one bit.
//! - A sample that is not finite counts as 0, and one beyond ±[`SAMPLE_LIMIT`] counts as that limit, so that every
//!   feature is finite whatever comes in.
//! - What an utterance is nobody here knows: a [`Floor`] is put under its frames by the model's stream, and by training.
//! - Nothing here reads a file, a clock or a device, and nothing logs.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod config;
mod decibel;
mod error;
mod filters;
mod floor;
mod frontend;
mod level;
pub mod machine;
mod mel;
mod mfcc;
mod resample;
mod sanitize;
mod spectrum;
mod time_domain;

pub use config::{Feature, FrontendConfig};
pub use decibel::ln;
pub use error::DspError;
pub use filters::{FilterBank, FilterWork};
pub use floor::{Depths, Floor};
pub use frontend::{Frame, Frontend};
pub use level::{DBFS_FLOOR, dbfs};
pub use mfcc::Dct;
pub use resample::{Resampler, resample};
pub use sanitize::SAMPLE_LIMIT;
pub use spectrum::{PowerSpectrum, SpectrumWork};
pub use time_domain::ZERO_THRESHOLD;
