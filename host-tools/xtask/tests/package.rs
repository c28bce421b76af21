//! The Debian package, installed, upgraded and purged below a folder of its own by the real dpkg.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn package(version: &str, output: &Path) -> PathBuf {
    // Any small program does: what is tested is the package.
    let made = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args([
            "package",
            "--daemon",
            "/bin/true",
            "--package-version",
            version,
            "--output",
        ])
        .arg(output)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    String::from_utf8(made.stdout).unwrap().trim().into()
}

fn dpkg(root: &Path, words: &[&str]) -> String {
    let done = Command::new("dpkg")
        .arg(format!("--root={}", root.display()))
        .args([
            "--force-script-chrootless",
            "--force-depends",
            "--force-not-root",
        ])
        .arg(format!("--log={}/dpkg.log", root.display()))
        .args(words)
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{words:?}: {talk}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_package_installs_keeps_changed_configuration_on_upgrade_and_purges_without_a_trace() {
    if Command::new("dpkg-deb").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("UNDERTONE_REQUIRE_RIG").is_none(),
            "dpkg-deb is missing"
        );
        eprintln!("skipped: dpkg-deb is not installed");
        return;
    }
    let folder = std::env::temp_dir().join(format!("undertone-package-{}", std::process::id()));
    let root = folder.join("root");
    for below in [
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
    ] {
        fs::create_dir_all(root.join(below)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let old = package("0.1.0", &folder);
    dpkg(&root, &["--install", old.to_str().unwrap()]);
    for path in [
        "usr/bin/undertoned",
        "usr/lib/systemd/system/undertoned.service",
        "usr/lib/systemd/system/undertoned.service.d/50-slots.conf",
        "usr/lib/udev/rules.d/70-undertone.rules",
        "usr/share/undertone/undertone-research.onnx",
        "etc/undertone/slots.toml",
        "opt/undertone",
        "etc/undertone/keys",
    ] {
        assert!(root.join(path).exists(), "{path}");
    }
    let configuration = root.join("etc/undertone/undertoned.toml");
    fs::write(&configuration, "# mine\n").unwrap();
    fs::write(root.join("opt/undertone/state.json"), "{}").unwrap();
    let new = package("0.2.0", &folder);
    dpkg(&root, &["--install", new.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&configuration).unwrap(), "# mine\n");
    assert!(root.join("opt/undertone/state.json").exists());
    assert!(dpkg(&root, &["--status", "undertoned"]).contains("Version: 0.2.0"));
    dpkg(&root, &["--remove", "undertoned"]);
    assert!(configuration.exists() && !root.join("usr/bin/undertoned").exists());
    dpkg(&root, &["--purge", "undertoned"]);
    for path in ["etc/undertone", "opt/undertone", "usr/share/undertone"] {
        assert!(!root.join(path).exists(), "{path} is left");
    }
    fs::remove_dir_all(&folder).unwrap();
}
