//! Audio does not leave the daemon, channels that may not be analysed are not, and no more is told than was declared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use undertone_tests::daemon::{Daemon, Run, bytes_of, run_fed};
use undertone_tests::faulty::{DEVICE, FaultyMic, Offer};
use undertone_tests::{has, root, speech};

/// The samples of the clip, 16-bit little-endian.
fn clip() -> Vec<u8> {
    bytes_of(&speech()).split_off(44)
}

/// What a process did to the outside, as strace saw it.
struct Trace {
    /// Files that were opened for writing.
    files: Vec<String>,
    /// Everything that was written to files, pipes and sockets.
    written: Vec<Vec<u8>>,
}

const CALLS: &str = "trace=open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,splice,sendfile";

fn traced(args: &[&str], env: &[(&str, PathBuf)], until: impl FnOnce(&mut Daemon)) -> (Run, Trace) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("trace");
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "-xx",
        "-s",
        "10000000",
        "-e",
        CALLS,
        "-o",
        log.to_str().unwrap(),
    ];
    let mut daemon = Daemon::start_under(&wrapper, args, env);
    until(&mut daemon);
    let run = daemon.finish();
    let text = std::fs::read_to_string(&log).unwrap();
    let (mut files, mut written) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let strings = quoted(line);
        if line.contains("open") || line.contains("creat(") {
            if ["O_WRONLY", "O_RDWR", "O_CREAT", "creat("]
                .iter()
                .any(|flag| line.contains(flag))
            {
                files.extend(
                    strings
                        .into_iter()
                        .map(|name| String::from_utf8_lossy(&name).into_owned()),
                );
            }
        } else {
            assert!(
                !line.contains("splice(") && !line.contains("sendfile("),
                "{line}"
            );
            written.extend(strings);
        }
    }
    (run, Trace { files, written })
}

/// The strings of a line, which `-xx` prints as `"\x41\x42"`.
fn quoted(line: &str) -> Vec<Vec<u8>> {
    let bytes = |text: &str| {
        text.split("\\x")
            .skip(1)
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect()
    };
    line.split('"').skip(1).step_by(2).map(bytes).collect()
}

/// No six samples in a row of the clip were written, neither as 16-bit integers nor as floats of full scale 1.
fn no_audio_in(trace: &Trace) {
    const RUN: usize = 6;
    let samples: Vec<i16> = clip()
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| i16::from_le_bytes(*pair))
        .collect();
    let mut secret: HashSet<Vec<u8>> = HashSet::new();
    for window in samples
        .windows(RUN)
        .filter(|window| window.iter().any(|sample| sample.unsigned_abs() > 64))
    {
        secret.insert(
            window
                .iter()
                .flat_map(|sample| sample.to_le_bytes())
                .collect(),
        );
        let float = |sample: &i16| (f32::from(*sample) / 32_768.0).to_le_bytes();
        secret.insert(window.iter().flat_map(float).collect());
    }
    assert!(secret.len() > 50_000);
    for written in &trace.written {
        for length in [2 * RUN, 4 * RUN] {
            let leak = written
                .windows(length)
                .find(|window| secret.contains(*window));
            assert_eq!(leak, None, "samples of the audio were written");
        }
    }
}

fn nothing_but_text(run: &Run, trace: &Trace) {
    assert_eq!(run.code, Some(0), "{}", run.talk);
    assert!(run.lines.len() > 3, "{:?}", run.lines);
    no_audio_in(trace);
    let harmless = |name: &&String| !matches!(name.as_str(), "/dev/null" | "/dev/tty");
    assert_eq!(
        trace.files.iter().find(harmless),
        None,
        "files were opened for writing"
    );
    // What is no text is what threads wake each other with.
    for written in trace.written.iter().filter(|written| written.len() > 8) {
        assert!(std::str::from_utf8(written).is_ok(), "{written:?}");
    }
}

#[test]
fn a_recording_is_heard_without_a_file_being_written_or_a_sample_being_sent() {
    if !has("strace", "strace") {
        return;
    }
    let source = format!("file:{}", speech().display());
    let (run, trace) = traced(
        &["--source", &source, "--fast", "--with-levels"],
        &[],
        |_| {},
    );
    nothing_but_text(&run, &trace);
    assert!(run.events().iter().any(|event| event["kind"] == "end"));
}

#[test]
fn a_microphone_is_heard_without_a_file_being_written_or_a_sample_being_sent() {
    if !has("strace", "strace") {
        return;
    }
    let mic = FaultyMic::new(&Offer::default());
    let source = format!("alsa:{DEVICE}");
    let (run, trace) = traced(
        &["--source", &source, "--with-levels"],
        &mic.env(),
        |daemon| {
            daemon.wait_for_lines("\"silence\"", 1);
            daemon.signal("TERM");
        },
    );
    nothing_but_text(&run, &trace);
}

