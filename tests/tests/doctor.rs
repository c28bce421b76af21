//! `undertone doctor`, `devices` and `report` on real parts: a paced microphone, a real broker, a real ssh server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use undertone_tests::answer::Answer;
use undertone_tests::broker::{self, Authority, Broker};
use undertone_tests::daemon::{self, Daemon};
use undertone_tests::pulse::{DEVICE, Rig};
use undertone_tests::ssh::SshServer;
use undertone_tests::{control, speech, tool};

/// A box: a folder with its configuration, and what is in its environment.
struct Bench {
    folder: tempfile::TempDir,
    env: Vec<(&'static str, PathBuf)>,
}

impl Bench {
    fn new(configuration: &str) -> Self {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
            env: Vec::new(),
        };
        let at = bench.folder.path().display();
        bench.write(
            "slots.toml",
            &format!("root = \"{at}/slots\"\nkeys = \"{at}/keys\"\nboard = \"pc\"\n"),
        );
        bench.configure(configuration);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn configure(&self, more: &str) {
        let at = self.folder.path().display();
        self.write(
            "undertoned.toml",
            &format!(
                "[deployment]\npurpose = \"evaluation\"\n[control]\nsocket = \"{at}/control.sock\"\n{more}"
            ),
        );
    }

    /// What the box's program is told after `--`.
    fn words(&self) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        [
            "--config".to_owned(),
            path("undertoned.toml"),
            "--env-file".to_owned(),
            path("env"),
            "--slots".to_owned(),
            path("slots.toml"),
        ]
        .into()
    }

    fn run(&self, words: &[&str], on_box: &[String]) -> Answer {
        Answer::of(
            Command::new(tool())
                .args(words)
                .args(["--remote-command", &daemon::program().display().to_string()])
                .arg("--")
                .args(on_box)
                .envs(self.env.iter().map(|(name, value)| (*name, value)))
                .current_dir(self.folder.path()),
        )
    }

    /// What doctor finds, and its exit code.
    fn doctor(&self) -> (Value, Option<i32>) {
        let answer = self.run(&["doctor", "--json"], &self.words());
        let report = answer.json();
        // Whatever is wrong comes with the next command, and whatever is not does not.
        for check in report["checks"].as_array().unwrap() {
            let wrong = matches!(check["verdict"].as_str(), Some("warn" | "fail"));
            assert_eq!(check["next"].is_string(), wrong, "{check}");
            assert_eq!(check["code"] == "ok", check["verdict"] == "ok", "{check}");
        }
        (report, answer.code)
    }
}

