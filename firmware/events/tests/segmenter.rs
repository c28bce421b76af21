//! The segmenter: every transition, and what must hold for any input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use SegmentEdge::{SpeechEnd, SpeechStart};
use SegmenterState::{Hangover, Onset, Silence, Speech};
use proptest::prelude::*;
use undertone_events::{EventsError, SegmentEdge, Segmenter, SegmenterConfig, SegmenterState};

const HOP: u64 = 16;
const VOICED: f32 = 0.9;
const BETWEEN: f32 = 0.5;
const SILENT: f32 = 0.1;

/// At 1000 Hz a sample is a millisecond: hops of 16, onset 32, pre-roll 40, hang-over 48, post-roll 20.
fn config() -> SegmenterConfig {
    SegmenterConfig {
        onset_threshold: 0.6,
        release_threshold: 0.4,
        onset_ms: 32,
        pre_roll_ms: 40,
        hangover_ms: 48,
        post_roll_ms: 20,
        min_segment_ms: 0,
        max_segment_ms: 1000,
        refractory_ms: 0,
    }
}

struct Rig {
    segmenter: Segmenter,
    next: u64,
}

impl Rig {
    fn new(config: &SegmenterConfig) -> Self {
        Rig {
            segmenter: Segmenter::new(config, 1000).unwrap(),
            next: 0,
        }
    }

    fn push(&mut self, probability: f32) -> Option<SegmentEdge> {
        let start = self.next;
        self.next += HOP;
        self.segmenter.push(probability, start, self.next)
    }

    /// Ten silent hops (160 samples), then the state that is named.
    fn in_state(name: &str) -> Self {
        let mut rig = Rig::new(&config());
        let path: &[f32] = match name {
            "silence" => &[],
            "onset" => &[VOICED],
            "speech" => &[VOICED, VOICED],
            "hangover" => &[VOICED, VOICED, SILENT],
            "late hangover" => &[VOICED, VOICED, SILENT, SILENT],
            other => panic!("no state {other}"),
        };
        for p in [SILENT; 10].iter().chain(path) {
            rig.push(*p);
        }
        rig
    }
}

#[test]
fn every_state_answers_every_kind_of_hop_as_the_table_says() {
    let speech = Speech { start: 120 };
    let paused = |silent_since| Hangover {
        start: 120,
        silent_since,
    };
    let start = Some(SpeechStart { at_sample: 120 });
    let end = Some(SpeechEnd {
        at_sample: 212,
        cut: false,
    });
    let table = [
        ("silence", VOICED, Onset { since: 160 }, None),
        ("silence", BETWEEN, Silence, None),
        ("silence", SILENT, Silence, None),
        ("silence", f32::NAN, Silence, None),
        ("onset", VOICED, speech, start),
        ("onset", BETWEEN, speech, start),
        ("onset", SILENT, Silence, None),
        ("onset", f32::NAN, Silence, None),
        ("speech", VOICED, speech, None),
        ("speech", BETWEEN, speech, None),
        ("speech", SILENT, paused(192), None),
        ("speech", f32::NAN, paused(192), None),
        ("hangover", VOICED, speech, None),
        ("hangover", BETWEEN, paused(192), None),
        ("hangover", SILENT, paused(192), None),
        ("hangover", f32::NAN, paused(192), None),
        ("late hangover", VOICED, speech, None),
        ("late hangover", BETWEEN, Silence, end),
        ("late hangover", SILENT, Silence, end),
        ("late hangover", f32::NAN, Silence, end),
    ];
    for (from, probability, state, edge) in table {
        let mut rig = Rig::in_state(from);
        assert_eq!(
            rig.push(probability),
            edge,
            "edge from {from} on {probability}"
        );
        assert_eq!(
            rig.segmenter.state(),
            state,
            "state from {from} on {probability}"
        );
    }
}

