//! Overrun, suspend, stall and loss of a microphone, in the real alsa-lib: none goes unnoticed, each ends what was open, and
//! the daemon goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use serde_json::Value;
use undertone_tests::daemon::{Daemon, Run};
use undertone_tests::faulty::{DEVICE, FaultyMic, Offer};

fn listen(mic: &FaultyMic, config: &str) -> (Daemon, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("undertoned.toml");
    std::fs::write(
        &path,
        format!("[source]\nname = \"alsa:{DEVICE}\"\n{config}"),
    )
    .unwrap();
    let args = ["--config", path.to_str().unwrap()];
    let daemon = Daemon::start(&args, &mic.env());
    daemon.wait_for_talk("listening");
    (daemon, folder)
}

fn finish(daemon: Daemon) -> Run {
    daemon.signal("TERM");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    nothing_is_left_open(&run.events());
    run
}

/// Every start has its end, and no utterance spans a gap: the next one begins behind the end of the last.
fn nothing_is_left_open(events: &[Value]) {
    let (mut open, mut heard_until) = (None, 0);
    for event in events {
        let at = |field: &str| event[field].as_u64().unwrap();
        match event["kind"].as_str().unwrap() {
            "start" => {
                assert_eq!(open.replace(event["id"].clone()), None, "{event}");
                assert!(
                    at("start_ms") >= heard_until,
                    "{event} begins before {heard_until}"
                );
            }
            "update" => assert_eq!(open.as_ref(), Some(&event["id"])),
            "end" => {
                assert_eq!(open.take().as_ref(), Some(&event["id"]));
                heard_until = at("at_ms");
            }
            _ => {}
        }
    }
    assert_eq!(open, None);
}

/// From the end for this reason to the next start, in milliseconds of audio.
fn gap_after(run: &Run, reason: &str) -> u64 {
    let events = run.events();
    let end = events
        .iter()
        .position(|event| event["reason"] == reason)
        .unwrap_or_else(|| panic!("no end for {reason}: {events:?}"));
    let next = events[end..].iter().find(|event| event["kind"] == "start");
    let at = |event: &Value, field: &str| event[field].as_u64().unwrap();
    at(next.unwrap(), "start_ms") - at(&events[end], "at_ms")
}

#[test]
fn a_daemon_that_was_stopped_for_longer_than_the_buffer_marks_what_it_missed() {
    let mic = FaultyMic::new(&Offer::default());
    let (mut daemon, _config) = listen(&mic, "");
    daemon.wait_for_lines("\"start\"", 1);
    daemon.signal("STOP");
    std::thread::sleep(Duration::from_secs(3));
    daemon.signal("CONT");
    daemon.wait_for_talk("was interrupted (Broken pipe");
    daemon.wait_for_lines("\"start\"", 2);
    let run = finish(daemon);
    let gap = gap_after(&run, "gap");
    assert!(gap >= 2500, "{gap} ms of {:?}", run.events());
    assert!(!run.talk.contains("stalled"), "{}", run.talk);
}

#[test]
fn a_daemon_that_was_stopped_for_less_than_the_buffer_misses_nothing() {
    let mic = FaultyMic::new(&Offer::default());
    let (mut daemon, _config) = listen(&mic, "buffer_ms = 4000\n");
    daemon.wait_for_lines("\"start\"", 1);
    daemon.signal("STOP");
    std::thread::sleep(Duration::from_secs(1));
    daemon.signal("CONT");
    daemon.wait_for_lines("\"end\"", 1);
    let run = finish(daemon);
    assert!(!run.talk.contains("interrupted"), "{}", run.talk);
    assert_eq!(
        run.events()
            .iter()
            .find(|event| event["kind"] == "end")
            .unwrap()["reason"],
        "silence"
    );
}

/// A machine that sleeps in the middle of a sentence.
fn survives_a_suspend(resume: bool) {
    let mic = FaultyMic::new(&Offer {
        resume,
        ..Offer::default()
    });
    let (mut daemon, _config) = listen(&mic, "");
    daemon.wait_for_lines("\"start\"", 1);
    mic.order("suspend");
    std::thread::sleep(Duration::from_secs(1));
    mic.order("run");
    daemon.wait_for_talk("was interrupted (Streams pipe error");
    daemon.wait_for_lines("\"gap\"", 1);
    daemon.wait_for_lines("\"start\"", 2);
    finish(daemon);
}

