//! The tracker: hysteresis, unknown, intervals, and what must hold for any input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use undertone_events::{
    EndReason, Event, EventKind, EventsError, IdRange, Label, Tracker, TrackerConfig,
};

const RATE: u32 = 1000;

fn config() -> TrackerConfig {
    TrackerConfig {
        smoothing: 0.0,
        margin: 0.1,
        challenge_updates: 2,
        update_interval_ms: 0,
        ..TrackerConfig::default()
    }
}

fn tracker(config: &TrackerConfig) -> Tracker {
    Tracker::new(config, 3, 0.4, RATE, IdRange::default()).unwrap()
}

fn labels_told(tracker: &mut Tracker, distributions: &[[f32; 3]]) -> Vec<Option<Label>> {
    tracker.begin(0);
    let told = distributions
        .iter()
        .zip(1u64..)
        .map(|(d, n)| tracker.update(d, n * 100).unwrap().map(|e| e.label));
    told.collect()
}

#[test]
fn the_first_distribution_is_the_start_and_the_label_with_the_highest_score_is_told() {
    let mut tracker = tracker(&config());
    assert_eq!(tracker.begin(50), None);
    let event = tracker.update(&[0.2, 0.7, 0.1], 300).unwrap().unwrap();
    assert_eq!(
        (event.id, event.kind, event.label),
        (1, EventKind::Start, Label::Known(1))
    );
    assert_eq!(
        (event.start_sample, event.at_sample, event.reason),
        (50, 300, None)
    );
    assert_eq!(event.confidence, 0.7);
    assert_eq!(event.scores.as_slice(), [0.2, 0.7, 0.1]);
}

#[test]
fn a_challenger_must_lead_by_the_margin_for_as_many_updates_as_configured() {
    let a = [0.5, 0.3, 0.2];
    let close = [0.44, 0.46, 0.1];
    let b = [0.2, 0.6, 0.2];
    let c = [0.2, 0.2, 0.6];
    let start = Some(Label::Known(0));
    assert_eq!(
        labels_told(&mut tracker(&config()), &[a, close, close, close]),
        [start, None, None, None]
    );
    assert_eq!(
        labels_told(&mut tracker(&config()), &[a, b, a, b]),
        [start, None, None, None]
    );
    assert_eq!(
        labels_told(&mut tracker(&config()), &[a, b, c, b]),
        [start, None, None, None]
    );
    assert_eq!(
        labels_told(&mut tracker(&config()), &[a, b, b, b]),
        [start, None, Some(Label::Known(1)), None]
    );
}

#[test]
fn below_the_models_threshold_the_label_is_unknown_and_it_comes_back() {
    let sure = [0.6, 0.3, 0.1];
    let flat = [0.34, 0.33, 0.33];
    let told = labels_told(&mut tracker(&config()), &[flat, sure, sure, flat, flat]);
    let (unknown, known) = (Some(Label::Unknown), Some(Label::Known(0)));
    assert_eq!(told, [unknown, None, known, None, unknown]);
}

#[test]
fn an_unknown_event_has_the_highest_score_as_its_confidence() {
    let mut tracker = tracker(&config());
    tracker.begin(0);
    let event = tracker.update(&[0.3, 0.36, 0.34], 100).unwrap().unwrap();
    assert_eq!((event.label, event.confidence), (Label::Unknown, 0.36));
}

#[test]
fn an_update_is_told_when_the_interval_has_passed() {
    let mut tracker = tracker(&TrackerConfig {
        update_interval_ms: 250,
        ..config()
    });
    tracker.begin(0);
    let told: Vec<u64> = (1..=10)
        .filter_map(|n| {
            tracker
                .update(&[0.8, 0.1, 0.1], n * 100)
                .unwrap()
                .map(|e| e.at_sample)
        })
        .collect();
    assert_eq!(told, [100, 400, 700, 1000]);
}

#[test]
fn scores_are_smoothed_while_it_goes_on_and_the_end_has_those_of_the_utterance() {
    let mut tracker = tracker(&TrackerConfig {
        smoothing: 0.5,
        update_interval_ms: 1,
        ..config()
    });
    tracker.begin(0);
    tracker.update(&[1.0, 0.0, 0.0], 100).unwrap();
    let update = tracker.update(&[0.0, 1.0, 0.0], 200).unwrap().unwrap();
    assert_eq!(
        (update.kind, update.label),
        (EventKind::Update, Label::Known(0))
    );
    assert_eq!(update.scores.as_slice(), [0.5, 0.5, 0.0]);
    let end = tracker.finish(EndReason::Silence, 250).unwrap();
    assert_eq!(
        (end.kind, end.label, end.confidence),
        (EventKind::End, Label::Known(1), 1.0)
    );
    assert_eq!((end.at_sample, end.reason), (250, Some(EndReason::Silence)));
}

