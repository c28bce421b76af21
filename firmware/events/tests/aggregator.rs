//! The aggregator: single utterances stay unknown, and nothing is counted twice or lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use undertone_events::{
    Aggregate, Aggregator, EndReason, Event, EventKind, Label, Scores, TrackerConfig,
};

const RATE: u32 = 1000;
const MINUTE: u64 = 60_000;

fn aggregator(least: u32) -> Aggregator {
    let config = TrackerConfig {
        aggregate_interval_s: 60,
        aggregate_min_utterances: least,
        ..TrackerConfig::default()
    };
    Aggregator::new(&config, 3, RATE).unwrap()
}

fn event(kind: EventKind, label: Label, start_sample: u64, at_sample: u64) -> Event {
    Event {
        id: 1,
        kind,
        label,
        scores: Scores::new(),
        confidence: 0.5,
        start_sample,
        at_sample,
        reason: (kind == EventKind::End).then_some(EndReason::Silence),
    }
}

fn end(label: Label) -> Event {
    event(EventKind::End, label, 1000, 3000)
}

#[test]
fn an_interval_tells_how_often_each_label_ended_an_utterance() {
    let mut aggregator = aggregator(2);
    aggregator.take(&event(EventKind::Start, Label::Known(0), 0, 10));
    aggregator.take(&event(EventKind::Update, Label::Known(1), 0, 10));
    for label in [Label::Known(2), Label::Unknown, Label::Known(2)] {
        aggregator.take(&end(label));
    }
    assert_eq!(aggregator.advance(MINUTE - 1), None);
    let told = aggregator.advance(MINUTE + 5).unwrap();
    assert_eq!(
        (told.interval, told.speech, told.utterances),
        (MINUTE + 5, 6000, 3)
    );
    assert_eq!(told.histogram.as_slice(), [0, 0, 2, 1]);
    assert_eq!(aggregator.advance(MINUTE + 6), None);
    let next = aggregator.advance(2 * MINUTE + 5).unwrap();
    assert_eq!(
        (next.utterances, next.speech, next.histogram.as_slice()),
        (0, 0, &[0; 4][..])
    );
}

#[test]
fn few_utterances_are_told_only_with_those_that_follow() {
    let mut aggregator = aggregator(3);
    aggregator.take(&end(Label::Known(0)));
    assert_eq!(aggregator.advance(MINUTE), None);
    aggregator.take(&end(Label::Known(1)));
    assert_eq!(aggregator.advance(5 * MINUTE), None);
    aggregator.take(&end(Label::Known(1)));
    let told = aggregator.advance(5 * MINUTE + 1).unwrap();
    assert_eq!((told.interval, told.utterances), (5 * MINUTE + 1, 3));
}

#[test]
fn the_end_of_the_audio_tells_what_is_enough_and_nothing_else() {
    let mut few = aggregator(3);
    few.take(&end(Label::Known(0)));
    assert_eq!(few.close(1000), None);
    let mut enough = aggregator(1);
    assert_eq!(enough.close(500), None);
    enough.take(&end(Label::Known(0)));
    assert_eq!(enough.close(1000).map(|told| told.interval), Some(1000));
}

#[test]
fn settings_out_of_range_are_refused() {
    for config in [
        TrackerConfig {
            aggregate_interval_s: 59,
            ..TrackerConfig::default()
        },
        TrackerConfig {
            aggregate_min_utterances: 0,
            ..TrackerConfig::default()
        },
    ] {
        assert!(Aggregator::new(&config, 3, RATE).is_err(), "{config:?}");
    }
}

proptest! {
    #[test]
    fn no_interval_tells_of_fewer_than_the_least_and_none_is_counted_twice(
        least in 1u32..6,
        steps in prop::collection::vec((0usize..5, 0u64..40_000), 0..200),
    ) {
        let (mut aggregator, mut at, mut ended, mut told) = (aggregator(least), 0, 0, Vec::<Aggregate>::new());
        for (what, passed) in steps {
            at += passed;
            if what < 4 {
                let label = if what < 3 { Label::Known(what) } else { Label::Unknown };
                aggregator.take(&end(label));
                ended += 1;
            }
            told.extend(aggregator.advance(at));
        }
        told.extend(aggregator.close(at));
        for one in &told {
            prop_assert!(one.utterances == 0 || one.utterances >= least);
            prop_assert_eq!(one.histogram.iter().sum::<u32>(), one.utterances);
        }
        let counted: u32 = told.iter().map(|one| one.utterances).sum();
        prop_assert!(counted <= ended && ended - counted < least, "{} of {}", counted, ended);
        prop_assert!(told.iter().map(|one| one.interval).sum::<u64>() <= at);
    }
}
