//! `undertoned slot` on a box, without a network: what it leaves alone, and what it does when a version or a setting is bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use undertone_tests::{daemon, tool};

/// A box with a key, a bundle that it would take, and settings.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        let bench = Bench { folder };
        bench.tool("bundle key --output site");
        fs::rename(bench.path("site.pub"), bench.path("keys/site.pub")).unwrap();
        bench.settings("[\"true\"]", "[\"true\"]");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self, restart: &str, health: &str) {
        let at = self.folder.path().display();
        let text = format!(
            "root = \"{at}/slots\"\nkeys = \"{at}/keys\"\nboard = \"pc\"\nconfiguration = \"{at}/none.toml\"\n\
             restart = {restart}\nhealth = {health}\nhold_s = 1\ndeadline_s = 5\n"
        );
        fs::write(self.path("slots.toml"), text).unwrap();
    }

    fn tool(&self, words: &str) {
        let made = Command::new(tool())
            .args(words.split(' '))
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let talk = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{words}: {talk}");
    }

    fn bundle(&self) {
        let program = daemon::program().display().to_string();
        self.tool(&format!(
            "bundle create --daemon {program} --bundle-version 1.0.0 --board pc --key site.key --output x.utb"
        ));
    }

    /// The exit code of `undertoned slot`, and what it says.
    fn slot(&self, words: &str) -> (Option<i32>, String) {
        let output = Command::new(daemon::program())
            .arg("slot")
            .args(words.split(' '))
            .env("UNDERTONE_SLOTS", self.path("slots.toml"))
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), talk)
    }
}

#[test]
fn a_slot_that_cannot_be_run_gives_way_to_the_packaged_program_with_the_same_arguments() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("slots/a")).unwrap();
    symlink("a", bench.path("slots/current")).unwrap();
    let program = bench.path("slots/a/undertoned");
    // Whatever else is in the slot goes unused with it.
    fs::write(bench.path("slots/a/undertoned.toml"), "broken").unwrap();
    let exec = || bench.slot("exec -- --check --purpose evaluation");
    let told = |talk: &str, what: &str| {
        assert!(talk.contains(what), "{talk}");
        assert!(talk.contains("the packaged program runs instead"), "{talk}");
    };

    let (code, talk) = exec();
    assert_eq!(code, Some(0), "{talk}");
    told(&talk, "slot a is damaged: undertoned: ");

    fs::write(&program, vec![0; 4096]).unwrap();
    let (code, talk) = exec();
    assert_eq!(code, Some(0), "{talk}");
    told(&talk, "it is no program for this machine");

    // One that may not be executed.
    fs::copy(daemon::program(), &program).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&program, mode).unwrap();
    let (code, talk) = exec();
    assert_eq!(code, Some(0), "{talk}");
    told(&talk, "Permission denied");

    fs::remove_file(bench.path("slots/current")).unwrap();
    let (code, talk) = exec();
    assert_eq!(code, Some(0), "{talk}");
    assert!(!talk.contains("runs instead"), "{talk}");
}

#[test]
fn looking_at_a_box_makes_nothing() {
    let bench = Bench::new();
    bench.bundle();
    for words in ["status", "install --dry-run x.utb"] {
        let (code, talk) = bench.slot(words);
        assert_eq!(code, Some(0), "{talk}");
        assert!(!bench.path("slots").exists(), "{words}");
    }
}

#[test]
fn a_command_that_cannot_be_run_takes_the_old_version_back() {
    let bench = Bench::new();
    bench.bundle();
    bench.settings("[\"/nowhere/restart\"]", "[\"/nowhere/health\"]");
    let (code, talk) = bench.slot("install x.utb");
    assert_eq!(code, Some(8), "{talk}");
    for part in [
        "cannot run /nowhere/restart: No such file",
        "cannot run /nowhere/health: No such file",
        "error[not-well]",
    ] {
        assert!(talk.contains(part), "{talk}");
    }
    assert!(!bench.path("slots/current").is_symlink());
}

#[test]
fn a_trial_that_is_over_before_anybody_watches_is_told_as_failed() {
    let bench = Bench::new();
    bench.bundle();
    // A version that is started again and again while it is restarted.
    let start = format!("{} slot start", daemon::program().display());
    let starts = format!("[\"sh\", \"-c\", \"for n in 1 2 3 4; do {start}; done\"]");
    bench.settings(&starts, "[\"true\"]");
    let (code, talk) = bench.slot("install x.utb");
    assert_eq!(code, Some(8), "{talk}");
    assert!(talk.contains("version 1.0.0 was not well"), "{talk}");
}

#[test]
fn root_follows_no_settings_of_others() {
    let bench = Bench::new();
    let settings = bench.path("slots.toml");
    if std::os::unix::fs::chown(&settings, Some(1), None).is_err() {
        // Only root can try it.
        assert_eq!(bench.slot("status").0, Some(0));
        return;
    }
    let (code, talk) = bench.slot("status");
    assert_eq!(code, Some(3), "{talk}");
    assert!(
        talk.contains("error[bad-settings]") && talk.contains("belong to user 1,"),
        "{talk}"
    );
}