#[test]
fn nothing_is_told_about_an_utterance_without_a_distribution_and_no_id_is_spent() {
    let mut tracker = tracker(&config());
    tracker.begin(0);
    assert!(tracker.is_open());
    assert_eq!(tracker.finish(EndReason::Silence, 90), None);
    assert!(!tracker.is_open());
    tracker.begin(100);
    assert_eq!(
        tracker.update(&[1.0, 0.0, 0.0], 200).unwrap().unwrap().id,
        1
    );
}

#[test]
fn an_utterance_left_open_gets_its_end_when_the_next_begins() {
    let mut tracker = tracker(&config());
    tracker.begin(0);
    tracker.update(&[1.0, 0.0, 0.0], 200).unwrap();
    let end = tracker.begin(500).unwrap();
    assert_eq!(
        (end.id, end.kind, end.reason),
        (1, EventKind::End, Some(EndReason::Gap))
    );
}

#[test]
fn channels_with_a_common_step_never_share_an_id() {
    let mut ids = Vec::new();
    for first in [1, 2] {
        let mut tracker =
            Tracker::new(&config(), 3, 0.4, RATE, IdRange { first, step: 2 }).unwrap();
        for n in 0..3 {
            tracker.begin(n * 100);
            ids.push(
                tracker
                    .update(&[1.0, 0.0, 0.0], n * 100 + 50)
                    .unwrap()
                    .unwrap()
                    .id,
            );
        }
    }
    assert_eq!(ids, [1, 3, 5, 2, 4, 6]);
}

#[test]
fn what_is_no_distribution_over_the_labels_is_refused_and_changes_nothing() {
    let mut tracker = tracker(&config());
    tracker.begin(0);
    assert_eq!(
        tracker.update(&[0.5, 0.5], 10),
        Err(EventsError::ScoreCount {
            given: 2,
            labels: 3
        })
    );
    assert_eq!(
        tracker.update(&[0.0; 40], 10),
        Err(EventsError::ScoreCount {
            given: 40,
            labels: 3
        })
    );
    assert!(matches!(
        tracker.update(&[0.5, f32::NAN, 0.1], 10),
        Err(EventsError::NotAProbability { index: 1, .. })
    ));
    assert!(matches!(
        tracker.update(&[0.5, 0.2, 1.5], 10),
        Err(EventsError::NotAProbability { index: 2, .. })
    ));
    assert_eq!(tracker.finish(EndReason::Silence, 20), None);
}

#[test]
fn a_field_out_of_range_is_named_with_its_value_and_range() {
    let wrong = [
        (
            TrackerConfig {
                smoothing: 1.0,
                ..config()
            },
            "events.smoothing is 1, but must lie between 0 and 0.99",
        ),
        (
            TrackerConfig {
                margin: 2.0,
                ..config()
            },
            "events.margin is 2, but must lie between 0 and 1",
        ),
        (
            TrackerConfig {
                challenge_updates: 0,
                ..config()
            },
            "events.challenge_updates is 0, but must lie between 1 and 1000",
        ),
        (
            TrackerConfig {
                update_interval_ms: 700_000,
                ..config()
            },
            "events.update_interval_ms is 700000, but must lie between 0 and 600000",
        ),
        (
            TrackerConfig {
                aggregate_interval_s: 1,
                ..config()
            },
            "events.aggregate_interval_s is 1, but must lie between 60 and 86400",
        ),
        (
            TrackerConfig {
                aggregate_min_utterances: 0,
                ..config()
            },
            "events.aggregate_min_utterances is 0, but must lie between 1 and 1000",
        ),
        (
            TrackerConfig {
                raised_voice_db: 0.5,
                ..config()
            },
            "events.raised_voice_db is 0.5, but must lie between 1 and 40",
        ),
    ];
    for (config, message) in wrong {
        assert_eq!(
            Tracker::new(&config, 3, 0.4, RATE, IdRange::default())
                .unwrap_err()
                .to_string(),
            message
        );
    }
    for (labels, threshold, rate) in [
        (0, 0.4, RATE),
        (17, 0.4, RATE),
        (3, 1.4, RATE),
        (3, f32::NAN, RATE),
        (3, 0.4, 1),
    ] {
        assert!(Tracker::new(&config(), labels, threshold, rate, IdRange::default()).is_err());
    }
    assert!(TrackerConfig::default().validate().is_ok());
}

