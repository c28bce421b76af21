//! A file with a floor answers like one without on frames that were raised before, whatever is asked on the way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use proptest::prelude::*;
use std::sync::OnceLock;
use support::{Random, metadata, proto};
use undertone_dsp::Floor;
use undertone_model::{Metadata, Model, Stream};

const FLOOR: Floor = Floor {
    low_db: 25.0,
    high_db: 45.0,
    hold: 50,
    release_db: 0.05,
};

/// The shipped network, without a floor and with one.
fn models() -> &'static [Model; 2] {
    static MODELS: OnceLock<[Model; 2]> = OnceLock::new();
    MODELS.get_or_init(|| {
        [None, Some(FLOOR)].map(|floor| {
            let about = Metadata {
                floor,
                ..metadata()
            };
            Model::unverified(proto(), about).unwrap()
        })
    })
}

fn rows() -> usize {
    models()[0].metadata().rows()
}

/// Frames between silence and speech.
fn utterance(seed: u64, count: usize) -> Vec<f32> {
    let mut random = Random(seed);
    let levels: Vec<f32> = (0..count).map(|_| random.between(-100.0, 0.0)).collect();
    let bands = levels.into_iter().flat_map(|level| [level].repeat(rows()));
    bands
        .map(|level| level + random.between(-20.0, 20.0))
        .collect()
}

fn feed(stream: &mut Stream, frames: &[f32]) {
    for frame in frames.chunks_exact(rows()) {
        stream.push(frame).unwrap();
    }
}

/// Logits and statistics, or that there are none yet.
fn asked(stream: &mut Stream) -> Option<(Vec<f32>, Vec<f32>)> {
    let about = metadata();
    let mut logits = vec![0.0; about.labels.len()];
    let mut statistics = vec![0.0; 4 * about.width];
    let answered = stream.logits(&mut logits).unwrap();
    assert_eq!(stream.statistics(&mut statistics).unwrap(), answered);
    answered.then_some((logits, statistics))
}

/// What the network without a floor says of raised frames.
fn expected(frames: &[f32]) -> Option<(Vec<f32>, Vec<f32>)> {
    let mut raised = frames.to_vec();
    FLOOR.raise_all(&mut raised, rows());
    let mut stream = models()[0].stream().unwrap();
    feed(&mut stream, &raised);
    asked(&mut stream)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_questions_on_the_way_and_resets_between_utterances_change_no_answer(
        seed: u64,
        utterances in prop::collection::vec((1usize..160, 1usize..70), 1..4),
    ) {
        let mut stream = models()[1].stream().unwrap();
        for (number, (count, portion)) in utterances.into_iter().enumerate() {
            let frames = utterance(seed.wrapping_add(number as u64), count);
            for end in (portion..=count).step_by(portion) {
                feed(&mut stream, &frames[(end - portion) * rows()..end * rows()]);
                prop_assert_eq!(asked(&mut stream), expected(&frames[..end * rows()]), "{} of {}", end, count);
            }
            stream.reset().unwrap();
        }
    }
}

#[test]
fn the_floor_changes_what_is_said_of_deep_pauses() {
    let frames = utterance(7, 120);
    let [bare, floored] = models().each_ref().map(|model| {
        let mut stream = model.stream().unwrap();
        feed(&mut stream, &frames);
        asked(&mut stream).unwrap()
    });
    assert_ne!(bare, floored);
}
