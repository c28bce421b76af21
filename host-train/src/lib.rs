//! Everything that happens on the host before a model reaches a box.
//!
//! Comes in: folders with published speech-emotion corpora. Goes out: one ONNX file, and figures that can be
//! reproduced. Samples become features only through `undertone-dsp`, and files become samples only through
//! `undertone-decode`, so that training hears exactly what the box hears.
//!
//! - [`corpora`]: clips with speaker, emotion and product class; counts; splits that share no speaker.
//! - [`features`]: feature frames of clips, computed in parallel and cached.
//! - [`guide`]: what the first layers of a large speech recogniser make of clips, for a network to learn.
//! - [`sound`]: noise, rooms, lines, speed and pitch, as changes of samples.
//! - [`network`]: the networks that can be trained.
//! - [`training`]: the loop, what it hears, and what it leaves on disk.
//! - [`evaluation`]: figures of merit.
//! - [`report`]: pages that show the data and the results.
//! - [`export`]: trained weights to an ONNX file, and the check that nothing changed on the way.
//! - [`adapt`]: a model file fitted to the voices of one site.
//! - [`digest`]: what contents are told apart by.
//!
//! The library never exits and never asks, and prints nothing but progress bars; the binary `undertone-train` does.
//! Of a corpus, it writes figures, trained weights and, where a cache folder is named, feature frames and what a guide made of them; never audio, but for
//! `undertone-train augment` and `undertone-train data report`, which are asked for it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod adapt;
pub mod corpora;
pub mod digest;
pub mod evaluation;
pub mod export;
pub mod features;
pub mod guide;
pub mod network;
pub mod report;
pub mod sound;
pub mod training;
