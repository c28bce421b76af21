//! The daemon and a serial line: what the controller at the other end of the cable reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use undertone_tests::daemon::{Daemon, bytes_of};
use undertone_tests::serial::{Line, available, read};
use undertone_wire::{Counters, Decoder, Hello, Message, Phase};

/// Two sentences and a second of silence, as headerless samples.
fn sentences() -> Vec<u8> {
    let mut samples = bytes_of(&undertone_tests::speech()).split_off(44);
    samples.extend([0; 32_000]);
    samples
}

fn daemon(line: &Line) -> Daemon {
    let env = [
        ("UNDERTONE_SERIAL_PORT", line.port()),
        ("UNDERTONE_SERIAL_HEARTBEAT_MS", PathBuf::from("100")),
        ("UNDERTONE_EVENTS_UPDATE_INTERVAL_MS", PathBuf::from("1")),
    ];
    let mut daemon = Daemon::start(&["--source", "stdin"], &env);
    // It listens once its first samples have come.
    daemon.feed(&[0; 3200]);
    daemon
}

/// The controller.
#[derive(Default)]
struct Controller {
    decoder: Decoder,
    messages: Vec<Message>,
}

impl Controller {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(frame) = self.decoder.feed(*byte) {
                self.messages
                    .push(frame.message().expect("a message of this version"));
            }
        }
    }

    /// Reads until the messages satisfy a condition.
    fn wait(&mut self, far: &mut File, what: &str, holds: impl Fn(&[Message]) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !holds(&self.messages) {
            assert!(
                Instant::now() < until,
                "{what} does not come: {:?}",
                self.messages
            );
            let bytes = read(far);
            if bytes.is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            self.feed(&bytes);
        }
    }

    fn counters(&self) -> Counters {
        self.decoder.counters()
    }
}

fn ends(messages: &[Message]) -> usize {
    let is_end =
        |message: &&Message| matches!(message, Message::Event(event) if event.phase == Phase::End);
    messages.iter().filter(is_end).count()
}

fn heartbeats(messages: &[Message]) -> usize {
    let beats = messages
        .iter()
        .filter(|one| matches!(one, Message::Heartbeat(_)));
    beats.count()
}

fn hellos(messages: &[Message]) -> Vec<Hello> {
    let hello = |message: &Message| match message {
        Message::Hello(hello) => Some(*hello),
        _ => None,
    };
    messages.iter().filter_map(hello).collect()
}

#[test]
fn the_controller_hears_hello_first_then_labels_heartbeats_and_every_event() {
    if !available() {
        return;
    }
    let line = Line::new();
    let mut far = line.open_far();
    let mut controller = Controller::default();
    let mut daemon = daemon(&line);
    controller.wait(&mut far, "a heartbeat", |messages| heartbeats(messages) > 1);
    daemon.feed(&sentences());
    controller.wait(&mut far, "two ends", |messages| ends(messages) == 2);
    let printed = daemon.finish().events();

    let Message::Hello(hello) = controller.messages[0] else {
        panic!("{:?} comes first", controller.messages[0])
    };
    assert_eq!(hello.product(), "undertone");
    let labels: Vec<_> = controller
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Label(label) => Some(label.name.as_str()),
            _ => None,
        })
        .collect();
    let events: Vec<_> = controller
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Event(event) => Some(event),
            _ => None,
        })
        .collect();
    assert_eq!(events.len(), printed.len());
    for (event, line) in events.iter().zip(&printed) {
        assert_eq!(Some(event.seq), line["seq"].as_u64());
        assert_eq!(Some(event.id), line["id"].as_u64());
        let label = event
            .label
            .map_or("unknown", |index| labels[usize::from(index)]);
        assert_eq!(line["label"], label);
        let confidence = line["confidence"].as_f64().unwrap();
        assert!((f64::from(event.confidence) / 1e4 - confidence).abs() < 1e-4);
    }
    let counters = controller.counters();
    assert_eq!(
        (counters.crc_errors, counters.overruns, counters.lost),
        (0, 0, 0)
    );
}

#[test]
fn a_line_that_is_pulled_out_is_found_again_and_begins_with_hello() {
    if !available() {
        return;
    }
    let mut line = Line::new();
    let mut far = line.open_far();
    let daemon = daemon(&line);
    let mut before = Controller::default();
    before.wait(&mut far, "a heartbeat", |messages| heartbeats(messages) > 0);
    for _ in 0..3 {
        line.unplug();
        daemon.wait_for_talk("waiting for it");
        line.plug();
        let mut far = line.open_far();
        let mut after = Controller::default();
        after.wait(&mut far, "a heartbeat", |messages| heartbeats(messages) > 0);
        assert_eq!(hellos(&after.messages)[0], hellos(&before.messages)[0]);
    }
}

#[test]
fn a_line_that_nobody_reads_holds_nothing_up_and_what_was_given_up_is_told() {
    if !available() {
        return;
    }
    let line = Line::new();
    let mut daemon = daemon(&line);
    daemon.wait_for_talk("is open");
    let sentences = sentences();
    let mut ended = 0;
    // Events flow on standard output however full the line is; the system keeps some 70 KiB for whoever reads later.
    line.signal("STOP");
    for _ in 0..180 {
        daemon.feed(&sentences);
        ended += 2;
    }
    daemon.wait_for_lines("\"end\"", ended);
    line.signal("CONT");
    let (mut far, mut controller) = (line.open_far(), Controller::default());
    let told = |messages: &[Message]| {
        let events = messages
            .iter()
            .filter(|one| matches!(one, Message::Event(_)))
            .count();
        let dropped: usize = messages
            .iter()
            .map(|one| match one {
                Message::Dropped(dropped) => dropped.count as usize,
                _ => 0,
            })
            .sum();
        (events, dropped)
    };
    controller.wait(&mut far, "the last end", |messages| {
        messages.iter().any(|one| matches!(one, Message::Event(event) if event.phase == Phase::End && event.id == ended as u64))
    });
    let printed = daemon.finish().events().len();
    let (events, dropped) = told(&controller.messages);
    assert_eq!(events + dropped, printed);
    assert!(dropped > 0, "the line was never full");
    assert_eq!(controller.counters().lost, 0);
}

#[test]
fn a_garbled_line_costs_single_frames_and_never_makes_one_up() {
    if !available() {
        return;
    }
    let line = Line::new();
    let mut far = line.open_far();
    let daemon = daemon(&line);
    let (mut clean, mut garbled) = (Controller::default(), Controller::default());
    let (mut random, mut damages) = (1u64, 0);
    let until = Instant::now() + Duration::from_secs(60);
    while heartbeats(&clean.messages) < 40 {
        assert!(Instant::now() < until, "no heartbeats");
        for byte in read(&mut far) {
            clean.feed(&[byte]);
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let damage = random >> 33 & 63;
            damages += u64::from(damage < 3);
            match damage {
                0 => garbled.feed(&[byte ^ 1 << (random >> 40 & 7)]),
                1 => {}
                2 => garbled.feed(&[byte, (random >> 48) as u8]),
                _ => garbled.feed(&[byte]),
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(daemon);
    assert!(damages > 0);
    // Everything that the garbled side accepted was really sent.
    assert!(
        garbled
            .messages
            .iter()
            .all(|message| clean.messages.contains(message))
    );
    let lost = clean.messages.len() - garbled.messages.len();
    assert!(
        lost as u64 <= 2 * damages,
        "{lost} of {} lost by {damages} damages",
        clean.messages.len()
    );
}
