//! Hours of audio through the whole daemon, as fast as it can: flat memory, nothing lost, every utterance with its end.
//!
//! The long form: `UNDERTONE_SOAK_HOURS=24 cargo test --release -p undertone-tests --test soak -- --ignored --nocapture`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use undertone_tests::daemon::{bytes_of, program};
use undertone_tests::speech;

const RATE: usize = 16_000;
/// The memory may grow by so much after the first tenth, in bytes: what the allocator rounds up.
const GROWTH: u64 = 2 << 20;

/// What came out of a soak.
struct Outcome {
    utterances: u64,
    first_bytes: u64,
    last_bytes: u64,
    talk: String,
}

/// Feeds the clip over and over, with pauses of changing length, and checks every line that comes out.
fn soak(seconds: usize) -> Outcome {
    let clip = bytes_of(&speech())[44..].to_vec();
    let mut child = Command::new(program())
        .args(["--purpose", "evaluation", "--source", "stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = child.stderr.take().unwrap();
    let talk = std::thread::spawn(move || std::io::read_to_string(&mut said).unwrap());
    let checker = std::thread::spawn(move || check(lines.map(Result::unwrap)));
    let total = seconds * RATE * 2;
    let (mut fed, mut round, mut first_bytes) = (0, 0usize, 0);
    while fed < total {
        let pause = vec![0; (round % 7) * RATE / 4 * 2];
        for part in [&clip[..], &pause] {
            let part = &part[..part.len().min(total - fed)];
            input.write_all(part).unwrap();
            fed += part.len();
        }
        round += 1;
        if first_bytes == 0 && fed > total / 10 {
            first_bytes = resident(&child);
        }
    }
    let last_bytes = resident(&child);
    drop(input);
    let utterances = checker.join().unwrap();
    assert!(child.wait().unwrap().success());
    Outcome {
        utterances,
        first_bytes,
        last_bytes,
        talk: talk.join().unwrap(),
    }
}

/// No number is missing, and every utterance has one start and one end; how many there were.
fn check(lines: impl Iterator<Item = String>) -> u64 {
    let (mut open, mut ended, mut seq) = (BTreeMap::new(), 0, 0);
    for line in lines {
        let event: Value = serde_json::from_str(&line).unwrap();
        seq += 1;
        assert_eq!(event["seq"], seq, "{line}");
        let id = event["id"].as_u64().unwrap();
        match event["kind"].as_str().unwrap() {
            "start" => assert!(open.insert(id, ()).is_none(), "{line}"),
            "update" => assert!(open.contains_key(&id), "{line}"),
            "end" => {
                assert!(open.remove(&id).is_some(), "{line}");
                ended += 1;
            }
            other => panic!("{other} in {line}"),
        }
    }
    assert!(open.is_empty(), "without an end: {open:?}");
    ended
}

fn resident(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

fn holds(outcome: &Outcome, seconds: usize) {
    let Outcome {
        utterances,
        first_bytes,
        last_bytes,
        talk,
    } = outcome;
    assert!(
        *last_bytes <= first_bytes + GROWTH,
        "{first_bytes} -> {last_bytes} bytes"
    );
    let heard = format!("{seconds}.0 s of audio heard, {utterances} utterance(s)");
    assert!(talk.contains(&heard), "{heard}: {talk}");
    assert!(!talk.contains("gap(s)"), "{talk}");
    assert!(*utterances as usize > seconds / 20, "{utterances}");
}

#[test]
fn twenty_minutes_of_audio_leave_no_trace_in_memory() {
    holds(&soak(1200), 1200);
}

#[test]
#[ignore = "takes as long as UNDERTONE_SOAK_HOURS of audio need"]
fn hours_of_audio_leave_no_trace_in_memory() {
    let hours = std::env::var("UNDERTONE_SOAK_HOURS").unwrap_or_else(|_| "24".into());
    let seconds = (hours.parse::<f64>().unwrap() * 3600.0) as usize;
    let begun = std::time::Instant::now();
    let outcome = soak(seconds);
    println!(
        "{hours} h of audio in {:.0} s: {} utterances, all with their end; {:.1} MB after a tenth, {:.1} MB at the end",
        begun.elapsed().as_secs_f64(),
        outcome.utterances,
        outcome.first_bytes as f64 / 1e6,
        outcome.last_bytes as f64 / 1e6,
    );
    holds(&outcome, seconds);
}