/// The verdict and code of the first check of a name.
fn of<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str) {
    let check = check(report, name);
    (
        check["verdict"].as_str().unwrap(),
        check["code"].as_str().unwrap(),
    )
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

fn mqtt(port: u16, more: &str) -> String {
    format!(
        "[source]\nname = \"stdin\"\n[mqtt]\nhost = \"localhost\"\nport = {port}\ndevice = \"kitchen\"\n{more}"
    )
}

#[test]
fn a_microphone_is_heard_silent_or_unplugged() {
    let Some(mut rig) = Rig::start() else { return };
    let mut bench = Bench::new(&format!("[source]\nname = \"alsa:{DEVICE}\"\n"));
    bench.env = rig.env();

    let (report, code) = bench.doctor();
    assert_eq!(
        of(&report, "microphone"),
        ("fail", "mic-dead"),
        "{report:#}"
    );
    assert_eq!(code, Some(10));

    let clip = undertone_tests::long_speech(bench.folder.path(), 20);
    let mut player = rig.begin_to_play(&clip);
    let mut heard = Value::Null;
    // The recording has pauses: one look may fall into one.
    for _ in 0..6 {
        heard = bench.doctor().0;
        if of(&heard, "microphone") == ("ok", "ok") {
            break;
        }
    }
    assert_eq!(of(&heard, "microphone"), ("ok", "ok"), "{heard:#}");
    let figures = &check(&heard, "microphone")["figures"];
    let peak = figures["peak_dbfs"][0].as_f64().unwrap();
    assert!((-40.0..=0.0).contains(&peak), "{figures}");
    let _ = player.kill();
    let _ = player.wait();

    let shown = bench.run(&["devices"], &[format!("alsa:{DEVICE}")]).data;
    assert!(
        shown.starts_with("Microphones\n") && shown.contains("\nSerial ports\n"),
        "{shown}"
    );
    let entry = format!("\n  alsa:{DEVICE}\n    offers   ");
    assert!(
        shown.contains(&entry) && !shown.contains("microphones."),
        "{shown}"
    );
    let listed = bench
        .run(&["devices", "--json"], &[format!("alsa:{DEVICE}")])
        .json();
    let microphone = listed["microphones"].as_array().unwrap().last().unwrap();
    assert_eq!(microphone["blocked"], Value::Null, "{microphone:#}");
    let formats = microphone["offers"]["formats"].as_array().unwrap();
    assert!(
        formats.iter().any(|format| format == "s16"),
        "{microphone:#}"
    );

    rig.unplug();
    let (report, code) = bench.doctor();
    assert_eq!(
        of(&report, "microphone"),
        ("fail", "mic-missing"),
        "{report:#}"
    );
    assert!(
        check(&report, "microphone")["next"]
            .as_str()
            .unwrap()
            .starts_with("undertoned devices")
    );
    assert_eq!((code, &report["ok"]), (Some(10), &Value::Bool(false)));
    let listed = bench
        .run(&["devices", "--json"], &[format!("alsa:{DEVICE}")])
        .json();
    let microphone = listed["microphones"].as_array().unwrap().last().unwrap();
    assert!(microphone["blocked"].is_string(), "{microphone:#}");
}

#[test]
fn a_daemon_that_runs_is_asked_and_its_mute_is_respected() {
    let Some(rig) = Rig::start() else { return };
    let mut bench = Bench::new(&format!("[source]\nname = \"alsa:{DEVICE}\"\n"));
    bench.env = rig.env();
    let config = bench.path("undertoned.toml").display().to_string();
    let daemon = Daemon::start_with(&["--config", &config], &bench.env);
    let socket = bench.path("control.sock");
    control::wait_for_state(&socket, &["listening"]);
    let (report, _) = bench.doctor();
    // On a machine that is too busy it hears, but not as it should.
    let told = of(&report, "daemon");
    assert!(
        matches!(told, ("ok", "ok") | ("warn", "degraded")),
        "{report:#}"
    );
    control::ask(&socket, &serde_json::json!({"command": "mute"}));
    control::wait_for_state(&socket, &["muted"]);
    let (report, _) = bench.doctor();
    assert_eq!(
        of(&report, "microphone"),
        ("skipped", "muted"),
        "{report:#}"
    );
    assert_eq!(of(&report, "daemon"), ("warn", "muted"));
    // Nobody listened meanwhile.
    assert_eq!(rig.listeners(), 0);
    drop(daemon.kill());
    let (report, _) = bench.doctor();
    assert_eq!(of(&report, "daemon"), ("fail", "not-running"), "{report:#}");
}

#[test]
fn a_broker_takes_the_box_or_refuses_it_and_says_why() {
    if !broker::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c", "passwords", "box", "right"])
        .current_dir(folder.path())
        .status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "mosquitto_passwd"
    );
    let config = "allow_anonymous false\npassword_file FOLDER/passwords\n";
    let mut server = Broker::start_in(folder, config, &["-u", "box", "-P", "right"]);
    let bench = Bench::new(&mqtt(server.port(), "user = \"box\"\n"));
    // As the package's service has it: the password in a file of the environment.
    bench.write("env", "UNDERTONE_MQTT_PASSWORD=right\n");
    let seen = server.subscribe();
    let (report, _) = bench.doctor();
    assert_eq!(of(&report, "broker"), ("ok", "ok"), "{report:#}");
    assert!(check(&report, "broker")["figures"]["took_ms"].is_u64());
    // It says nothing there, neither by itself nor by its will.
    let topics: Vec<_> = seen.all().into_iter().map(|seen| seen.topic).collect();
    assert!(
        topics.iter().all(|topic| topic == "test/ready"),
        "{topics:?}"
    );

    bench.write("env", "UNDERTONE_MQTT_PASSWORD=n0t-that-one\n");
    let (report, code) = bench.doctor();
    assert_eq!(
        of(&report, "broker"),
        ("fail", "broker-refuses"),
        "{report:#}"
    );
    assert_eq!(code, Some(10));
    assert!(!report.to_string().contains("n0t-that-one"), "{report:#}");
    server.kill();
    let (report, _) = bench.doctor();
    assert_eq!(
        of(&report, "broker"),
        ("fail", "broker-unreachable"),
        "{report:#}"
    );
}