#[derive(Debug, Clone)]
enum Step {
    Begin,
    Update([f32; 3]),
    Finish(EndReason),
}

fn steps() -> impl Strategy<Value = Vec<(Step, u64)>> {
    let distribution = prop::array::uniform3(0.01f32..1.0).prop_map(|raw| {
        let sum: f32 = raw.iter().sum();
        raw.map(|p| p / sum)
    });
    let reason = prop::sample::select(vec![
        EndReason::Silence,
        EndReason::Gap,
        EndReason::Shutdown,
        EndReason::MaxLength,
    ]);
    let step = prop_oneof![
        2 => Just(Step::Begin),
        8 => distribution.prop_map(Step::Update),
        2 => reason.prop_map(Step::Finish),
    ];
    prop::collection::vec((step, 0u64..400), 0..300)
}

proptest! {
    #[test]
    fn every_start_has_one_end_ids_increase_and_time_does_not_run_back(steps in steps(), interval in 0u32..500) {
        let mut tracker = tracker(&TrackerConfig { update_interval_ms: interval, ..TrackerConfig::default() });
        let mut now = 0;
        let mut events: Vec<Event> = Vec::new();
        for (step, elapsed) in steps {
            now += elapsed;
            events.extend(match step {
                Step::Begin => tracker.begin(now),
                Step::Update(distribution) => tracker.update(&distribution, now).unwrap(),
                Step::Finish(reason) => tracker.finish(reason, now),
            });
        }
        events.extend(tracker.finish(EndReason::Shutdown, now));

        let mut open: Option<&Event> = None;
        let (mut last_id, mut last_at) = (0, 0);
        for event in &events {
            prop_assert!(event.at_sample >= last_at && event.at_sample >= event.start_sample);
            prop_assert_eq!(event.reason.is_some(), event.kind == EventKind::End);
            prop_assert!((event.scores.iter().sum::<f32>() - 1.0).abs() < 1e-3);
            prop_assert!((0.0..=1.0).contains(&event.confidence));
            match (event.kind, open) {
                (EventKind::Start, None) => {
                    prop_assert!(event.id > last_id);
                    open = Some(event);
                }
                (EventKind::Update | EventKind::End, Some(start)) => {
                    prop_assert_eq!((event.id, event.start_sample), (start.id, start.start_sample));
                    open = if event.kind == EventKind::End { None } else { open };
                }
                _ => prop_assert!(false, "{event:?} while {open:?}"),
            }
            (last_id, last_at) = (event.id, event.at_sample);
        }
        prop_assert!(open.is_none(), "no end for {open:?}");
    }
}

#[test]
fn a_threshold_of_one_label_holds_for_that_label_only_and_from_the_next_answer_on() {
    let mut tracker = tracker(&config());
    tracker.begin(0);
    let start = tracker.update(&[0.1, 0.7, 0.2], 100).unwrap().unwrap();
    assert_eq!(start.label, Label::Known(1));
    tracker.set_threshold(Some(1), 0.8);
    // As many answers as a challenger needs.
    assert_eq!(tracker.update(&[0.1, 0.7, 0.2], 200).unwrap(), None);
    let update = tracker.update(&[0.1, 0.7, 0.2], 300).unwrap().unwrap();
    assert_eq!(update.label, Label::Unknown);
    let end = tracker.finish(EndReason::Silence, 400).unwrap();
    assert_eq!(end.label, Label::Unknown);
    tracker.begin(500);
    let other = tracker.update(&[0.7, 0.1, 0.2], 600).unwrap().unwrap();
    assert_eq!(other.label, Label::Known(0));
    tracker.finish(EndReason::Silence, 700);
    tracker.set_threshold(None, 0.0);
    tracker.begin(800);
    let any = tracker.update(&[0.2, 0.4, 0.4], 900).unwrap().unwrap();
    assert_eq!(any.label, Label::Known(1));
}
