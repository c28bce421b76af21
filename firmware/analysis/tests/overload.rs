//! Giving way under load: what is reported when, and that it takes no shortcut and does not flutter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use undertone_analysis::{Load, Overload, OverloadSettings};

const TICK: Duration = Duration::from_millis(100);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn settings() -> OverloadSettings {
    OverloadSettings {
        late: ms(500),
        in_time: ms(200),
        widen_after: ms(400),
        narrow_after: ms(1000),
        widest: 8,
    }
}

/// What is reported over so many observations of the same lateness, with the number of each.
fn reports(overload: &mut Overload, waiting: u64, lost: u64, count: usize) -> Vec<(usize, Load)> {
    (0..count)
        .filter_map(|tick| Some((tick, overload.observe(TICK, ms(waiting), lost)?)))
        .collect()
}

fn degraded(widening: u32) -> Load {
    Load::Degraded { widening }
}

#[test]
fn while_it_keeps_up_nothing_is_reported() {
    let mut overload = Overload::new(settings());
    for waiting in [0, 199, 200, 201, 499, 500] {
        assert_eq!(reports(&mut overload, waiting, 0, 100), []);
        assert_eq!(overload.load(), Load::InTime);
    }
}

#[test]
fn degraded_is_reported_at_once_and_the_hop_widens_step_by_step_up_to_the_widest() {
    let mut overload = Overload::new(settings());
    assert_eq!(
        reports(&mut overload, 501, 0, 100),
        [(0, degraded(2)), (4, degraded(4)), (8, degraded(8))]
    );
    assert_eq!(overload.load().widening(), 8);
}

#[test]
fn it_narrows_step_by_step_once_it_has_caught_up_for_long_enough() {
    let mut overload = Overload::new(settings());
    reports(&mut overload, 900, 0, 20);
    assert_eq!(
        reports(&mut overload, 200, 0, 100),
        [(10, degraded(4)), (20, degraded(2)), (30, Load::InTime)]
    );
}

#[test]
fn between_late_and_in_time_nothing_changes_and_waiting_starts_anew() {
    let mut overload = Overload::new(settings());
    reports(&mut overload, 900, 0, 1);
    assert_eq!(reports(&mut overload, 350, 0, 1000), []);
    assert_eq!(overload.load(), degraded(2));
    // Nearly long enough in time, then in between: the wait is forgotten.
    assert_eq!(reports(&mut overload, 0, 0, 10), []);
    assert_eq!(reports(&mut overload, 350, 0, 1), []);
    assert_eq!(reports(&mut overload, 0, 0, 10), []);
    assert_eq!(reports(&mut overload, 0, 0, 1), [(0, Load::InTime)]);
    // The same for lateness.
    assert_eq!(reports(&mut overload, 900, 0, 4), [(0, degraded(2))]);
    assert_eq!(reports(&mut overload, 350, 0, 1), []);
    assert_eq!(reports(&mut overload, 900, 0, 4), []);
    assert_eq!(reports(&mut overload, 900, 0, 1), [(0, degraded(4))]);
}

#[test]
fn a_load_that_swings_around_a_bound_does_not_flutter() {
    let mut overload = Overload::new(settings());
    let mut changes = 0;
    for tick in 0..10_000u64 {
        let waiting = if tick % 2 == 0 { 501 } else { 199 };
        changes += usize::from(overload.observe(TICK, ms(waiting), 0).is_some());
    }
    assert_eq!(changes, 1);
}

#[test]
fn what_is_lost_is_counted_and_widens_all_the_way() {
    let mut overload = Overload::new(settings());
    assert_eq!(overload.observe(TICK, ms(600), 0), Some(degraded(2)));
    let dropping = |lost| Some(Load::Dropping { widening: 8, lost });
    assert_eq!(overload.observe(TICK, ms(4000), 160), dropping(160));
    assert_eq!(overload.observe(TICK, ms(4000), 160), None);
    assert_eq!(overload.observe(TICK, ms(4000), 480), dropping(480));
    assert_eq!(overload.lost(), 480);
    // It is told as dropping until it has caught up, and begins to count anew after that.
    assert_eq!(reports(&mut overload, 100, 480, 11), [(10, degraded(4))]);
    assert_eq!(overload.observe(TICK, ms(100), 481), dropping(1));
    assert_eq!(overload.lost(), 481);
}

