//! A bad cable must never forge a frame, and may cost one frame per damaged place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use proptest::prelude::*;
use undertone_wire::{Decoder, Encoder, MAX_FRAME, State};

/// One damaged place: position (wrapped to the stream's length) and what happens there.
#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Drop(usize),
    Insert(usize, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), 1..=u8::MAX).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        any::<usize>().prop_map(Damage::Drop),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        // Zero bytes and COBS codes are where framing could go wrong most.
        (any::<usize>(), prop_oneof![Just(0), Just(1), Just(0xff)])
            .prop_map(|(at, byte)| Damage::Insert(at, byte)),
    ]
}

fn apply(stream: &mut Vec<u8>, damage: &Damage) {
    match *damage {
        Damage::Flip(at, mask) => {
            let at = at % stream.len();
            stream[at] ^= mask;
        }
        Damage::Drop(at) => {
            let at = at % stream.len();
            stream.remove(at);
        }
        Damage::Insert(at, byte) => stream.insert(at % (stream.len() + 1), byte),
    }
}

fn stream_of(picks: &[usize]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let samples = common::samples();
    let mut encoder = Encoder::new();
    let mut buffer = [0; MAX_FRAME];
    let frames: Vec<Vec<u8>> = picks
        .iter()
        .map(|pick| {
            encoder
                .encode(&samples[pick % samples.len()].1, &mut buffer)
                .unwrap()
                .to_vec()
        })
        .collect();
    (frames.concat(), frames)
}

/// The sequence numbers that arrive, after checking that each frame is exactly the one sent under that number.
fn receive(bytes: &[u8], picks: &[usize]) -> (Vec<u32>, Decoder) {
    let samples = common::samples();
    let mut decoder = Decoder::new();
    let mut arrived = Vec::new();
    for byte in bytes {
        if let Some(frame) = decoder.feed(*byte) {
            let pick = picks
                .get(frame.seq as usize)
                .expect("a frame that was never sent");
            assert_eq!(
                frame.message().as_ref(),
                Ok(&samples[pick % samples.len()].1),
                "a damaged frame was accepted"
            );
            arrived.push(frame.seq);
        }
    }
    (arrived, decoder)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damaged_frame_is_accepted_and_each_damage_costs_at_most_one(
        picks in prop::collection::vec(0..8usize, 2..8),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let (mut stream, frames) = stream_of(&picks);
        for damage in &damages {
            apply(&mut stream, damage);
        }
        let (arrived, decoder) = receive(&stream, &picks);
        prop_assert!(arrived.is_sorted_by(|a, b| a < b), "out of order: {arrived:?}");
        prop_assert!(arrived.len() + damages.len() >= frames.len(), "{} of {} arrived", arrived.len(), frames.len());

        let counters = decoder.counters();
        prop_assert_eq!(counters.frames as usize, arrived.len());
        let between = match (arrived.first(), arrived.last()) {
            (Some(first), Some(last)) => (last - first) as usize + 1 - arrived.len(),
            _ => 0,
        };
        prop_assert_eq!(counters.lost as usize, between);
        prop_assert_eq!(counters.restarts, 0);
    }

    #[test]
    fn a_cut_in_the_line_costs_only_the_frames_it_touches(
        picks in prop::collection::vec(0..8usize, 2..8), from in any::<usize>(), length in 1..400usize,
    ) {
        let (mut stream, frames) = stream_of(&picks);
        let from = from % stream.len();
        let to = (from + length).min(stream.len());
        let mut start = 0;
        let mut untouched = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let end = start + frame.len();
            if end <= from || start >= to {
                untouched.push(index as u32);
            }
            start = end;
        }
        stream.drain(from..to);
        let (arrived, _) = receive(&stream, &picks);
        prop_assert!(untouched.iter().all(|seq| arrived.contains(seq)), "{arrived:?} of {untouched:?}");
    }

    #[test]
    fn noise_never_becomes_a_frame_and_hides_no_frame_after_it(noise in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (stream, _) = stream_of(&[0]);
        let mut decoder = Decoder::new();
        for byte in &noise {
            prop_assert!(decoder.feed(*byte).is_none());
        }
        let arrived = stream.iter().filter_map(|byte| decoder.feed(*byte).map(|frame| frame.seq)).count();
        prop_assert_eq!(arrived, 1);
        prop_assert_eq!(decoder.state(), State::InFrame);
    }
}
