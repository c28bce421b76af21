//! The daemon as a service: what systemd is told, the watchdog, the metrics, the unit file, and being killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use undertone_tests::broker::{self, Broker};
use undertone_tests::control::{self, wait_for_state};
use undertone_tests::daemon::{Daemon, bytes_of, program};
use undertone_tests::{long_speech, root, speech};

const PATIENCE: Duration = Duration::from_secs(60);
const HEARS: [&str; 2] = ["listening", "speech"];

/// The other end of what systemd is told.
struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
    told: Vec<String>,
}

impl Systemd {
    fn new(folder: &Path) -> Self {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        Systemd {
            socket,
            path,
            told: Vec::new(),
        }
    }

    fn env(&self, watchdog: Duration) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("NOTIFY_SOCKET", self.path.clone()),
            ("WATCHDOG_USEC", watchdog.as_micros().to_string().into()),
        ]
    }

    fn listen(&mut self) {
        let mut buffer = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            self.told.extend(text.lines().map(str::to_owned));
        }
    }

    fn count(&mut self, line: &str) -> usize {
        self.listen();
        self.told.iter().filter(|told| *told == line).count()
    }

    fn wait_for(&mut self, line: &str, times: usize) {
        let until = Instant::now() + PATIENCE;
        while self.count(line) < times {
            assert!(Instant::now() < until, "no {line}: {:?}", self.told);
        }
    }
}

#[test]
fn systemd_is_told_when_the_daemon_is_ready_alive_reloading_and_ending() {
    let folder = tempfile::tempdir().unwrap();
    let mut systemd = Systemd::new(folder.path());
    let recording = format!("file:{}", long_speech(folder.path(), 10).display());
    let args = ["--purpose", "evaluation", "--source", &recording];
    let daemon = Daemon::start_with(&args, &systemd.env(Duration::from_millis(600)));
    systemd.wait_for("READY=1", 1);
    systemd.wait_for("WATCHDOG=1", 5);
    daemon.signal("HUP");
    systemd.wait_for("RELOADING=1", 1);
    systemd.wait_for("READY=1", 2);
    daemon.signal("TERM");
    systemd.wait_for("STOPPING=1", 1);
    assert_eq!(daemon.wait().code, Some(0));
    systemd.listen();
    let status = |told: &String| told.starts_with("STATUS=listening");
    assert!(systemd.told.iter().any(status), "{:?}", systemd.told);
}

#[test]
fn without_a_microphone_the_daemon_is_alive_and_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let mut systemd = Systemd::new(folder.path());
    let config = folder.path().join("undertoned.toml");
    let text =
        "[deployment]\npurpose = \"evaluation\"\n[source]\nname = \"alsa:hw:CARD=Nowhere\"\n";
    std::fs::write(&config, text).unwrap();
    let args = ["--config", config.to_str().unwrap()];
    let daemon = Daemon::start_with(&args, &systemd.env(Duration::from_millis(600)));
    systemd.wait_for("WATCHDOG=1", 8);
    let gone = |told: &String| told.starts_with("STATUS=mic-lost: alsa:hw:CARD=Nowhere");
    assert!(systemd.told.iter().any(gone), "{:?}", systemd.told);
    assert_eq!(systemd.count("READY=1"), 0);
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code, Some(0));
}

#[test]
fn the_watchdog_starves_when_a_stage_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let mut systemd = Systemd::new(folder.path());
    let recording = format!("file:{}", long_speech(folder.path(), 100).display());
    let config = folder.path().join("undertoned.toml");
    std::fs::write(&config, "[output]\nlevels = true\nlevel_interval_ms = 20\n").unwrap();
    // Nobody reads standard output: of a recording nothing may be lost, so the analysis waits forever.
    let mut child = Command::new(program())
        .args(["--purpose", "evaluation", "--fast", "--source", &recording])
        .args(["--config", config.to_str().unwrap()])
        .envs(systemd.env(Duration::from_secs(6)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    systemd.wait_for("READY=1", 1);
    let degraded = "STATUS=degraded: a stage makes no progress";
    systemd.wait_for(degraded, 1);
    let fed = systemd.count("WATCHDOG=1");
    std::thread::sleep(Duration::from_secs(5));
    let later = systemd.count("WATCHDOG=1");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fed, later, "{:?}", systemd.told);
}

