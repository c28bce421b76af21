//! `undertone monitor` beside a real daemon: through a broker, a serial line and the control socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use undertone_tests::broker::Broker;
use undertone_tests::daemon::{Daemon, bytes_of};
use undertone_tests::{broker, control, serial, tool};

/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two sentences and a second of silence, as headerless samples.
fn sentences() -> Vec<u8> {
    let mut samples = bytes_of(&undertone_tests::speech()).split_off(44);
    samples.extend([0; 32_000]);
    samples
}

/// A daemon that reads samples from its standard input.
fn daemon(env: &[(&str, PathBuf)]) -> Daemon {
    let mut daemon = Daemon::start(&["--source", "stdin"], env);
    // It listens once its first samples have come.
    daemon.feed(&[0; 3200]);
    daemon
}

/// The monitor, and what it has printed.
struct Monitor {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<Value>,
}

impl Monitor {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(tool())
            .arg("monitor")
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .all(|line| sender.send(line).is_ok())
        });
        Monitor {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits until a message satisfies a condition.
    fn wait(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.seen.iter().find(|line| holds(line)) {
                return found.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|error| panic!("{what} ({error}): {:?}", self.seen));
            assert!(
                !line.contains(|letter: char| letter.is_control()),
                "{line:?}"
            );
            self.seen.push(serde_json::from_str(&line).unwrap());
        }
    }

    fn wait_for(&mut self, topic: &str, field: &str, value: &str) -> Value {
        self.wait(&format!("{topic} with {field} {value}"), |line| {
            line["topic"] == topic && line["message"][field] == value
        })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mqtt(broker: &Broker, device: &str) -> Daemon {
    daemon(&[
        ("UNDERTONE_MQTT_HOST", "localhost".into()),
        ("UNDERTONE_MQTT_PORT", broker.port().to_string().into()),
        ("UNDERTONE_MQTT_DEVICE", device.into()),
    ])
}

#[test]
fn boxes_at_a_broker_are_told_with_their_presence_and_hostile_text_is_escaped() {
    if !broker::available() {
        return;
    }
    let broker = Broker::open();
    let mut kitchen = mqtt(&broker, "kitchen");
    let porch = mqtt(&broker, "porch");
    let url = format!("mqtt://localhost:{}", broker.port());
    let mut monitor = Monitor::start(&["--broker", &url]);
    for device in ["kitchen", "porch"] {
        monitor.wait("online", |line| {
            line["device"] == device
                && line["topic"] == "availability"
                && line["message"] == "online"
        });
    }
    kitchen.feed(&sentences());
    let end = monitor.wait_for("event", "kind", "end");
    assert_eq!(end["device"], "kitchen");
    assert!(end["message"]["scores"].is_object());
    monitor.wait_for("state", "state", "listening");
    broker.publish(
        "undertone/v1/evil/state",
        "{\"state\":\"\\u001b[2J\u{85}\u{202e}\"}",
        false,
    );
    broker.publish("undertone/v1/liar/state", "no JSON", false);
    let evil = monitor.wait("the hostile box", |line| {
        line["message"]["state"] == "\u{1b}[2J\u{85}\u{202e}"
    });
    assert_eq!(evil["topic"], "state");
    drop(porch);
    monitor.wait("the last will", |line| {
        line["device"] == "porch" && line["message"] == "offline"
    });
    assert!(monitor.seen.iter().all(|line| line["device"] != "liar"));
}

#[test]
fn a_broker_that_comes_back_is_connected_to_again_and_one_that_never_was_is_an_error() {
    if !broker::available() {
        return;
    }
    let mut broker = Broker::open();
    let url = format!("mqtt://localhost:{}", broker.port());
    let mut monitor = Monitor::start(&["--broker", &url, "--device", "shed"]);
    let publish = |broker: &Broker, state: &str| {
        broker.publish(
            "undertone/v1/shed/state",
            &format!("{{\"state\":\"{state}\"}}"),
            true,
        );
        broker.publish("undertone/v1/other/state", "{\"state\":\"x\"}", true);
    };
    publish(&broker, "listening");
    monitor.wait_for("state", "state", "listening");
    broker.kill();
    let refused = Command::new(tool())
        .args(["monitor", "--broker", &url])
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    assert!(
        talk.contains("error[broker-network]: ") && talk.contains("\nnext: "),
        "{talk}"
    );
    broker.run();
    publish(&broker, "muted");
    monitor.wait_for("state", "state", "muted");
    assert!(monitor.seen.iter().all(|line| line["device"] == "shed"));
}

#[test]
fn a_serial_line_tells_the_same_words() {
    if !serial::available() {
        return;
    }
    let line = serial::Line::new();
    // The far end is the other name of the same line.
    let far = line.port().with_file_name("far");
    let mut monitor = Monitor::start(&["--serial", far.to_str().unwrap()]);
    let mut daemon = daemon(&[
        ("UNDERTONE_SERIAL_PORT", line.port()),
        ("UNDERTONE_SERIAL_HELLO_INTERVAL_MS", "1000".into()),
        ("UNDERTONE_HEALTH_INTERVAL_MS", "500".into()),
    ]);
    let info = monitor.wait("the labels", |line| {
        line["topic"] == "info" && line["message"]["labels"][0] == "neutral"
    });
    assert_eq!(info["message"]["product"], "undertone");
    monitor.wait_for("state", "state", "listening");
    monitor.wait("health", |line| line["topic"] == "health");
    daemon.feed(&sentences());
    let end = monitor.wait_for("event", "kind", "end");
    let label = end["message"]["label"].as_str().unwrap().to_owned();
    let known = info["message"]["labels"].as_array().unwrap();
    assert!(
        label == "unknown" || known.iter().any(|known| *known == label),
        "{label}"
    );
}

#[test]
fn the_control_socket_tells_levels_too_and_its_absence_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let path = socket.to_str().unwrap();
    let refused = Command::new(tool())
        .args(["monitor", "--socket", path])
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&refused.stderr);
    assert!(
        talk.contains("error[monitor-socket]: ") && talk.contains("\nnext: start undertoned"),
        "{talk}"
    );
    let mut daemon = daemon(&[
        ("UNDERTONE_CONTROL_SOCKET", socket.clone()),
        ("UNDERTONE_HEALTH_INTERVAL_MS", "500".into()),
    ]);
    drop(control::connect(&socket));
    let mut monitor = Monitor::start(&["--socket", path]);
    monitor.wait("info", |line| line["topic"] == "info");
    daemon.feed(&sentences());
    monitor.wait_for("event", "kind", "end");
    let level = monitor.wait("a level", |line| line["topic"] == "levels");
    assert!(level["message"]["rms_dbfs"].is_number());
    let health = monitor.wait("health", |line| line["topic"] == "health");
    assert!(health["message"]["xruns"].is_number());
}