#[test]
fn any_state_is_left_for_silence_on_reset_and_nothing_reaches_back_over_it() {
    for from in ["silence", "onset", "speech", "hangover", "late hangover"] {
        let mut rig = Rig::in_state(from);
        rig.segmenter.reset(rig.next);
        assert_eq!(rig.segmenter.state(), Silence, "{from}");
        assert_eq!(rig.segmenter.certain_until(), None, "{from}");
        let floor = rig.next;
        rig.push(VOICED);
        assert_eq!(
            rig.push(VOICED),
            Some(SpeechStart { at_sample: floor }),
            "{from}"
        );
    }
}

#[test]
fn a_segment_is_cut_at_its_maximum_length_and_the_next_begins_where_it_ended() {
    for pause_before_cut in [false, true] {
        let mut rig = Rig::in_state("speech");
        let mut edge = None;
        while edge.is_none() {
            let last_hop = rig.next + HOP >= 120 + 1000;
            edge = rig.push(if pause_before_cut && last_hop {
                SILENT
            } else {
                VOICED
            });
        }
        let cut = rig.next;
        assert!((1120..1120 + HOP).contains(&cut));
        assert_eq!(
            edge,
            Some(SpeechEnd {
                at_sample: cut,
                cut: true
            })
        );
        rig.push(VOICED);
        assert_eq!(rig.push(VOICED), Some(SpeechStart { at_sample: cut }));
    }
}

#[test]
fn a_segment_does_not_end_before_its_minimum_length() {
    let mut rig = Rig::new(&SegmenterConfig {
        min_segment_ms: 200,
        ..config()
    });
    rig.push(VOICED);
    assert_eq!(rig.push(VOICED), Some(SpeechStart { at_sample: 0 }));
    let mut edge = None;
    while edge.is_none() {
        edge = rig.push(SILENT);
    }
    assert_eq!(rig.next, 208);
    assert_eq!(
        edge,
        Some(SpeechEnd {
            at_sample: 52,
            cut: false
        })
    );
}

#[test]
fn in_a_pause_only_the_post_roll_is_certain_until_speech_resumes() {
    let mut rig = Rig::in_state("speech");
    assert_eq!(rig.segmenter.certain_until(), Some(192));
    rig.push(SILENT);
    assert_eq!(rig.segmenter.certain_until(), Some(208));
    rig.push(SILENT);
    assert_eq!(rig.segmenter.certain_until(), Some(212));
    rig.push(VOICED);
    assert_eq!(rig.segmenter.certain_until(), Some(240));
}

#[test]
fn a_short_click_is_no_speech() {
    let mut rig = Rig::new(&config());
    for p in [SILENT, VOICED, SILENT, VOICED, SILENT, SILENT] {
        assert_eq!(rig.push(p), None);
    }
}

#[test]
fn after_a_segment_none_begins_until_the_refractory_time_is_over() {
    let mut rig = Rig::new(&SegmenterConfig {
        refractory_ms: 160,
        ..config()
    });
    let speak = |rig: &mut Rig, hops: usize| (0..hops).find_map(|_| rig.push(VOICED));
    assert!(speak(&mut rig, 2).is_some());
    let ended = (0..3).find_map(|_| rig.push(SILENT));
    assert!(matches!(ended, Some(SpeechEnd { cut: false, .. })));
    let deaf_until = rig.next + 160;
    assert_eq!(speak(&mut rig, 10), None);
    assert_eq!(rig.next, deaf_until);
    // Speech that goes on then begins there, and does not reach back.
    assert_eq!(
        speak(&mut rig, 2),
        Some(SpeechStart {
            at_sample: deaf_until
        })
    );
}

#[test]
fn a_segment_that_was_cut_is_followed_at_once_whatever_the_refractory_time() {
    let mut rig = Rig::new(&SegmenterConfig {
        refractory_ms: 10_000,
        ..config()
    });
    let edges: Vec<_> = (0..200).filter_map(|_| rig.push(VOICED)).collect();
    assert!(edges.len() >= 4, "{edges:?}");
}