#[test]
fn a_suspended_device_is_resumed() {
    survives_a_suspend(true);
}

#[test]
fn a_suspended_device_that_cannot_resume_is_prepared_anew() {
    survives_a_suspend(false);
}

#[test]
fn a_stall_ends_what_is_open_is_told_and_ends_when_samples_come_again() {
    let mic = FaultyMic::new(&Offer::default());
    let (mut daemon, _config) = listen(&mic, "");
    daemon.wait_for_lines("\"start\"", 1);
    mic.order("stall");
    daemon.wait_for_talk("it has stalled");
    daemon.wait_for_lines("\"gap\"", 1);
    mic.order("run");
    daemon.wait_for_talk("delivers again");
    daemon.wait_for_lines("\"start\"", 2);
    let run = finish(daemon);
    let gap = gap_after(&run, "gap");
    assert!(gap >= 1900, "{gap} ms");
    assert!(!run.talk.contains("is gone"), "{}", run.talk);
}

#[test]
fn a_device_that_stalls_for_long_is_opened_anew() {
    let mic = FaultyMic::new(&Offer::default());
    let (mut daemon, _config) = listen(&mic, "");
    daemon.wait_for_lines("\"start\"", 1);
    mic.order("stall");
    daemon.wait_for_talk("it has delivered nothing for 5 s");
    mic.order("run");
    daemon.wait_for_talk("is back");
    daemon.wait_for_lines("\"start\"", 2);
    finish(daemon);
}

#[test]
fn a_device_that_is_pulled_out_ends_the_utterance_and_is_found_again() {
    let mic = FaultyMic::new(&Offer::default());
    let (mut daemon, _config) = listen(&mic, "");
    daemon.wait_for_lines("\"start\"", 1);
    mic.unplug();
    daemon.wait_for_lines("\"device_lost\"", 1);
    std::thread::sleep(Duration::from_millis(500));
    let plugged = Instant::now();
    mic.plug();
    daemon.wait_for_talk("is back");
    assert!(plugged.elapsed() < Duration::from_secs(5));
    daemon.wait_for_lines("\"start\"", 2);
    finish(daemon);
}

#[test]
fn every_encoding_rate_and_number_of_channels_that_a_device_may_offer_is_understood() {
    let offers = [
        ("S16_LE", "I16", 16_000, 1),
        ("S24_LE", "I24In4", 48_000, 2),
        ("S24_3LE", "I24Le3", 96_000, 4),
        ("S32_LE", "I32", 48_000, 8),
        ("FLOAT_LE", "F32", 32_000, 6),
    ];
    let start = |(format, called, rate, channels)| {
        let mic = FaultyMic::new(&Offer {
            format,
            rate,
            channels,
            voice: channels - 1,
            waits: true,
            ..Offer::default()
        });
        let listening = listen(&mic, &format!("pick = [{}]\n", channels - 1));
        let told = format!("({called}), {rate} Hz, {channels} channel(s)");
        (mic, listening, told)
    };
    let started: Vec<_> = offers.into_iter().map(start).collect();
    for (_mic, (mut daemon, _config), told) in started {
        daemon.wait_for_lines("\"silence\"", 1);
        let run = finish(daemon);
        assert!(run.talk.contains(&told), "{told}: {}", run.talk);
        let first = &run.events()[0];
        let start = first["start_ms"].as_f64().unwrap();
        assert!(
            (start - 300.0).abs() < 200.0,
            "{told}: {first}\n{}",
            run.talk
        );
    }
}

#[test]
fn a_channel_that_is_not_picked_or_whose_role_is_not_analysed_is_not_heard() {
    let offer = Offer {
        channels: 2,
        voice: 0,
        ..Offer::default()
    };
    let (speaking, silent) = (FaultyMic::new(&offer), FaultyMic::new(&offer));
    let (mut heard, _a) = listen(&speaking, "pick = [0]\n");
    let (dropped, _b) = listen(
        &silent,
        "channels = \"each\"\nroles = [\"employees\", \"volunteers\"]\n",
    );
    heard.wait_for_lines("\"silence\"", 1);
    finish(heard);
    let run = finish(dropped);
    assert_eq!(run.events(), [Value::Null; 0]);
    assert!(run.talk.contains(" s of audio heard"), "{}", run.talk);
}
