//! Pages that show the data and the results.
//!
//! In: corpora on disk ([`data`]), a clip and what training makes of it ([`gallery`]), or a run and what was measured of its model ([`result`]). Out: one HTML page each, made of
//! `undertone-page`. A page about corpora holds short excerpts of their recordings, so that one can listen; it stays
//! where the corpora are. A page about results holds none.

pub mod data;
mod error;
pub mod gallery;
mod palette;
pub mod result;
mod sound;

pub use error::ReportError;
