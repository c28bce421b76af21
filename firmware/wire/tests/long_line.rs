//! A long life on a bad cable: bits that turn, bytes that vanish and bytes from nowhere, anywhere in a stream of frames.
//!
//! The long form: `cargo test --release --package undertone-wire --test long_line -- --ignored --nocapture`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use undertone_wire::{Counters, Decoder, Encoder, MAX_FRAME};

/// What came of a stream.
struct Outcome {
    damages: u32,
    arrived: u32,
    counters: Counters,
}

/// Marsaglia's xorshift, so that a run can be repeated.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Sends `frames` frames and damages one byte in `one_in`, checking each frame that arrives against the one sent under its
/// number.
fn send(frames: u32, one_in: u64) -> Outcome {
    let samples = common::samples();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    let mut buffer = [0; MAX_FRAME];
    let mut outcome = Outcome {
        damages: 0,
        arrived: 0,
        counters: decoder.counters(),
    };
    let mut last = None;
    let mut receive = |byte: u8| {
        let Some(frame) = decoder.feed(byte) else {
            return;
        };
        assert!(frame.seq < frames, "frame {} was never sent", frame.seq);
        assert!(last < Some(frame.seq), "frame {} came twice", frame.seq);
        last = Some(frame.seq);
        let sent = &samples[pick(frame.seq, samples.len())].1;
        assert_eq!(
            frame.message().as_ref(),
            Ok(sent),
            "a damaged frame was accepted"
        );
        outcome.arrived += 1;
    };
    for seq in 0..frames {
        let message = &samples[pick(seq, samples.len())].1;
        for byte in encoder.encode(message, &mut buffer).unwrap() {
            if !chance.next().is_multiple_of(one_in) {
                receive(*byte);
                continue;
            }
            outcome.damages += 1;
            match chance.next() % 3 {
                0 => receive(byte ^ (1 << (chance.next() % 8))),
                1 => {}
                _ => {
                    receive((chance.next() >> 32) as u8);
                    receive(*byte);
                }
            }
        }
    }
    outcome.counters = decoder.counters();
    outcome
}

/// Which of the messages is sent as number `seq`: not one after the other, so that none is taken for its neighbour.
fn pick(seq: u32, messages: usize) -> usize {
    (seq.wrapping_mul(2_654_435_761) >> 16) as usize % messages
}

fn check(frames: u32, one_in: u64) {
    let Outcome {
        damages,
        arrived,
        counters,
    } = send(frames, one_in);
    println!(
        "1 byte in {one_in} damaged: {frames} frames sent, {damages} places damaged, {} frames lost, none forged",
        frames - arrived
    );
    assert!(damages > 0 && arrived < frames, "nothing was damaged");
    assert!(
        frames - arrived <= damages,
        "{} frames lost by {damages} damages",
        frames - arrived
    );
    assert_eq!(counters.frames, arrived);
    assert_eq!(counters.restarts, 0);
}

#[test]
fn twenty_thousand_frames_through_a_bad_line() {
    for one_in in [50, 2_000] {
        check(20_000, one_in);
    }
}

#[test]
#[ignore = "a minute"]
fn a_million_frames_through_a_bad_line() {
    for one_in in [50, 1_000, 50_000] {
        check(1_000_000, one_in);
    }
}
