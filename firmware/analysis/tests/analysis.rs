//! The analysis of whole clips: what is told, and what it must not depend on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{analyser, speech, speech_at, told};
use undertone_analysis::{Disclosure, Signal, Told};
use undertone_events::{Aggregator, EndReason, Event, EventKind, TrackerConfig};

fn events(told: Vec<(usize, Told)>) -> Vec<(usize, Event)> {
    let events = told.into_iter().filter_map(|(channel, told)| match told {
        Told::Event(event) => Some((channel, event)),
        Told::Level(_) | Told::Aggregate(_) => None,
    });
    events.collect()
}

/// Begin and end of each utterance in seconds.
fn utterances(events: &[(usize, Event)]) -> Vec<(f64, f64)> {
    let ends = events
        .iter()
        .filter(|(_, event)| event.kind == EventKind::End);
    ends.map(|(_, e)| {
        (
            e.start_sample as f64 / 16_000.0,
            e.at_sample as f64 / 16_000.0,
        )
    })
    .collect()
}

fn near(found: &[(f64, f64)], expected: &[(f64, f64)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        let off = (found.0 - expected.0)
            .abs()
            .max((found.1 - expected.1).abs());
        assert!(off < 0.2, "{found:?} instead of {expected:?}");
    }
}

/// The sentences of the clip with 300 ms of pre-roll and of post-roll.
const SENTENCES: [(f64, f64); 2] = [(0.3, 2.6), (3.4, 6.1)];

#[test]
fn two_sentences_are_two_utterances_with_their_pre_roll_and_post_roll() {
    let events = events(told(analyser(16_000, 1, false), &speech(), 320));
    near(&utterances(&events), &SENTENCES);
    let kinds: Vec<_> = events
        .iter()
        .map(|(_, event)| (event.id, event.kind))
        .collect();
    assert_eq!(kinds.first(), Some(&(1, EventKind::Start)));
    assert_eq!(kinds.last(), Some(&(2, EventKind::End)));
    assert!(
        events
            .iter()
            .filter_map(|(_, event)| event.reason)
            .all(|reason| reason == EndReason::Silence)
    );
}

#[test]
fn how_the_samples_are_cut_does_not_change_anything_that_is_told() {
    for rate in [16_000, 44_100] {
        let clip = speech_at(rate);
        let whole = told(analyser(rate, 1, false), &clip, clip.len());
        assert!(whole.len() > 10);
        for block in [1, 37, 256, 4096] {
            assert_eq!(
                told(analyser(rate, 1, false), &clip, block),
                whole,
                "{rate} Hz in blocks of {block}"
            );
        }
    }
}

#[test]
fn the_rate_of_the_source_does_not_move_utterances() {
    for rate in [8_000, 44_100, 48_000] {
        near(
            &utterances(&events(told(
                analyser(rate, 1, false),
                &speech_at(rate),
                1000,
            ))),
            &SENTENCES,
        );
    }
}

#[test]
fn a_gap_ends_an_utterance_and_the_next_begins_behind_it() {
    let clip = speech();
    let (mut analyser, mut all) = (analyser(16_000, 1, false), Vec::new());
    let mut tell = |channel, told| all.push((channel, told));
    analyser.push(&clip[..24_000], &mut tell).unwrap();
    analyser.gap(160_000, &mut tell).unwrap();
    analyser.push(&clip[24_000..], &mut tell).unwrap();
    analyser.close(EndReason::Shutdown, &mut tell).unwrap();
    let events = events(all);
    near(
        &utterances(&events),
        &[(0.3, 1.5), (11.5, 12.6), (13.4, 16.1)],
    );
    let reasons: Vec<_> = events
        .iter()
        .filter_map(|(_, event)| event.reason)
        .collect();
    assert_eq!(
        reasons,
        [EndReason::Gap, EndReason::Silence, EndReason::Silence]
    );
    assert!(utterances(&events)[1].0 >= 11.5);
}

#[test]
fn speech_that_goes_on_at_the_end_of_the_audio_still_gets_its_end() {
    let events = events(told(analyser(16_000, 1, false), &speech()[..28_000], 320));
    near(&utterances(&events), &[(0.3, 1.75)]);
    assert_eq!(events.last().unwrap().1.reason, Some(EndReason::Shutdown));
}

#[test]
fn channels_are_analysed_by_themselves_or_as_their_mean() {
    let stereo: Vec<f32> = speech().iter().flat_map(|sample| [*sample, 0.0]).collect();
    let each = events(told(analyser(16_000, 2, true), &stereo, 640));
    assert!(
        each.iter()
            .all(|(channel, event)| *channel == 0 && event.id % 2 == 1)
    );
    near(&utterances(&each), &SENTENCES);
    near(
        &utterances(&events(told(analyser(16_000, 2, false), &stereo, 640))),
        &SENTENCES,
    );
}

#[test]
fn silence_tells_nothing_but_its_level() {
    let told = told(analyser(16_000, 1, false), &[0.0; 40_000], 320);
    assert_eq!(told.len(), 5);
    for (_, told) in told {
        let Told::Level(level) = told else {
            panic!("{told:?}")
        };
        assert_eq!((level.rms_dbfs, level.signal), (-120.0, Signal::None));
    }
}

/// Everything told about the clip, played three times, by a channel with this disclosure.
fn disclosed(disclosure: Disclosure) -> Vec<Told> {
    let clip = speech().repeat(12);
    let mut analyser = common::disclosing(disclosure);
    let mut all = Vec::new();
    for part in clip.chunks(320) {
        analyser.push(part, &mut |_, told| all.push(told)).unwrap();
    }
    let mut tell = |_, told| all.push(told);
    analyser.close(EndReason::Shutdown, &mut tell).unwrap();
    all
}

#[test]
fn where_only_intervals_may_be_told_no_single_utterance_is() {
    let config = TrackerConfig {
        aggregate_interval_s: 60,
        ..TrackerConfig::default()
    };
    let aggregator = Aggregator::new(&config, 2, 16_000).unwrap();
    let told = disclosed(Disclosure::Aggregate(aggregator));
    assert!(!told.iter().any(|told| matches!(told, Told::Event(_))));
    let intervals = told.iter().filter_map(|told| match told {
        Told::Aggregate(aggregate) => Some(aggregate.utterances),
        _ => None,
    });
    assert_eq!(
        intervals.collect::<Vec<_>>(),
        [16, 8],
        "60 s of 87 s, and the rest"
    );
}

#[test]
fn where_only_acoustics_may_be_told_the_model_is_not_even_asked() {
    let told = disclosed(Disclosure::Acoustic);
    let mut spoken = 0.0;
    for told in &told {
        let Told::Level(level) = told else {
            panic!("{told:?}")
        };
        spoken += level.speech_ratio;
    }
    let share = spoken / told.len() as f32;
    assert!(
        (0.35..0.75).contains(&share),
        "{share} of the clip is speech"
    );
    assert_eq!(common::asked(), 0);
}