#[test]
fn the_search_for_audio_would_find_it() {
    let mut leak = b"before ".to_vec();
    leak.extend(&clip()[40_000..40_100]);
    let trace = Trace {
        files: Vec::new(),
        written: vec![leak],
    };
    assert!(std::panic::catch_unwind(|| no_audio_in(&trace)).is_err());
}

#[test]
fn nothing_that_the_daemon_is_made_of_can_encode_audio() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args([
            "tree",
            "--package",
            "undertoned",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--locked",
        ])
        .args(["--format", "{lib}", "--quiet"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.lines().any(|name| name == "symphonia_core"), "{tree}");
    let encoders = [
        "hound",
        "wavers",
        "riff_wave",
        "flacenc",
        "flac_bound",
        "vorbis_rs",
        "opus",
        "audiopus",
        "lame",
        "mp3lame_encoder",
        "shine_rs",
        "ogg",
        "rodio",
        "gstreamer",
        "ffmpeg_next",
    ];
    for name in tree.lines() {
        assert!(!encoders.contains(&name), "{name} can encode audio");
    }
}

#[test]
fn nothing_that_holds_samples_opens_a_file_for_writing_or_a_socket() {
    let folders = ["dsp", "decode", "analysis", "events", "daemon/src/capture"];
    let ways = [
        "File::create",
        "File::options",
        "OpenOptions",
        "fs::write",
        "TcpStream",
        "UdpSocket",
        "UnixStream",
        "Command::new",
    ];
    let mut seen = 0;
    for folder in folders {
        let folder = root().join("firmware").join(folder);
        sources(
            &if folder.join("src").is_dir() {
                folder.join("src")
            } else {
                folder
            },
            &mut |path, text| {
                seen += 1;
                // Tests may write what they like.
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                for way in ways {
                    assert!(!code.contains(way), "{} uses {way}", path.display());
                }
            },
        );
    }
    assert!(seen > 40, "{seen} files");
}

fn sources(folder: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Runs with a configuration to the end of standard input.
fn configured(config: &str, args: &[&str], bytes: Vec<u8>) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("undertoned.toml");
    std::fs::write(&path, config).unwrap();
    let mut all = vec!["--config", path.to_str().unwrap(), "--source", "stdin"];
    all.extend(args);
    let run = run_fed(&all, bytes);
    assert_eq!(run.code, Some(0), "{}", run.talk);
    run
}

#[test]
fn a_purpose_without_emotions_tells_levels_and_nothing_else() {
    let source = format!("file:{}", speech().display());
    let args = [
        "--purpose",
        "acoustic-only",
        "--subjects",
        "public",
        "--source",
        &source,
        "--fast",
    ];
    let run = Daemon::start_bare(&args).finish();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let lines = run.json();
    assert!(lines.len() > 10);
    for line in &lines {
        assert_eq!(line["kind"], "level", "{line}");
    }
    let told = run.lines.concat();
    for label in [
        "neutral",
        "happy",
        "sad",
        "angry",
        "fear",
        "disgust",
        "surprise",
        "unknown",
        "confidence",
    ] {
        assert!(!told.contains(label), "{label} in {told}");
    }
    let spoken: f64 = lines
        .iter()
        .map(|line| line["speech_ratio"].as_f64().unwrap())
        .sum();
    assert!(spoken / lines.len() as f64 > 0.3, "{told}");
}

#[test]
fn an_aggregate_tells_intervals_and_no_utterance() {
    let config = "[events]\nmode = \"aggregate\"\naggregate_interval_s = 60\n";
    let run = configured(config, &[], clip().repeat(12));
    let lines = run.json();
    assert_eq!(lines.len(), 2, "{:?}", run.lines);
    for line in &lines {
        assert_eq!(line["kind"], "aggregate", "{line}");
        let counts = line["histogram"].as_object().unwrap().values();
        let sum: u64 = counts.map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(line["utterances"], sum);
        assert!(sum >= 5, "{line}");
        assert!(line.get("scores").is_none() && line.get("id").is_none());
    }
}

#[test]
fn a_channel_whose_role_is_not_analysed_leaves_no_trace() {
    let of = |samples: &[u8], speaking: usize| -> Vec<u8> {
        let frame = |sample: &[u8; 2]| {
            let mut frame = [0; 4];
            frame[2 * speaking..2 * speaking + 2].copy_from_slice(sample);
            frame
        };
        samples.as_chunks::<2>().0.iter().flat_map(frame).collect()
    };
    let config = "[deployment]\nsubjects = \"customers\"\n[source]\nroles = [\"employees\", \"customers\"]\nstdin_channels = 2\n";
    let events = |speaking| configured(config, &["--with-levels"], of(&clip(), speaking)).json();
    let (agent, caller) = (events(0), events(1));
    assert!(
        agent
            .iter()
            .all(|line| line["kind"] == "level" && line["peak_dbfs"] == -120.0),
        "{agent:?}"
    );
    let ends: Vec<&Value> = caller.iter().filter(|line| line["kind"] == "end").collect();
    assert_eq!(ends.len(), 2, "{caller:?}");
}
