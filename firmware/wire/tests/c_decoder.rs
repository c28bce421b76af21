//! The decoder in C, compiled by the system's compiler, against the one in Rust: on the bytes of the README and on noise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use undertone_wire::{Decoder, MAX_FRAME, encode};

/// What the program in C prints about these bytes; `None`, with a word about it, without a compiler.
fn printed_by_c(bytes: &[u8]) -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c/print_frames.c");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join(format!("print_frames-{:?}", std::thread::current().id()));
    let compiled = Command::new("cc")
        .args(["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([&program, &source])
        .status();
    match compiled {
        Ok(status) => assert!(status.success(), "cc fails"),
        Err(error) => {
            assert!(
                std::env::var_os("UNDERTONE_REQUIRE_RIG").is_none(),
                "cc: {error}"
            );
            eprintln!("skipped: cc: {error}");
            return None;
        }
    }
    let mut child = Command::new(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What the decoder in Rust makes of them, without the fields of events.
fn seen_by_rust(bytes: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::new();
    let mut lines = Vec::new();
    for byte in bytes {
        if let Some(frame) = decoder.feed(*byte) {
            let (version, kind, seq) = (frame.version, frame.kind, frame.seq);
            lines.push(format!("{version} {kind} {seq} {}", frame.payload.len()));
        }
    }
    let counters = decoder.counters();
    lines.push(format!(
        "frames={} damaged={} overruns={} lost={}",
        counters.frames, counters.crc_errors, counters.overruns, counters.lost
    ));
    lines
}

fn agree(bytes: &[u8]) {
    let Some(printed) = printed_by_c(bytes) else {
        return;
    };
    let lines: Vec<_> = printed
        .lines()
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [version, kind, seq, length, ..] if !line.starts_with("frames=") => {
                [version, kind, seq, length].join(" ")
            }
            _ => line.to_owned(),
        })
        .collect();
    assert_eq!(lines, seen_by_rust(bytes));
}

#[test]
fn c_reads_every_message_and_the_fields_of_an_event() {
    let mut bytes = Vec::new();
    for (seq, (_, message)) in (0..).zip(common::samples()) {
        let mut frame = [0; MAX_FRAME];
        let length = encode(&message, seq, &mut frame).unwrap();
        bytes.extend(&frame[..length]);
    }
    agree(&bytes);
    if let Some(printed) = printed_by_c(&bytes) {
        let start = "start id=7 channel=1 label=-1 confidence=8125 scores=7 seq=300 ms=86400000";
        assert!(printed.contains(start), "{printed}");
        assert!(!printed.contains("bad"));
    }
}

#[test]
fn c_and_rust_agree_on_a_line_that_is_damaged_all_the_time() {
    let samples = common::samples();
    let mut random = 7u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        random >> 33
    };
    let mut bytes = Vec::new();
    for seq in 0..5_000 {
        let (_, message) = &samples[next() as usize % samples.len()];
        let mut frame = [0; MAX_FRAME];
        let length = encode(message, seq, &mut frame).unwrap();
        for byte in &frame[..length] {
            match next() % 150 {
                0 => bytes.push(byte ^ 1 << (next() % 8)),
                1 => {}
                2 => bytes.extend([*byte, next() as u8]),
                _ => bytes.push(*byte),
            }
        }
        if next() % 50 == 0 {
            // Longer than any frame.
            bytes.extend((0..400).map(|_| (next() % 255) as u8 + 1));
        }
    }
    agree(&bytes);
}