#[test]
fn a_loss_without_lateness_is_an_overload_too_and_a_count_that_shrinks_is_none() {
    let mut overload = Overload::new(settings());
    let load = overload.observe(TICK, ms(0), 3);
    assert_eq!(
        load,
        Some(Load::Dropping {
            widening: 8,
            lost: 3
        })
    );
    assert_eq!(overload.observe(TICK, ms(0), 1), None);
    assert_eq!(overload.lost(), 3);
}

#[test]
fn a_ring_is_never_full_before_degraded_was_reported() {
    // Analysis takes 3 ms for 2 ms of audio; the ring holds 4 s. Widening does not help here.
    let mut overload = Overload::new(OverloadSettings::default());
    let (mut waiting, mut first) = (0.0f64, None);
    for tick in 0..10_000 {
        waiting += 100.0 / 3.0;
        if waiting >= 4000.0 {
            break;
        }
        if overload.observe(TICK, ms(waiting as u64), 0).is_some() {
            first.get_or_insert(tick);
        }
    }
    assert_eq!(first, Some(15));
    assert_eq!(overload.load(), degraded(8));
}

#[test]
fn settings_that_contradict_each_other_are_made_to_fit() {
    let mut overload = Overload::new(OverloadSettings {
        in_time: ms(900),
        widest: 7,
        ..settings()
    });
    assert_eq!(
        reports(&mut overload, 501, 0, 100).last(),
        Some(&(4, degraded(4)))
    );
    assert_eq!(overload.observe(TICK, ms(501), 0), None);
    let mut narrowest = Overload::new(OverloadSettings {
        widest: 0,
        ..settings()
    });
    assert_eq!(reports(&mut narrowest, 501, 0, 100), [(0, degraded(2))]);
}

#[test]
fn every_state_has_the_transitions_of_the_table() {
    let dropping = |lost| Load::Dropping { widening: 8, lost };
    let reach = |state: Load| {
        let mut overload = Overload::new(settings());
        match state {
            Load::InTime => {}
            Load::Degraded { widening } => {
                while overload.load() != degraded(widening) {
                    overload.observe(TICK, ms(501), 0);
                }
            }
            Load::Dropping { lost, .. } => {
                overload.observe(TICK, ms(501), lost);
            }
        }
        // Between: nothing that lasted is carried over.
        overload.observe(TICK, ms(350), overload.lost());
        assert_eq!(overload.load(), state);
        overload
    };
    for (state, late, in_time, lost) in [
        (Load::InTime, degraded(2), Load::InTime, dropping(7)),
        (degraded(2), degraded(4), Load::InTime, dropping(7)),
        (degraded(4), degraded(8), degraded(2), dropping(7)),
        (degraded(8), degraded(8), degraded(4), dropping(7)),
        (dropping(5), dropping(5), degraded(4), dropping(12)),
    ] {
        let long = |waiting: u64| {
            let mut overload = reach(state);
            let lost = overload.lost();
            let ticks = if waiting > 500 { 5 } else { 11 };
            for _ in 0..ticks {
                overload.observe(TICK, ms(waiting), lost);
            }
            overload.load()
        };
        if state == Load::InTime {
            assert_eq!(long(501), degraded(4), "reported at once, then widened");
            let mut overload = reach(state);
            assert_eq!(overload.observe(TICK, ms(501), 0), Some(late));
        } else {
            assert_eq!(long(501), late, "{state:?} late");
        }
        assert_eq!(long(200), in_time, "{state:?} in time");
        assert_eq!(long(350), state, "{state:?} between");
        let mut overload = reach(state);
        let total = overload.lost() + 7;
        assert_eq!(
            overload.observe(TICK, ms(350), total),
            Some(lost),
            "{state:?} losing"
        );
    }
}
