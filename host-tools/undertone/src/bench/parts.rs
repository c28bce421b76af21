//! The parts, one by one, and one live channel made of all of them.

use std::hint::black_box;
use std::path::Path;

use anyhow::{Context, Result};
use undertone_analysis::vad::{EarshotVad, Vad};
use undertone_analysis::{Told, analyser};
use undertone_dsp::{Frontend, FrontendConfig};
use undertone_events::EventKind;
use undertone_model::{Metadata, Model, NetworkKind, Stream};

use super::figure::{Figure, cpu_times, scaled};
use super::sound::{Speech, settings};
use crate::model;

/// Audio of one repeat.
pub(super) const SECONDS: usize = 60;
/// Frames of the pass that others run on windows of 3 s.
pub(super) const PASS_FRAMES: usize = 300;
/// Answers in one repeat; of a windowed network, each of which is a pass.
const ANSWERS: usize = 200;
const PASSES: usize = 5;
/// Samples that come at once: 20 ms at 16 kHz, as from a device.
pub(super) const PERIOD: usize = 320;

/// All of them.
pub(super) fn measure(
    path: Option<&Path>,
    loaded: &Model,
    speech: &Speech,
    repeats: usize,
) -> Result<Vec<Figure>> {
    let audio = speech.seconds(SECONDS);
    let frames = frames(loaded, &audio)?;
    let rows = loaded.metadata().rows();
    let about = loaded.metadata();
    let windowed = about.network == NetworkKind::Windowed;
    let answers = if windowed { PASSES } else { ANSWERS };

    let mut front = Features::new()?;
    let features = cpu_times(repeats, || front.run(&audio))?;
    let mut vad = EarshotVad::new();
    let activity = cpu_times(repeats, || activity(&mut vad, &audio))?;
    let mut stream = loaded.stream()?;
    let count = (frames.len() / rows) as f64;
    let encoder = cpu_times(repeats, || encode(&mut stream, &frames, rows))?;
    let mut scores = vec![0.0; loaded.metadata().labels.len()];
    let head = cpu_times(repeats, || {
        for _ in 0..answers {
            black_box(stream.probabilities(&mut scores)?);
        }
        Ok(())
    })?;
    let pass = cpu_times(repeats, || pass(&mut stream, &frames, rows, &mut scores))?;
    let load = cpu_times(repeats.min(5), || {
        model::load_or_default(path).map(|model| drop(black_box(model)))
    })?;
    let mut share = 0.0;
    let live = cpu_times(repeats.min(5), || {
        share = live(loaded, speech, &audio)?;
        Ok(())
    })?;
    let per_core: Vec<f64> = live
        .iter()
        .map(|seconds| SECONDS as f64 / seconds)
        .collect();
    Ok(vec![
        Figure::of(
            "features_60s",
            "features of 60 s: ZCR, RMS, 40 MFCC, 64 log-mel",
            "ms",
            &scaled(&features, 1e3),
        ),
        Figure::of(
            "vad_60s",
            "voice activity of 60 s",
            "ms",
            &scaled(&activity, 1e3),
        ),
        Figure::of(
            "encoder_frame",
            each_frame(about),
            "us",
            &scaled(&encoder, 1e6 / count),
        ),
        Figure::of(
            "head_answer",
            each_answer(about),
            "us",
            &scaled(&head, 1e6 / answers as f64),
        ),
        Figure::of("network_3s", each_pass(about), "ms", &scaled(&pass, 1e3)),
        Figure::of(
            "model_load",
            "model load, with every check",
            "ms",
            &scaled(&load, 1e3),
        ),
        Figure::of(
            "live_channel",
            format!(
                "one live channel, per second of audio; an answer each {:.0} ms, {:.0} % speech",
                1e3 * about.update_hop as f64 * about.frontend.hop_seconds(),
                100.0 * share
            ),
            "ms",
            &scaled(&live, 1e3 / SECONDS as f64),
        ),
        Figure::of(
            "channels_per_core",
            "channels a core, by one live channel",
            "",
            &per_core,
        ),
    ])
}

