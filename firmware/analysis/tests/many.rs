//! Several sources in one thread: each is told what it would be told alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{HashSet, VecDeque};

use common::speech;
use undertone_analysis::{
    Analyser, AnalysisSettings, Channels, Format, Told, Turns, analyser, analysers,
};
use undertone_events::{EndReason, Event, EventKind, SegmenterConfig, TrackerConfig};
use undertone_model::{Model, Stream};

const BLOCK: usize = 1024;

fn model() -> Model {
    Model::from_bytes(include_bytes!("../../../models/undertone-research.onnx")).unwrap()
}

fn settings(channels: usize) -> AnalysisSettings {
    AnalysisSettings {
        format: Format {
            rate: 16_000,
            channels,
        },
        channels: Channels::Each,
        segments: SegmenterConfig::default(),
        events: TrackerConfig::default(),
        level_interval_ms: None,
        block_frames: BLOCK,
    }
}

/// The clip from a second on, louder or softer, so that no two sources are alike.
fn voice(number: usize) -> Vec<f32> {
    let from = number * 4_000;
    speech()[from..]
        .iter()
        .map(|sample| sample * (1.0 - 0.1 * number as f32))
        .collect()
}

/// An event without its id, which depends on how many channels there are.
fn anonymous(event: &Event) -> Event {
    Event {
        id: 0,
        ..event.clone()
    }
}

fn alone(model: &Model, samples: &[f32]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut tell = |_, told| {
        if let Told::Event(event) = told {
            events.push(anonymous(&event));
        }
    };
    let mut analyser = analyser(model, &settings(1)).unwrap();
    analyser.push(samples, &mut tell).unwrap();
    analyser.close(EndReason::Shutdown, &mut tell).unwrap();
    events
}

/// Rings that fill at different speeds, and one thread that serves them.
fn together(analysers: &mut [Analyser<Stream>], voices: &[Vec<f32>]) -> Vec<Vec<Event>> {
    let mut told = vec![Vec::new(); voices.len()];
    let mut coming: Vec<VecDeque<f32>> = voices
        .iter()
        .map(|voice| voice.iter().copied().collect())
        .collect();
    let mut rings = vec![VecDeque::new(); voices.len()];
    let mut turns = Turns::new(voices.len());
    let mut block = Vec::new();
    while rings
        .iter()
        .chain(&coming)
        .any(|samples| !samples.is_empty())
    {
        for (source, (coming, ring)) in coming.iter_mut().zip(&mut rings).enumerate() {
            // The first is a recording that is there at once.
            let count = if source == 0 {
                usize::MAX
            } else {
                160 * source
            };
            ring.extend(coming.drain(..count.min(coming.len())));
        }
        let waiting = |source: usize| rings[source].len() as u64;
        if let Some(source) = turns.next(rings.len(), waiting) {
            let ring = &mut rings[source];
            block.clear();
            block.extend(ring.drain(..BLOCK.min(ring.len())));
            let tell = &mut |_, one| {
                if let Told::Event(event) = one {
                    told[source].push(event);
                }
            };
            analysers[source].push(&block, tell).unwrap();
        }
    }
    for (source, analyser) in analysers.iter_mut().enumerate() {
        let tell = &mut |_, one| {
            if let Told::Event(event) = one {
                told[source].push(event);
            }
        };
        analyser.close(EndReason::Shutdown, tell).unwrap();
    }
    told
}

#[test]
fn sources_that_share_a_thread_are_told_what_each_would_be_told_alone() {
    let model = model();
    let voices: Vec<_> = (0..4).map(voice).collect();
    let mut analysers = analysers(&model, &[settings(1); 4]).unwrap();
    let told = together(&mut analysers, &voices);
    for (voice, told) in voices.iter().zip(&told) {
        let told: Vec<_> = told.iter().map(anonymous).collect();
        assert!(told.len() > 4);
        assert_eq!(told, alone(&model, voice));
    }
    let starts = told.iter().flatten().filter(|e| e.kind == EventKind::Start);
    let ids: Vec<u64> = starts.map(|event| event.id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
}

#[test]
fn channels_of_all_sources_have_ids_of_their_own() {
    let model = model();
    let sources = [settings(1), settings(2), settings(1)];
    let mut built = analysers(&model, &sources).unwrap();
    assert_eq!(
        built.iter().map(Analyser::channels).collect::<Vec<_>>(),
        [1, 2, 1]
    );
    let mut ids = HashSet::new();
    for (analyser, settings) in built.iter_mut().zip(sources) {
        let interleaved: Vec<f32> = speech()
            .iter()
            .flat_map(|&sample| vec![sample; settings.format.channels])
            .collect();
        let tell = &mut |_, told| {
            if let Told::Event(event) = told
                && event.kind == EventKind::Start
            {
                assert!(ids.insert(event.id), "{} twice", event.id);
            }
        };
        analyser.push(&interleaved, tell).unwrap();
        analyser.close(EndReason::Shutdown, tell).unwrap();
    }
    assert_eq!(ids, (1..=8).collect());
}

#[test]
fn a_wider_hop_gives_fewer_answers_and_the_same_end() {
    let model = model();
    let run = |factor| {
        let mut events = Vec::new();
        // Every answer is told.
        let events_config = TrackerConfig {
            update_interval_ms: 1,
            ..TrackerConfig::default()
        };
        let settings = AnalysisSettings {
            events: events_config,
            ..settings(1)
        };
        let mut analyser = analyser(&model, &settings).unwrap();
        let mut tell = |_, told| {
            if let Told::Event(event) = told {
                events.push(event);
            }
        };
        analyser.widen(factor);
        analyser.push(&speech(), &mut tell).unwrap();
        analyser.close(EndReason::Shutdown, &mut tell).unwrap();
        events
    };
    let ends = |events: &[Event]| {
        let ends = events.iter().filter(|event| event.kind == EventKind::End);
        ends.cloned().collect::<Vec<_>>()
    };
    let (usual, wide) = (run(1), run(4));
    assert!(wide.len() < usual.len(), "{} {}", wide.len(), usual.len());
    assert_eq!(ends(&wide), ends(&usual));
    assert_eq!(run(0), usual);
}
