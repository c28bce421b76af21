//! A microphone that is lost and comes back, again and again: a PulseAudio server that is killed and restarted.
//!
//! In full, for docs/holding-up.md:
//! `cargo test --release -p undertone-tests --test alsa_loss -- --ignored --nocapture`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use undertone_tests::daemon::Daemon;
use undertone_tests::pulse::{DEVICE, Rig};
use undertone_tests::speech;

/// The microphone has to be heard again this soon after it is there.
const FOUND: Duration = Duration::from_secs(5);
/// How long it is gone each time, at least.
const GONE: Duration = Duration::from_secs(3);

fn lost_and_back(times: usize) {
    let Some(mut rig) = Rig::start() else { return };
    let source = format!("alsa:{DEVICE}");
    let mut daemon = Daemon::start(&["--source", &source], &rig.env());
    daemon.wait_for_talk("listening");
    std::thread::sleep(Duration::from_millis(1500));
    let (mut found, mut gone, mut used) = (Vec::new(), Duration::ZERO, Duration::ZERO);
    for time in 1..=times {
        let mut player = rig.begin_to_play(&speech());
        daemon.wait_for_lines("\"start\"", time);
        rig.unplug();
        player.wait().unwrap();
        daemon.wait_for_talks("is gone", time);
        daemon.wait_for_lines("\"device_lost\"", time);
        let (since, before) = (Instant::now(), daemon.processor_time());
        std::thread::sleep(GONE);
        used += daemon.processor_time() - before;
        gone += since.elapsed();
        rig.plug();
        let plugged = Instant::now();
        daemon.wait_for_talks("is back", time);
        found.push(plugged.elapsed());
    }
    daemon.signal("TERM");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let of = |kind: &str| {
        run.events()
            .iter()
            .filter(|event| event["kind"] == kind)
            .count()
    };
    let worst = found.iter().max().unwrap();
    let mean = found.iter().sum::<Duration>() / u32::try_from(times).unwrap();
    let share = 100.0 * used.as_secs_f64() / gone.as_secs_f64();
    println!(
        "lost and back {times} times: heard again after {:.1} s at most, {:.1} s on average; {share:.2} % of one core while gone; \
         {} utterances begun, {} ended",
        worst.as_secs_f64(),
        mean.as_secs_f64(),
        of("start"),
        of("end")
    );
    assert_eq!((of("start"), of("end")), (times, times));
    assert!(*worst <= FOUND, "{found:?}");
    // A tick of the clock is 10 ms, so that few rounds cannot show less than this.
    assert!(
        share < 1.0 || used <= Duration::from_millis(10 * times as u64 + 100),
        "{share} %"
    );
}

#[test]
fn three_times() {
    lost_and_back(3);
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn a_hundred_times() {
    lost_and_back(100);
}
