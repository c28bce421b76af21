//! The same audio and the same network through others: in turn with ours, so that a busy machine slows all alike.

mod python;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use undertone_model::{Model, NetworkKind};

use super::figure::{Figure, cpu_time, scaled};
use super::parts::{Features, PASS_FRAMES, SECONDS, frames, live, pass};
use super::sound::Speech;
use crate::model;
use python::{Material, Python, install};

/// A peer: its name, its package, and what it does here.
const PEERS: [(&str, &str, &str); 5] = [
    (
        "librosa",
        "librosa",
        "ZCR, RMS, 40 MFCC, 64 log-mel of 60 s",
    ),
    ("kaldi_mfcc", "kaldi-native-fbank", "40 MFCC of 60 s"),
    ("kaldi_fbank", "kaldi-native-fbank", "64 log-mel of 60 s"),
    ("opensmile", "opensmile", "eGeMAPSv02 functionals of 60 s"),
    (
        "onnxruntime",
        "onnxruntime",
        "the same network on a window of 3 s",
    ),
];
/// Frames from one window to the next: 500 ms.
const HOP: usize = 50;
/// Largest difference of a logit from ours, beyond which it is not the same network on the same frames.
const SAME: f32 = 0.01;

/// Values of every round, in the order of rounds: those that are compared were taken one after the other.
#[derive(Default)]
struct Rounds {
    features: Vec<f64>,
    live: Vec<f64>,
    pass: Vec<f64>,
    peers: Vec<Vec<f64>>,
}

/// Runs all in turn.
///
/// # Errors
/// When no peer is there. A peer that is missing is named on standard error and left out.
pub(super) fn measure(
    interpreter: &Path,
    path: Option<&Path>,
    loaded: &Model,
    speech: &Speech,
    repeats: usize,
) -> Result<Vec<Figure>> {
    ensure!(
        loaded.metadata().network == NetworkKind::Streaming,
        "peers run the network on windows of 3 s, but this one is made for a window of its own: name a streaming model"
    );
    let audio = speech.seconds(SECONDS);
    let features = frames(loaded, &audio)?;
    let rows = loaded.metadata().rows();
    let mut python = Python::start(
        interpreter,
        &Material {
            model: &model::read_or_default(path)?,
            audio: &audio,
            frames: &features,
            shape: [rows, PASS_FRAMES, HOP],
        },
    )?;
    tell_missing(interpreter, &python);
    ensure!(
        !python.versions.is_empty(),
        "none of the peers is there; {}",
        install(
            interpreter,
            PEERS
                .map(|(_, package, _)| package)
                .into_iter()
                .collect::<BTreeSet<_>>()
        )
    );

    let mut front = Features::new()?;
    let mut stream = loaded.stream()?;
    let mut scores = vec![0.0; loaded.metadata().labels.len()];
    let mut rounds = Rounds {
        peers: vec![Vec::new(); PEERS.len()],
        ..Rounds::default()
    };
    let windows = (features.len() / rows).saturating_sub(PASS_FRAMES) / HOP + 1;
    for round in 0..=repeats {
        let features_time = cpu_time(|| front.run(&audio))?;
        let live_time = cpu_time(|| live(loaded, speech, &audio).map(drop))?;
        let pass_time = cpu_time(|| pass(&mut stream, &features, rows, &mut scores))?;
        let mut times = Vec::new();
        for (name, _, _) in PEERS {
            times.push(if python.versions.contains_key(name) {
                let run = python.run(name)?;
                if round == 0 && name == "onnxruntime" {
                    compare(loaded, &features, &run.logits)?;
                }
                Some(run.seconds)
            } else {
                None
            });
        }
        // The first round warms caches, and librosa compiles parts of itself in it.
        if round > 0 {
            rounds.features.push(features_time);
            rounds.live.push(live_time);
            rounds.pass.push(pass_time);
            for (values, time) in rounds.peers.iter_mut().zip(times) {
                values.extend(time);
            }
        }
    }
    Ok(figures(&rounds, &python, windows))
}

fn tell_missing(interpreter: &Path, python: &Python) {
    let mut packages = BTreeSet::new();
    for (name, package, _) in PEERS {
        if let Some(reason) = python.missing.get(name) {
            eprintln!("{name} is left out: {reason}");
            packages.insert(package);
        }
    }
    if !packages.is_empty() {
        eprintln!("{}", install(interpreter, packages));
    }
}