fn scrape(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn metrics_say_what_was_heard_and_how_the_box_is() {
    let folder = tempfile::tempdir().unwrap();
    let recording = format!("file:{}", long_speech(folder.path(), 10).display());
    let env = [("UNDERTONE_METRICS_LISTEN", "127.0.0.1:0".into())];
    let args = ["--purpose", "evaluation", "--source", &recording];
    let mut daemon = Daemon::start_with(&args, &env);
    daemon.wait_for_talk("metrics at http://");
    let talk = daemon.talk();
    let (_, rest) = talk.split_once("metrics at http://").unwrap();
    let address = rest.split('/').next().unwrap();
    daemon.wait_for_lines("\"end\"", 1);
    let page = scrape(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(page.starts_with("HTTP/1.0 200"), "{page}");
    let value = |name: &str| -> f64 {
        let line = page.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("{name} is not in {page}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value("undertone_heard_milliseconds_total") > 1000.0);
    assert!(value("undertone_utterances_total") >= 1.0);
    assert!(value("undertone_inferences_total") >= 1.0);
    assert!(value("undertone_inference_seconds{quantile=\"0.99\"}") > 0.0);
    assert!(value("undertone_resident_bytes") > 1e6);
    assert_eq!(value("undertone_gaps_total"), 0.0);
    let states = page
        .lines()
        .filter(|line| line.starts_with("undertone_state{"));
    assert_eq!(states.filter(|line| line.ends_with(" 1")).count(), 1);
    assert!(scrape(address, "GET /etc/passwd HTTP/1.0\r\n\r\n").contains("404"));
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code, Some(0));
}

#[test]
fn a_daemon_that_was_killed_at_any_moment_starts_again_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let recording = format!("file:{}", long_speech(folder.path(), 10).display());
    let args = [
        "--purpose",
        "evaluation",
        "--source",
        &recording,
        "--control-socket",
        socket.to_str().unwrap(),
    ];
    // Also before the socket is there, and while the first utterance is heard.
    for wait in [0, 3, 9, 20, 40, 80, 150, 300, 900, 2000] {
        let daemon = Daemon::start_with(&args, &[]);
        std::thread::sleep(Duration::from_millis(wait));
        let lines = daemon.kill();
        // Every line but one that was being written is whole.
        let whole = lines.len().saturating_sub(1);
        for line in &lines[..whole] {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(value["seq"].is_u64(), "{line}");
        }
    }
    let daemon = Daemon::start_with(&args, &[]);
    wait_for_state(&socket, &HEARS);
    daemon.signal("TERM");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "long.wav")
        .collect();
    assert!(left.len() <= 1, "{left:?} is left behind");
}

#[test]
fn the_unit_is_locked_down() {
    let installed = Command::new("systemd-analyze").arg("--version").output();
    if installed.is_err() {
        let required = std::env::var_os("UNDERTONE_REQUIRE_RIG").is_some();
        assert!(
            !required,
            "systemd-analyze is not installed: apt-get install systemd"
        );
        eprintln!("skipped: systemd-analyze is not installed");
        return;
    }
    let unit = root().join("firmware/daemon/systemd/undertoned.service");
    // The threshold is ten times the exposure.
    let analysed = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
        .arg(&unit)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&analysed.stdout);
    assert!(analysed.status.success(), "{text}");
    assert!(text.contains("Overall exposure level"), "{text}");
}

#[test]
fn a_pipe_that_pauses_is_stalled_and_takes_commands_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let env = [("UNDERTONE_CONTROL_SOCKET", socket.clone())];
    for header in [true, false] {
        let mut daemon = Daemon::start(&["--source", "stdin"], &env);
        let sound = bytes_of(&speech());
        let sound = &sound[if header { 0 } else { 44 }..];
        let (first, rest) = sound.split_at(16_000);
        daemon.feed(first);
        wait_for_state(&socket, &["stalled"]);
        // Well before the daemon would give up waiting for a device.
        let asked = Instant::now();
        let command = |name: &str| {
            let answer = control::ask(&socket, &serde_json::json!({"command": name}));
            answer["outcome"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!(command("mute"), "muted");
        wait_for_state(&socket, &["muted"]);
        assert_eq!(command("unmute"), "unmuted");
        assert!(asked.elapsed() < Duration::from_secs(6), "{asked:?}");
        wait_for_state(&socket, &["starting", "stalled"]);
        daemon.feed(rest);
        daemon.wait_for_lines("\"end\"", 1);
        let run = daemon.finish();
        assert_eq!(run.code, Some(0), "{}", run.talk);
    }
}

#[test]
fn a_pipe_that_is_silent_keeps_nothing_waiting_and_nobody_is_told_that_it_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let mut systemd = Systemd::new(folder.path());
    let socket = folder.path().join("control.sock");
    let broker = broker::available().then(Broker::open);
    let subscriber = broker.as_ref().map(Broker::subscribe);
    let mut env = systemd.env(Duration::from_millis(600));
    env.push(("UNDERTONE_CONTROL_SOCKET", socket.clone()));
    if let Some(broker) = &broker {
        env.push(("UNDERTONE_MQTT_HOST", "localhost".into()));
        env.push(("UNDERTONE_MQTT_PORT", broker.port().to_string().into()));
        env.push(("UNDERTONE_MQTT_DEVICE", "silent".into()));
    }
    let mut daemon = Daemon::start(&["--source", "stdin"], &env);
    systemd.wait_for("READY=1", 1);
    let status = wait_for_state(&socket, &["starting"]);
    assert_eq!(status["signal"], "none", "{status}");
    if let Some(subscriber) = &subscriber {
        subscriber.wait("silent/availability", "online", |seen| {
            seen.last().is_some_and(|seen| seen.payload == "online")
        });
        let state = subscriber.wait("silent/state", "a state", |seen| !seen.is_empty());
        let state = state.last().unwrap().json();
        assert_eq!(
            (&state["state"], &state["signal"]),
            (&"starting".into(), &"none".into())
        );
    }
    let command = |name: &str| control::ask(&socket, &serde_json::json!({"command": name}));
    let muted = command("mute");
    assert_eq!(muted["outcome"], "muted", "{muted}");
    wait_for_state(&socket, &["muted"]);
    let unmuted = command("unmute");
    assert_eq!(unmuted["outcome"], "unmuted", "{unmuted}");
    wait_for_state(&socket, &["starting"]);
    // The watchdog is fed meanwhile.
    systemd.wait_for("WATCHDOG=1", 3);

    // Without the header, which would say where the sound ends.
    daemon.feed(&bytes_of(&speech())[44..]);
    daemon.wait_for_lines("\"end\"", 1);
    // Nothing more comes, and on a machine that is busy that has been so for a while.
    wait_for_state(&socket, &["listening", "speech", "stalled"]);
    assert_eq!(systemd.count("READY=1"), 1);
    let run = daemon.finish();
    assert_eq!(run.code, Some(0), "{}", run.talk);

    let waiting = Daemon::start(&["--source", "stdin"], &[]);
    waiting.wait_for_talk("nothing has come on standard input yet");
    waiting.signal("TERM");
    let run = waiting.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    assert!(run.lines.is_empty(), "{:?}", run.lines);
}
