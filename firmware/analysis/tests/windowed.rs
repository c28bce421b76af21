//! A network that cannot be streamed, from samples to events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "../../model/tests/support/windowed.rs"]
mod windowed;

use std::cell::RefCell;
use std::rc::Rc;

use common::speech;
use undertone_analysis::{
    AnalysisSettings, Channels, Format, Scorer, ScorerError, Told, analyser_with,
};
use undertone_events::{EndReason, EventKind, SegmenterConfig, TrackerConfig};
use undertone_model::{Model, Stream};

/// Frames of an utterance so far, and the answer to them if there is one.
type Answer = (Vec<Vec<f32>>, Option<Vec<f32>>);

/// A stream, and what it was given and said.
struct Recorder {
    stream: Stream,
    frames: Vec<Vec<f32>>,
    answers: Rc<RefCell<Vec<Answer>>>,
}

impl Scorer for Recorder {
    fn push(&mut self, frame: &[f32]) -> Result<(), ScorerError> {
        self.frames.push(frame.to_vec());
        Scorer::push(&mut self.stream, frame)
    }

    fn probabilities(&mut self, out: &mut [f32]) -> Result<bool, ScorerError> {
        let answered = Scorer::probabilities(&mut self.stream, out)?;
        let answer = answered.then(|| out.to_vec());
        self.answers
            .borrow_mut()
            .push((self.frames.clone(), answer));
        Ok(answered)
    }

    fn reset(&mut self) -> Result<(), ScorerError> {
        self.frames.clear();
        Scorer::reset(&mut self.stream)
    }
}

#[test]
fn a_windowed_network_answers_for_the_last_window_of_an_utterance_and_not_before() {
    let model = Model::from_bytes(&windowed::Shape::small().file()).unwrap();
    let window = model.metadata().window;
    let settings = AnalysisSettings {
        format: Format {
            rate: 16_000,
            channels: 1,
        },
        channels: Channels::Mix,
        segments: SegmenterConfig::default(),
        events: TrackerConfig::default(),
        level_interval_ms: None,
        block_frames: 1_024,
    };
    let answers = Rc::new(RefCell::new(Vec::new()));
    let mut analyser = analyser_with(&model, &settings, |stream| Recorder {
        stream,
        frames: Vec::new(),
        answers: Rc::clone(&answers),
    })
    .unwrap();
    let mut kinds = Vec::new();
    let mut tell = |_, told| {
        if let Told::Event(event) = told {
            kinds.push(event.kind);
        }
    };
    analyser.push(&speech(), &mut tell).unwrap();
    analyser.close(EndReason::Shutdown, &mut tell).unwrap();

    let count = |kind| kinds.iter().filter(|found| **found == kind).count();
    assert_eq!((count(EventKind::Start), count(EventKind::End)), (2, 2));
    let answers = answers.borrow();
    assert!(answers.len() >= 4, "{}", answers.len());
    for (frames, answer) in answers.iter() {
        let mut fresh = model.stream().unwrap();
        for frame in &frames[frames.len().saturating_sub(window)..] {
            fresh.push(frame).unwrap();
        }
        let mut expected = vec![0.0; 3];
        let answered = fresh.probabilities(&mut expected).unwrap();
        assert_eq!(answered, frames.len() >= window);
        assert_eq!(*answer, answered.then_some(expected));
    }
}