/// Whether onnxruntime, on the same frames, says what our stream says.
fn compare(loaded: &Model, features: &[f32], logits: &[Vec<f32>]) -> Result<()> {
    let rows = loaded.metadata().rows();
    let mut stream = loaded.stream()?;
    let mut ours = vec![0.0; loaded.metadata().labels.len()];
    let mut largest = 0f32;
    for (number, theirs) in logits.iter().enumerate() {
        stream.reset()?;
        let start = number * HOP * rows;
        let window = features
            .get(start..start + PASS_FRAMES * rows)
            .unwrap_or_default();
        for frame in window.chunks_exact(rows) {
            stream.push(frame)?;
        }
        stream.logits(&mut ours)?;
        ensure!(
            ours.len() == theirs.len(),
            "onnxruntime gives {} logits for {} labels",
            theirs.len(),
            ours.len()
        );
        largest = ours
            .iter()
            .zip(theirs)
            .map(|(a, b)| (a - b).abs())
            .fold(largest, f32::max);
    }
    // Not `>`: a difference that is NaN is one too.
    ensure!(
        largest <= SAME,
        "onnxruntime's logits differ by up to {largest}: that is not the same network"
    );
    eprintln!(
        "onnxruntime gives the same logits on {} windows, within {largest:.1e}",
        logits.len()
    );
    Ok(())
}

fn figures(rounds: &Rounds, python: &Python, windows: usize) -> Vec<Figure> {
    let millis = |values: &[f64]| scaled(values, 1e3);
    let per_second = |values: &[f64]| scaled(values, 1e3 / SECONDS as f64);
    let mut figures = vec![
        Figure::of(
            "features",
            "undertone, ZCR, RMS, 40 MFCC, 64 log-mel of 60 s",
            "ms",
            &millis(&rounds.features),
        ),
        Figure::of(
            "pass",
            "undertone, network over 3 s frame by frame, and an answer",
            "ms",
            &millis(&rounds.pass),
        ),
        Figure::of(
            "live",
            "undertone, one live channel, per second of audio",
            "ms",
            &per_second(&rounds.live),
        ),
    ];
    let mut ratio = |id: String, what: String, theirs: &[f64], ours: &[f64]| {
        let ratios: Vec<f64> = theirs
            .iter()
            .zip(ours)
            .map(|(theirs, ours)| theirs / ours)
            .collect();
        figures.push(Figure::of(id, what, "x", &ratios));
    };
    let mut reference: Option<Vec<f64>> = None;
    let mut own = Vec::new();
    for ((name, package, what), times) in PEERS.iter().zip(&rounds.peers) {
        let Some(version) = python.versions.get(*name) else {
            continue;
        };
        // A window's share of the run over all windows.
        let times = if *name == "onnxruntime" {
            scaled(times, 1.0 / windows as f64)
        } else {
            times.clone()
        };
        let (ours, like) = if *name == "onnxruntime" {
            (&rounds.pass, "3 s through the network")
        } else {
            (&rounds.features, "features")
        };
        own.push(Figure::of(
            *name,
            format!("{package} {version}, {what}"),
            "ms",
            &millis(&times),
        ));
        if *name != "kaldi_fbank" {
            ratio(
                format!("{name}_ratio"),
                format!("{package} : undertone, {like}"),
                &times,
                ours,
            );
        }
        match *name {
            "kaldi_fbank" => reference = Some(times),
            "onnxruntime" => {
                // Two windows a second, and the log-mel that they read.
                reference = reference.map(|log_mel| {
                    let windows = scaled(&times, 2.0 * SECONDS as f64);
                    windows
                        .iter()
                        .zip(log_mel)
                        .map(|(windows, log_mel)| windows + log_mel)
                        .collect()
                });
                if let Some(reference) = &reference {
                    let what =
                        "onnxruntime on 3 s each 500 ms + kaldi-native-fbank, per second of audio";
                    own.push(Figure::of("reference", what, "ms", &per_second(reference)));
                    ratio(
                        "live_ratio".into(),
                        "onnxruntime + kaldi-native-fbank : undertone, live channel".into(),
                        reference,
                        &rounds.live,
                    );
                }
            }
            _ => {}
        }
    }
    let ratios = figures.split_off(3);
    figures.extend(own);
    figures.extend(ratios);
    figures
}