#[test]
fn a_certificate_that_ends_is_told_before_and_after() {
    if !broker::available() {
        return;
    }
    let start = |days: u32| {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "ca");
        authority.sign("ca", "server", days);
        let config = "allow_anonymous true\ncafile FOLDER/ca.pem\ncertfile FOLDER/server.pem\nkeyfile FOLDER/server.key\n";
        Broker::start_in(folder, config, &["--cafile", "FOLDER/ca.pem"])
    };
    let bench_for = |server: &Broker| {
        let ca = server.path("ca.pem");
        Bench::new(&mqtt(
            server.port(),
            &format!("[mqtt.tls]\nca = \"{}\"\n", ca.display()),
        ))
    };
    let soon = start(10);
    let (report, _) = bench_for(&soon).doctor();
    assert_eq!(of(&report, "broker"), ("ok", "ok"), "{report:#}");
    assert_eq!(of(&report, "certificate"), ("warn", "certificate-ending"));
    let days = check(&report, "certificate")["figures"]["days"]
        .as_i64()
        .unwrap();
    assert!((8..=10).contains(&days), "{days}");
    // It holds to the end of the second in which it was made.
    let over = start(0);
    let bench = bench_for(&over);
    let (mut report, mut code) = bench.doctor();
    for _ in 0..20 {
        if of(&report, "broker") != ("ok", "ok") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
        (report, code) = bench.doctor();
    }
    assert_eq!(
        of(&report, "broker"),
        ("fail", "broker-certificate"),
        "{report:#}"
    );
    let cause = check(&report, "broker")["cause"].as_str().unwrap();
    assert!(cause.contains("expired"), "{cause}");
    assert_eq!(code, Some(10));
}

