//! `undertone deploy` where the copy or the connection fails, with an ssh and an scp that do so at a given moment.
//! Deploying over a real ssh server: `tests/tests/deploy.rs` of the workspace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use support::ended;

/// Version 1.4.0 runs in slot a, once committed.
const BEFORE: &str = r#"{"ok":true,"board":"pc","arch":"ARCH","floor":"0.0.0","current":"a","trial":null,"last":{"slot":"a","version":"1.4.0","ending":"committed"}}"#;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A signed bundle of version 1.4.0, and a box that is in the state `after` once it was told to install.
    fn new(after: &str, scp: u8) -> Self {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
        };
        let arch = |text: &str| text.replace("ARCH", std::env::consts::ARCH);
        bench.write("status", &arch(BEFORE));
        bench.write("after", &arch(after));
        let at = bench.folder.path().display();
        bench.script(
            "bin/ssh",
            &format!(
                "for line; do :; done\ncase \"$line\" in\n\
                 *mktemp*) echo /tmp/undertone.fake ;;\n\
                 *'slot --json status'*) cat {at}/status ;;\n\
                 *'slot --json install'*) mv {at}/after {at}/status; exit 255 ;;\nesac\n"
            ),
        );
        bench.script("bin/scp", &format!("exit {scp}\n"));
        fs::copy(
            env!("CARGO_BIN_EXE_undertone"),
            bench.folder.path().join("program"),
        )
        .unwrap();
        for line in [
            "bundle key --output site",
            "bundle create --daemon program --board pc --bundle-version 1.4.0 --key site.key -o x.utb",
        ] {
            let (code, _, talk) = bench.run(line);
            assert_eq!(code, Some(0), "{line}: {talk}");
        }
        bench
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn script(&self, name: &str, body: &str) {
        self.write(name, &format!("#!/bin/sh\n{body}"));
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.folder.path().join(name), mode).unwrap();
    }

    fn run(&self, line: &str) -> (Option<i32>, String, String) {
        let path = format!(
            "{}/bin:{}",
            self.folder.path().display(),
            std::env::var("PATH").unwrap()
        );
        let output = Command::new(env!("CARGO_BIN_EXE_undertone"))
            .args(line.split_whitespace())
            .env("PATH", path)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        ended(output)
    }

    fn refused(&self, code: &str) -> String {
        let (exit, data, talk) = self.run("deploy box x.utb --json");
        assert_eq!(exit, Some(1), "{data}{talk}");
        assert!(talk.contains(&format!("error[{code}]: ")), "{talk}");
        talk
    }
}

#[test]
fn a_bundle_that_was_not_copied_was_not_installed_whatever_was_committed_before() {
    // Nothing asks what became of the version: it never reached the box.
    assert!(
        !Bench::new(BEFORE, 1)
            .refused("copy-failed")
            .contains("asking")
    );
    assert!(
        !Bench::new(BEFORE, 255)
            .refused("unreachable")
            .contains("asking")
    );
}

#[test]
fn a_connection_that_breaks_while_the_box_installs_is_told_by_what_the_box_says_afterwards() {
    // The same version again, in the other slot.
    let committed = BEFORE.replace("\"a\"", "\"b\"");
    let (code, data, talk) = Bench::new(&committed, 0).run("deploy box x.utb --json");
    assert_eq!(code, Some(0), "{talk}");
    let report: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(report["trial"], "committed");

    // It broke before the box began: what it says is about the time before.
    Bench::new(BEFORE, 0).refused("unreachable");

    let trying = committed.replace("\"trial\":null", "\"trial\":{\"slot\":\"b\"}");
    let talk = Bench::new(&trying, 0).refused("trial-pending");
    assert!(talk.ends_with("\nnext: undertone status box\n"), "{talk}");
}
