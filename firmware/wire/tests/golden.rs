//! The bytes of every message, as README.md shows them to authors in other languages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use undertone_wire::{Decoder, MAX_FRAME, Message, SCHEMA, SCHEMA_HASH, encode};

const README: &str = include_str!("../README.md");

/// The bytes that README.md shows for `name`: the code block after the line `` `name` as frame 258: ``.
fn shown(name: &str) -> Vec<u8> {
    let heading = format!("{name} as frame 258:\n");
    let (_, rest) = README
        .split_once(&heading)
        .unwrap_or_else(|| panic!("README.md shows no bytes for {name}"));
    let block = rest.split("```").nth(1).expect("a code block");
    block
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

#[test]
fn every_message_has_the_bytes_that_the_readme_shows() {
    for (name, message) in common::samples() {
        let mut buffer = [0; MAX_FRAME];
        let length = encode(&message, 258, &mut buffer).unwrap();
        let hex: Vec<String> = buffer[..length]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            &buffer[..length],
            shown(name),
            "{name} is now\n{}",
            hex.join(" ")
        );
    }
}

#[test]
fn the_bytes_that_the_readme_shows_are_read_as_their_message() {
    for (name, message) in common::samples() {
        let mut decoder = Decoder::new();
        let bytes = shown(name);
        let (last, before) = bytes.split_last().unwrap();
        assert!(
            before.iter().all(|byte| decoder.feed(*byte).is_none()),
            "{name} ended early"
        );
        let frame = decoder
            .feed(*last)
            .unwrap_or_else(|| panic!("{name} is not intact"));
        assert_eq!((frame.version, frame.seq), (1, 258));
        assert_eq!(frame.message(), Ok(message));
    }
}

/// A change here is a change of the protocol: give it a new version, and new bytes to the README.
#[test]
fn the_schema_is_that_of_protocol_version_1() {
    let hash: String = SCHEMA_HASH
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hash, "45e0fd5083db9f68");
    assert!(README.contains(&hash), "README.md names the hash");
}

#[test]
fn the_schema_names_every_field_in_its_order() {
    for (name, message) in common::samples() {
        let json = match &message {
            Message::Hello(payload) => serde_json::to_string(payload),
            Message::Label(payload) => serde_json::to_string(payload),
            Message::Event(payload) => serde_json::to_string(payload),
            Message::Heartbeat(payload) => serde_json::to_string(payload),
            Message::Health(payload) => serde_json::to_string(payload),
            Message::Dropped(payload) => serde_json::to_string(payload),
        }
        .unwrap();
        let fields: Vec<&str> = json
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(|word| json.contains(&format!("\"{word}\":")))
            .collect();
        let prefix = format!(
            "{} {} ",
            message.kind() as u8,
            name.split(' ').next().unwrap()
        );
        let line = SCHEMA
            .lines()
            .find_map(|line| line.strip_prefix(&prefix))
            .expect("a line of the schema");
        let named: Vec<&str> = line
            .split(' ')
            .filter_map(|field| field.split_once(':'))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(fields, named, "{name}");
    }
}