#[test]
fn a_field_out_of_range_is_named_with_its_value_and_range() {
    let wrong = [
        (
            SegmenterConfig {
                onset_threshold: 1.5,
                ..config()
            },
            "segments.onset_threshold is 1.5, but must lie between 0 and 1",
        ),
        (
            SegmenterConfig {
                onset_threshold: f32::NAN,
                ..config()
            },
            "segments.onset_threshold is NaN, but must lie between 0 and 1",
        ),
        (
            SegmenterConfig {
                release_threshold: -0.5,
                ..config()
            },
            "segments.release_threshold is -0.5, but must lie between 0 and 0.6",
        ),
        (
            SegmenterConfig {
                onset_ms: 3000,
                ..config()
            },
            "segments.onset_ms is 3000, but must lie between 0 and 2000",
        ),
        (
            SegmenterConfig {
                pre_roll_ms: 3000,
                ..config()
            },
            "segments.pre_roll_ms is 3000, but must lie between 0 and 2000",
        ),
        (
            SegmenterConfig {
                hangover_ms: 10,
                ..config()
            },
            "segments.hangover_ms is 10, but must lie between 20 and 10000",
        ),
        (
            SegmenterConfig {
                post_roll_ms: 49,
                ..config()
            },
            "segments.post_roll_ms is 49, but must lie between 0 and 48",
        ),
        (
            SegmenterConfig {
                max_segment_ms: 10,
                ..config()
            },
            "segments.max_segment_ms is 10, but must lie between 1000 and 600000",
        ),
        (
            SegmenterConfig {
                min_segment_ms: 2000,
                ..config()
            },
            "segments.min_segment_ms is 2000, but must lie between 0 and 1000",
        ),
        (
            SegmenterConfig {
                refractory_ms: 700_000,
                ..config()
            },
            "segments.refractory_ms is 700000, but must lie between 0 and 600000",
        ),
    ];
    for (config, message) in wrong {
        let error = Segmenter::new(&config, 16_000).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&message[..message.len().min(60)]),
            "{error}"
        );
        assert!(matches!(error, EventsError::Range { .. }));
    }
    assert!(Segmenter::new(&config(), 0).is_err());
    assert!(SegmenterConfig::default().validate().is_ok());
}

#[test]
fn an_unknown_field_of_the_configuration_is_refused_and_a_missing_one_has_its_default() {
    assert!(toml::from_str::<SegmenterConfig>("onset_treshold = 0.3").is_err());
    let read: SegmenterConfig = toml::from_str("hangover_ms = 900").unwrap();
    assert_eq!(
        read,
        SegmenterConfig {
            hangover_ms: 900,
            ..SegmenterConfig::default()
        }
    );
}

proptest! {
    #[test]
    fn edges_alternate_and_segments_do_not_overlap(probabilities in prop::collection::vec(0.0f32..1.0, 0..600)) {
        let mut rig = Rig::new(&config());
        let mut open: Option<u64> = None;
        let mut last_end = 0;
        for p in probabilities {
            match rig.push(p) {
                Some(SpeechStart { at_sample }) => {
                    prop_assert!(open.is_none());
                    prop_assert!(at_sample >= last_end && at_sample < rig.next);
                    open = Some(at_sample);
                }
                Some(SpeechEnd { at_sample, cut }) => {
                    let start = open.take().expect("an end follows a start");
                    prop_assert!(at_sample > start && at_sample <= rig.next);
                    prop_assert!(at_sample - start < 1000 + HOP);
                    prop_assert!(!cut || at_sample - start >= 1000);
                    last_end = at_sample;
                }
                None => {}
            }
            prop_assert_eq!(rig.segmenter.certain_until().is_some(), open.is_some());
            if let (Some(start), Some(until)) = (open, rig.segmenter.certain_until()) {
                prop_assert!(until > start && until <= rig.next);
            }
        }
    }
}