#[test]
fn a_missing_model_port_or_permission_is_named() {
    let bench = Bench::new(
        "[source]\nname = \"stdin\"\n[model]\npath = \"/nowhere/x.onnx\"\n[serial]\nport = \"/dev/serial/by-id/none\"\n",
    );
    let (report, code) = bench.doctor();
    assert_eq!(
        of(&report, "model"),
        ("fail", "model-missing"),
        "{report:#}"
    );
    assert_eq!(of(&report, "serial"), ("fail", "port-missing"));
    assert_eq!(code, Some(10));

    bench.configure("[source]\nname = \"stdin\"\n");
    let (report, _) = bench.doctor();
    assert_eq!(of(&report, "model"), ("ok", "ok"), "{report:#}");
    let times = check(&report, "model")["figures"]["times_real_time"]
        .as_f64()
        .unwrap();
    assert!(times > 1.0, "{times}");
    assert_eq!(of(&report, "configuration"), ("ok", "ok"));

    // A password that everybody can read.
    bench.configure("[source]\nname = \"stdin\"\n[mqtt]\nhost = \"127.0.0.1\"\nport = 9\nuser = \"u\"\npassword = \"open-secret\"\n");
    let mode = |mode| {
        let file = bench.path("undertoned.toml");
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    let (report, _) = bench.doctor();
    let permissions = report["checks"].as_array().unwrap().iter();
    let exposed = permissions
        .filter(|check| check["code"] == "secret-exposed")
        .count();
    assert_eq!(exposed, 1, "{report:#}");
    assert!(!report.to_string().contains("open-secret"));

    bench.write(
        "undertoned.toml",
        "[mqtt]\npassword = \"open-secret\" oops\n",
    );
    let (report, _) = bench.doctor();
    assert_eq!(
        of(&report, "configuration"),
        ("fail", "configuration-invalid"),
        "{report:#}"
    );
    assert!(!report.to_string().contains("open-secret"), "{report:#}");
    assert_eq!(of(&report, "microphone"), ("skipped", "no-configuration"));
    bench.write("undertoned.toml", "");
    assert_eq!(
        of(&bench.doctor().0, "configuration"),
        ("fail", "deployment")
    );
    fs::remove_file(bench.path("undertoned.toml")).unwrap();
    assert_eq!(
        of(&bench.doctor().0, "configuration"),
        ("fail", "configuration-unreadable")
    );
}

#[test]
fn a_configuration_that_this_user_may_not_read_is_told_with_who_may() {
    let output = Command::new("id").arg("-u").output().unwrap().stdout;
    if String::from_utf8_lossy(&output).trim() != "0"
        || !undertone_tests::has("setpriv", "util-linux")
    {
        return;
    }
    let bench = Bench::new("");
    let folder = bench.folder.path();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(
        bench.path("undertoned.toml"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    // The program may lie where only root looks; a copy does not.
    let program = bench.path("undertoned");
    fs::copy(daemon::program(), &program).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["doctor", "--json"])
        .args(bench.words())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        of(&report, "configuration"),
        ("fail", "configuration-denied"),
        "{report:#}"
    );
    assert_eq!(output.status.code(), Some(10));
}

#[test]
fn a_report_holds_what_support_needs_and_no_secret_and_no_sound() {
    let bench = Bench::new(&mqtt(
        9,
        "user = \"u\"\npassword = \"hunter2hunter2\"\npin = \"pin-884411\"\n",
    ));
    bench.write(
        "env",
        "UNDERTONE_MQTT_TOKEN='env-secret-1'\nWIFI_PSK='a \"b\\c% d'\n",
    );
    // The password of the service's environment as others may write it down.
    let json = serde_json::json!({"psk": 1, "said": "it is a \"b\\c% d", "at": "mqtt://u:a%20%22b%5Cc%25%20d@h"});
    let log = [
        "mqtt: hunter2hunter2 pin-884411 env-secret-1",
        "Authorization: Basic dTphICJiXGMlIGQ=",
        "basic dTphICJiXGMlIGQ=",
        "root:$6$saltsalt$0123456789abcdefABCDEF./0123456789:1",
        &json.to_string(),
        "password_file = \"/etc/undertone/password\"",
        "the purpose is fine\n",
    ];
    bench.write("daemon.log", &log.join("\n"));
    fs::copy(speech(), bench.path("speech.log")).unwrap();
    let mut words = bench.words();
    for log in ["daemon.log", "speech.log"] {
        words.extend(["--log".to_owned(), bench.path(log).display().to_string()]);
    }
    let answer = bench.run(&["report", "--json", "-o", "report.zip"], &words);
    assert_eq!(answer.code, Some(0), "{}", answer.talk);
    let told = answer.json();
    assert!(
        told["left_out"].to_string().contains("speech.log"),
        "{told:#}"
    );
    let texts = unpacked(&bench.path("report.zip"));
    for secret in [
        "hunter2hunter2",
        "pin-884411",
        "env-secret-1",
        "RIFF",
        "a \"b\\c% d",
        "a \\\"b\\\\c% d",
        "a%20%22b",
        "dTphICJi",
        "saltsalt",
    ] {
        for (name, text) in &texts {
            assert!(!text.contains(secret), "{secret} in {name}: {text}");
        }
    }
    let text = |name: &str| {
        let found = texts.iter().find(|(file, _)| file == name);
        &found.unwrap_or_else(|| panic!("no {name} in {told:#}")).1
    };
    let log = text("logs/daemon.log");
    assert!(log.ends_with("\npassword_file = \"/etc/undertone/password\"\nthe purpose is fine\n"));
    let object = log.lines().find(|line| line.starts_with('{')).unwrap();
    let object: Value = serde_json::from_str(object).unwrap();
    assert_eq!(object["said"], "it is (redacted)");
    for (name, text) in &texts {
        if name.ends_with(".toml") {
            toml::from_str::<toml::Table>(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        } else if name.ends_with(".json") {
            serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        }
    }
    assert!(text("configuration/undertoned.toml").contains("device = \"kitchen\""));
    assert!(text("doctor.txt").contains("configuration"));
    let versions: Value = serde_json::from_str(text("versions.json")).unwrap();
    assert_eq!(versions["board"], "pc", "{versions:#}");
    let again = bench.run(&["report", "-o", "report.zip"], &words);
    assert_eq!(again.code, Some(1));
    assert!(again.talk.contains("error[exists]"), "{}", again.talk);
}

/// Names and texts of what is in a zip.
fn unpacked(path: &Path) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[test]
fn a_box_is_looked_at_over_ssh() {
    let Some(server) = SshServer::start() else {
        return;
    };
    let bench = Bench::new("[source]\nname = \"stdin\"\n");
    let config = server.client_config().display().to_string();
    let ssh = ["--non-interactive", "--ssh-config", &config];
    let answer = bench.run(
        &[&["doctor", "box", "--json"][..], &ssh].concat(),
        &bench.words(),
    );
    let report = answer.json();
    assert_eq!(of(&report, "model"), ("ok", "ok"), "{report:#}");
    assert!(matches!(answer.code, Some(9 | 10)), "no daemon runs there");
    let answer = bench.run(&[&["doctor", "box"][..], &ssh].concat(), &bench.words());
    assert!(answer.data.contains("next: "), "{}", answer.data);
    let packed = [&["report", "box", "--json", "-o", "box.zip"][..], &ssh].concat();
    let answer = bench.run(&packed, &bench.words());
    assert_eq!(answer.code, Some(0), "{}", answer.talk);
    assert!(unpacked(&bench.path("box.zip")).len() > 5);

    // A box without the program, and one that is not there.
    let none = Command::new(tool())
        .args(["doctor", "box", "--remote-command", "no-such-program"])
        .args(ssh)
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&none.stderr);
    assert!(
        talk.contains("error[no-undertoned]") && talk.contains("next: "),
        "{talk}"
    );
    assert_eq!(none.status.code(), Some(1));
    // Its folder goes with the server, and a missing one would be told first.
    let kept = bench.path("ssh_config").display().to_string();
    std::fs::copy(&config, &kept).unwrap();
    drop(server);
    let ssh = ["--non-interactive", "--ssh-config", &kept];
    let gone = bench.run(&[&["devices", "box"][..], &ssh].concat(), &[]);
    assert!(gone.talk.contains("error[unreachable]"), "{}", gone.talk);
}

#[test]
fn whether_the_clock_is_kept_is_what_the_kernel_says() {
    if !undertone_tests::has("cc", "gcc") {
        return;
    }
    // A machine's clock cannot be set free for a test: the call to the kernel is answered in its place.
    let bench = Bench::new("[source]\nname = \"stdin\"\n");
    bench.write(
        "kernel.c",
        "#include <stdlib.h>\n#include <sys/timex.h>\n\
         int adjtimex(struct timex *t) { t->status = atoi(getenv(\"CLOCK_STATUS\")); return 0; }\n",
    );
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "kernel.so", "kernel.c"])
        .current_dir(bench.folder.path())
        .status();
    assert!(built.unwrap().success());
    let clock = |status: &str| {
        let output = Command::new(daemon::program())
            .args(["doctor", "--json"])
            .args(bench.words())
            .env("LD_PRELOAD", bench.path("kernel.so"))
            .env("CLOCK_STATUS", status)
            // Neither chrony nor ntpd is asked.
            .env("PATH", "/nowhere")
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        check(&report, "clock").clone()
    };
    // STA_PLL alone, and with STA_UNSYNC (adjtimex(2)).
    let kept = clock("1");
    assert_eq!(kept["verdict"], "ok", "{kept}");
    let free = clock("65");
    assert_eq!(free["code"], "clock-unsynchronised", "{free}");
}
