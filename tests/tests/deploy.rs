//! From a bundle to a running new slot and back: the real tool, over a real ssh server, to the real daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use undertone_tests::answer::Answer;
use undertone_tests::ssh::SshServer;
use undertone_tests::{daemon, tool};

/// A box: settings of its slots, and two scripts that stand for the service manager.
struct Bench {
    folder: tempfile::TempDir,
    server: SshServer,
}

impl Bench {
    fn new() -> Option<Self> {
        let server = SshServer::start()?;
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench { folder, server };
        fs::create_dir(bench.path("keys")).unwrap();
        let made = bench.tool(&["bundle", "key", "--output", "site"]);
        assert_eq!(made.code, Some(0), "{}", made.talk);
        fs::rename(bench.path("site.pub"), bench.path("keys/site.pub")).unwrap();
        bench.settings(60);
        // What systemd does with the unit: count the start, then become the daemon of the current slot.
        let at = bench.folder.path().display().to_string();
        let program = daemon::program().display().to_string();
        bench.script(
            "restart",
            &format!(
                "cd {at}\n[ -f pid ] && kill $(cat pid) 2>/dev/null\n\
                 # New ones: a daemon that is still ending must not take the sound, nor speak for its successor.\n\
                 rm -f in talk\nmkfifo in\nexec 3<>in\n{program} slot start --settings {at}/slots.toml\n\
                 {program} slot exec --settings {at}/slots.toml -- --source stdin <&3 > events 2> talk &\n\
                 echo $! > pid\nhead -c 32000 /dev/zero >&3\n"
            ),
        );
        bench.script(
            "health",
            &format!("cd {at}\nkill -0 $(cat pid) 2>/dev/null && grep -q listening talk\n"),
        );
        fs::write(
            bench.path("good.toml"),
            "[deployment]\npurpose = \"evaluation\"\n",
        )
        .unwrap();
        // Only the box can tell that this password is not there.
        fs::write(
            bench.path("bad.toml"),
            "[deployment]\npurpose = \"evaluation\"\n[mqtt]\nhost = \"127.0.0.1\"\nuser = \"box\"\npassword_file = \"/nowhere/password\"\n",
        )
        .unwrap();
        Some(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self, deadline_s: u32) {
        let at = self.folder.path().display();
        let text = format!(
            "root = \"{at}/slots\"\nkeys = \"{at}/keys\"\nboard = \"pc\"\nrestart = [\"{at}/restart\"]\n\
             health = [\"{at}/health\"]\nhold_s = 1\ndeadline_s = {deadline_s}\n"
        );
        fs::write(self.path("slots.toml"), text).unwrap();
    }

    fn script(&self, name: &str, body: &str) {
        fs::write(self.path(name), format!("#!/bin/sh\n{body}")).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn tool(&self, words: &[&str]) -> Answer {
        Answer::of(
            Command::new(tool())
                .args(words)
                .current_dir(self.folder.path()),
        )
    }

    fn remote(&self, words: &[&str]) -> Answer {
        let config = self.server.client_config().display().to_string();
        let command = format!(
            "env UNDERTONE_SLOTS={} {}",
            self.path("slots.toml").display(),
            daemon::program().display()
        );
        let how = [
            "--json",
            "--non-interactive",
            "--ssh-config",
            &config,
            "--remote-command",
            &command,
        ];
        self.tool(&[words, &how].concat())
    }

    /// A bundle of the real daemon with one of the configurations.
    fn bundle(&self, version: &str, configuration: &str, more: &[&str]) -> String {
        let name = format!("{version}-{configuration}.utb");
        let program = daemon::program().display().to_string();
        let configuration = format!("{configuration}.toml");
        let words = [
            "bundle",
            "create",
            "--daemon",
            &program,
            "--configuration",
            &configuration,
            "--bundle-version",
            version,
            "--board",
            "pc",
            "--output",
            &name,
        ];
        let made = self.tool(&[&words[..], more].concat());
        assert_eq!(made.code, Some(0), "{}", made.talk);
        name
    }

    fn status(&self) -> Value {
        self.remote(&["status", "box"]).report()
    }

    /// The program that runs as the daemon.
    fn runs(&self) -> PathBuf {
        let pid = fs::read_to_string(self.path("pid")).unwrap();
        let exe = PathBuf::from(format!("/proc/{}/exe", pid.trim()));
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let found = fs::read_link(&exe).unwrap_or_default();
            let talk = fs::read_to_string(self.path("talk")).unwrap_or_default();
            if talk.contains("listening") {
                return found;
            }
            assert!(Instant::now() < until, "no daemon runs: {talk}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn slot(&self, name: &str) -> PathBuf {
        let slots = self.path("slots").join(name).join("undertoned");
        slots.canonicalize().unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Ok(pid) = fs::read_to_string(self.path("pid")) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 100]).unwrap();
}

#[test]
fn a_box_takes_a_good_version_refuses_bad_ones_and_goes_back() {
    let Some(bench) = Bench::new() else { return };
    let deploy =
        |bundle: &str, more: &[&str]| bench.remote(&[&["deploy", "box", bundle], more].concat());
    let signed = ["--key", "site.key"];

    // Nothing that is not signed by a key of the box, for its board, and whole.
    deploy(&bench.bundle("0.1.0", "good", &[]), &[]).refused("unsigned");
    let made = bench.tool(&["bundle", "key", "--output", "foreign"]);
    assert_eq!(made.code, Some(0));
    let foreign = bench.bundle("0.2.0", "good", &["--key", "foreign.key"]);
    deploy(&foreign, &[]).refused("foreign-key");
    let short = bench.bundle("0.3.0", "good", &signed);
    cut(&bench.path(&short));
    deploy(&short, &[]).refused("truncated");
    assert_eq!(bench.status()["current"], Value::Null);

    // A dry run is checked by the box, and changes nothing.
    let first = bench.bundle("1.0.0", "good", &signed);
    assert_eq!(deploy(&first, &["--dry-run"]).report()["dry_run"], true);
    assert_eq!(bench.status()["current"], Value::Null);

    let report = deploy(&first, &[]).report();
    assert_eq!(
        (&report["trial"], &report["version"]),
        (&"committed".into(), &"1.0.0".into())
    );
    assert_eq!(bench.runs(), bench.slot("a"));

    // A version whose daemon does not start is not well, and the old one runs again.
    bench.settings(5);
    let bad = deploy(&bench.bundle("1.1.0", "bad", &signed), &[]);
    bad.refused("not-well");
    assert_eq!(bench.runs(), bench.slot("a"));
    let status = bench.status();
    assert_eq!(status["current"], "a");
    assert_eq!(status["last"]["ending"], "rolled-back");

    bench.settings(60);
    let newer = bench.bundle(
        "1.2.0",
        "good",
        &["--key", "site.key", "--minimum-version", "1.0.0"],
    );
    deploy(&newer, &[]).report();
    assert_eq!(bench.runs(), bench.slot("b"));
    deploy(&bench.bundle("0.9.0", "good", &signed), &[]).refused("too-old");

    assert_eq!(bench.remote(&["rollback", "box"]).report()["current"], "a");
    assert_eq!(bench.runs(), bench.slot("a"));
    bench.remote(&["rollback", "box"]).refused("nothing-before");
    bench.remote(&["rollback", "box", "--packaged"]).report();
    assert_eq!(bench.status()["current"], Value::Null);
}

#[test]
fn a_box_that_cannot_be_reached_or_lacks_the_daemon_is_told_apart() {
    let Some(bench) = Bench::new() else { return };
    let config = bench.server.client_config().display().to_string();
    let status = |more: &[&str]| {
        let words = [
            "status",
            "box",
            "--non-interactive",
            "--ssh-config",
            &config,
        ];
        bench.tool(&[&words[..], more].concat())
    };
    status(&["--port", "1", "--remote-command", "true"]).refused("unreachable");
    status(&["--remote-command", "/nowhere/undertoned"]).refused("no-undertoned");
    bench
        .tool(&[
            "status",
            "--non-interactive",
            "--",
            "-oProxyCommand=touch pwned",
        ])
        .refused("bad-target");
    assert!(!bench.path("pwned").exists());
}

#[test]
fn a_bundle_from_a_usb_stick_needs_no_network() {
    let Some(bench) = Bench::new() else { return };
    let bundle = bench.bundle("1.0.0", "good", &["--key", "site.key"]);
    let slot = |words: &[&str]| {
        let output = Command::new(daemon::program())
            .arg("slot")
            .args(words)
            .env("UNDERTONE_SLOTS", bench.path("slots.toml"))
            .current_dir(bench.folder.path())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    assert_eq!(slot(&["install", &bundle]).0, Some(0));
    assert_eq!(bench.runs(), bench.slot("a"));
    bench.settings(5);
    let (code, talk) = slot(&[
        "install",
        &bench.bundle("1.1.0", "bad", &["--key", "site.key"]),
    ]);
    assert_eq!(code, Some(8), "{talk}");
    assert!(
        talk.contains("error[not-well]") && talk.contains("next: "),
        "{talk}"
    );
    assert_eq!(bench.runs(), bench.slot("a"));
    fs::write(bench.path("x.utb"), "something else").unwrap();
    let (code, talk) = slot(&["install", "x.utb"]);
    assert_eq!(code, Some(7));
    assert!(talk.contains("error[not-a-bundle]"), "{talk}");
}