/// What is done for each frame.
fn each_frame(about: &Metadata) -> String {
    let hop = 1e3 * about.frontend.hop_seconds();
    match about.network {
        NetworkKind::Streaming => format!("encoder, per frame of {hop:.0} ms"),
        NetworkKind::Windowed => format!("into the window, per frame of {hop:.0} ms"),
    }
}

/// What is done for each answer.
fn each_answer(about: &Metadata) -> String {
    let frontend = &about.frontend;
    let samples = about.window.saturating_sub(1) * frontend.hop_length + frontend.frame_length;
    let seconds = samples as f64 / f64::from(frontend.sample_rate);
    match about.network {
        NetworkKind::Streaming => format!("head, per answer over {seconds:.0} s of speech"),
        NetworkKind::Windowed => format!("network, per answer on a window of {seconds:.2} s"),
    }
}

/// What [`pass`] is over.
fn each_pass(about: &Metadata) -> String {
    let seconds = PASS_FRAMES as f64 * about.frontend.hop_seconds();
    let seconds = (10.0 * seconds).round() / 10.0;
    format!("network over {seconds} s, frame by frame, and one answer")
}

/// The default front end, with everything that it computes.
pub(super) struct Features(Frontend);

impl Features {
    pub(super) fn new() -> Result<Self> {
        Ok(Features(Frontend::new(&FrontendConfig::default())?))
    }

    pub(super) fn run(&mut self, audio: &[f32]) -> Result<()> {
        self.0.reset();
        for block in audio.chunks(PERIOD) {
            self.0.push(block, |frame| {
                black_box(frame);
            });
        }
        Ok(())
    }
}

fn activity(vad: &mut EarshotVad, audio: &[f32]) -> Result<()> {
    vad.reset();
    for hop in audio.chunks_exact(vad.hop_length()) {
        black_box(vad.probability(hop));
    }
    Ok(())
}

/// The model's feature frames of some audio, one after the other.
pub(super) fn frames(loaded: &Model, audio: &[f32]) -> Result<Vec<f32>> {
    let about = loaded.metadata();
    let mut frames = Vec::new();
    let mut row = vec![0.0; about.rows()];
    Frontend::new(&about.frontend)?.push(audio, |frame| {
        frame.write_rows(&about.features, &mut row);
        frames.extend_from_slice(&row);
    });
    Ok(frames)
}

fn encode(stream: &mut Stream, frames: &[f32], rows: usize) -> Result<()> {
    stream.reset()?;
    for frame in frames.chunks_exact(rows) {
        stream.push(frame)?;
    }
    Ok(())
}

/// What a network without streams does for one answer.
pub(super) fn pass(
    stream: &mut Stream,
    frames: &[f32],
    rows: usize,
    scores: &mut [f32],
) -> Result<()> {
    let window = frames
        .get(..PASS_FRAMES * rows)
        .context("less audio than a pass takes")?;
    encode(stream, window, rows)?;
    black_box(stream.probabilities(scores)?);
    Ok(())
}

/// From 16 kHz samples to events; returns the share of the audio that was heard as speech.
pub(super) fn live(loaded: &Model, speech: &Speech, audio: &[f32]) -> Result<f64> {
    let mut analyser = analyser(loaded, &settings(speech.rate))?;
    let mut spoken = 0;
    let mut tell = |_, told| {
        if let Told::Event(event) = &told
            && event.kind == EventKind::End
        {
            spoken += event.at_sample - event.start_sample;
        }
        black_box(told);
    };
    for block in audio.chunks(PERIOD) {
        analyser.push(block, &mut tell)?;
    }
    analyser.close(undertone_events::EndReason::Shutdown, &mut tell)?;
    Ok(spoken as f64 / audio.len() as f64)
}