#[test]
fn the_dashboard_draws_on_a_terminal_and_leaves_it_as_it_was() {
    if !undertone_tests::has("script", "bsdutils") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let _daemon = daemon(&[("UNDERTONE_CONTROL_SOCKET", socket.clone())]);
    drop(control::connect(&socket));
    // `script` gives it a terminal; its own input says q after a while.
    let command = format!(
        "stty rows 30 cols 100; {} monitor --socket {}; echo code $?; stty -a | grep -o ' icanon'",
        tool().display(),
        socket.display()
    );
    let mut script = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = script.stdin.take().unwrap();
    let output = script.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut output, mut all, mut bytes) = (output, Vec::new(), [0; 4096]);
        let mut asked = false;
        while let Ok(count @ 1..) = output.read(&mut bytes) {
            all.extend(&bytes[..count]);
            if !asked && String::from_utf8_lossy(&all).contains("history") {
                asked = true;
                let _ = std::io::Write::write_all(&mut keys, b"q");
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    });
    let until = Instant::now() + PATIENCE;
    while script.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            let _ = script.kill();
            panic!("the dashboard does not end: {:?}", reader.join().unwrap());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let text = reader.join().unwrap();
    for part in [
        "undertone monitor",
        "connected",
        "health",
        "code 0",
        " icanon",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}
