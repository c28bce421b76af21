//! The decoder's states and counters, one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use undertone_wire::{
    Decoder, Encoder, Event, Hello, MAX_FRAME, Message, Phase, Scores, State, WireError, encode,
    encode_event, score,
};

fn bytes(message: &Message, seq: u32) -> Vec<u8> {
    let mut buffer = [0; MAX_FRAME];
    let length = encode(message, seq, &mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn feed(decoder: &mut Decoder, bytes: &[u8]) -> usize {
    bytes
        .iter()
        .filter(|byte| decoder.feed(**byte).is_some())
        .count()
}

fn event() -> Event {
    Event {
        phase: Phase::Start,
        id: u64::MAX,
        channel: u8::MAX,
        label: Some(15),
        confidence: 10_000,
        scores: Scores::from_probabilities(&[1.0; 16]).unwrap(),
        seq: u64::MAX,
        monotonic_ms: u64::MAX,
    }
}

/// A frame with any version, kind and payload, stuffed as the encoder does.
fn raw(version: u8, kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut body = vec![version, kind, 0, 0, 0, 0];
    body.extend_from_slice(payload);
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&body);
    body.extend_from_slice(&crc.to_le_bytes());
    let mut out = vec![0; body.len() + 4];
    let length = cobs::encode(&body, &mut out[1..]);
    out.truncate(1 + length + 1);
    out
}

fn read(frame: &[u8]) -> Result<Message, WireError> {
    let mut decoder = Decoder::new();
    let mut result = None;
    for byte in frame {
        if let Some(frame) = decoder.feed(*byte) {
            result = Some(frame.message());
        }
    }
    result.expect("an intact frame")
}

#[test]
fn what_comes_before_the_first_zero_is_passed_over() {
    let mut decoder = Decoder::new();
    assert_eq!(decoder.state(), State::Sync);
    assert_eq!(feed(&mut decoder, &[1, 2, 3]), 0);
    assert_eq!(decoder.state(), State::Sync);
    assert_eq!(feed(&mut decoder, &bytes(&common::samples()[1].1, 0)), 1);
    assert_eq!(decoder.counters().crc_errors, 0);
}

#[test]
fn a_frame_that_never_ends_is_an_overrun_and_takes_no_more_memory() {
    let mut decoder = Decoder::new();
    assert_eq!(feed(&mut decoder, &[0]), 0);
    assert_eq!(feed(&mut decoder, &[5; 100_000]), 0);
    assert_eq!(decoder.state(), State::Overrun);
    assert_eq!(feed(&mut decoder, &bytes(&common::samples()[1].1, 0)), 1);
    let counters = decoder.counters();
    assert_eq!(
        (counters.overruns, counters.crc_errors, counters.frames),
        (1, 0, 1)
    );
    assert_eq!(decoder.state(), State::InFrame);
}

#[test]
fn missing_numbers_are_lost_and_a_smaller_number_is_a_restart() {
    let message = &common::samples()[5].1;
    let mut decoder = Decoder::new();
    for seq in [10, 11, 15, 0, 1] {
        assert_eq!(feed(&mut decoder, &bytes(message, seq)), 1);
    }
    let counters = decoder.counters();
    assert_eq!(
        (counters.lost, counters.restarts, counters.frames),
        (3, 1, 5)
    );
}

#[test]
fn the_sequence_number_wraps_without_a_loss() {
    let message = &common::samples()[5].1;
    let mut decoder = Decoder::new();
    for seq in [u32::MAX - 1, u32::MAX, 0, 1] {
        feed(&mut decoder, &bytes(message, seq));
    }
    assert_eq!(
        (decoder.counters().lost, decoder.counters().restarts),
        (0, 0)
    );
}

#[test]
fn a_hello_is_read_from_any_version_and_nothing_else_is() {
    let (_, Message::Hello(hello)) = common::samples().remove(0) else {
        panic!("the first sample is a Hello")
    };
    let mut payload = Vec::new();
    for part in [
        &hello.product[..],
        &hello.firmware,
        &hello.schema,
        &hello.model,
        &hello.boot,
    ] {
        payload.extend_from_slice(part);
    }
    assert_eq!(payload.len(), Hello::LEN);
    assert_eq!(read(&raw(9, 1, &payload)), Ok(Message::Hello(hello)));
    assert_eq!((hello.product(), hello.firmware()), ("undertone", "0.1.0"));
    assert_eq!(
        read(&raw(9, 4, &[1, 1, 1])),
        Err(WireError::UnsupportedVersion {
            version: 9,
            ours: 1
        })
    );
}

#[test]
fn an_intact_frame_with_a_foreign_payload_is_refused_with_the_reason() {
    assert_eq!(
        read(&raw(1, 77, &[])),
        Err(WireError::UnknownKind { kind: 77 })
    );
    assert_eq!(
        read(&raw(1, 4, &[1, 1])),
        Err(WireError::Payload { kind: 4 }),
        "too short"
    );
    assert_eq!(
        read(&raw(1, 4, &[1, 1, 1, 1])),
        Err(WireError::Payload { kind: 4 }),
        "too long"
    );
    assert_eq!(
        read(&raw(1, 4, &[1, 99, 1])),
        Err(WireError::Payload { kind: 4 }),
        "no such state"
    );
    let scores_17 = [&[0, 1, 0, 0, 0, 17][..], &[0; 17], &[1, 1]].concat();
    assert_eq!(
        read(&raw(1, 3, &scores_17)),
        Err(WireError::Payload { kind: 3 }),
        "too many scores"
    );
    let confidence_10001 = [0, 1, 0, 0, 0x91, 0x4e, 0, 1, 1];
    assert_eq!(
        read(&raw(1, 3, &confidence_10001)),
        Err(WireError::OutOfRange {
            field: "confidence",
            value: 10_001,
            max: 10_000
        })
    );
}

#[test]
fn the_largest_event_fits_and_survives() {
    let mut buffer = [0; MAX_FRAME];
    let length = encode_event(&event(), u32::MAX, &mut buffer).unwrap();
    assert_eq!(read(&buffer[..length]), Ok(Message::Event(event())));
}

#[test]
fn an_event_outside_its_ranges_is_not_sent() {
    let mut buffer = [0; MAX_FRAME];
    let wrong_label = Event {
        label: Some(2),
        scores: Scores::from_probabilities(&[0.5, 0.5]).unwrap(),
        ..event()
    };
    assert_eq!(
        encode_event(&wrong_label, 0, &mut buffer),
        Err(WireError::OutOfRange {
            field: "label",
            value: 2,
            max: 1
        })
    );
    let too_sure = Event {
        confidence: 10_001,
        ..event()
    };
    assert!(encode_event(&too_sure, 0, &mut buffer).is_err());
    assert!(Scores::from_probabilities(&[0.0; 17]).is_err());
}

#[test]
fn probabilities_become_ten_thousandths() {
    assert_eq!(score(0.0), Ok(0));
    assert_eq!(score(0.123_46), Ok(1235));
    assert_eq!(score(1.000_000_1), Ok(10_000));
    for wrong in [-0.01, 1.01, f32::NAN, f32::INFINITY] {
        assert_eq!(
            score(wrong),
            Err(WireError::NotAProbability { field: "score" }),
            "{wrong}"
        );
    }
}

#[test]
fn a_short_buffer_is_an_error_that_uses_no_number_up() {
    let message = &common::samples()[1].1;
    let full = bytes(message, 0);
    let mut encoder = Encoder::new();
    let mut buffer = [0; MAX_FRAME];
    for size in 0..full.len() {
        let result = encoder
            .encode(message, &mut buffer[..size])
            .map(<[u8]>::len);
        assert_eq!(
            result,
            Err(WireError::BufferTooSmall {
                need: full.len(),
                have: size
            })
        );
    }
    assert_eq!(
        encoder.encode(message, &mut buffer[..full.len()]),
        Ok(&full[..])
    );
}
