//! The Debian package, installed, upgraded and purged below a folder of its own by the real dpkg.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a daemon for arm64 is: `cargo xtask cross arm64` prints it.
const ARM64_DAEMON: &str = "UNDERTONE_ARM64_DAEMON";

fn package(daemon: &Path, version: &str, output: &Path) -> PathBuf {
    // The package must not depend on how closed this user's new files are.
    let made = Command::new("sh")
        .args(["-c", "umask 077; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_xtask"))
        .arg("package")
        .arg("--daemon")
        .arg(daemon)
        .args(["--package-version", version, "--output"])
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
            "--force-architecture",
        ])
        .arg(format!("--log={}/dpkg.log", root.display()))
        .args(words)
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{words:?}: {talk}");
    String::from_utf8(done.stdout).unwrap()
}

/// What `dpkg-deb` says about a package.
fn told(package: &Path, words: &[&str]) -> String {
    let mut deb = Command::new("dpkg-deb");
    deb.args(&words[..1]).arg(package).args(&words[1..]);
    let output = deb.output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn dpkg_is_there() -> bool {
    let there = Command::new("dpkg-deb").arg("--version").output().is_ok();
    assert!(
        there || std::env::var_os("UNDERTONE_REQUIRE_RIG").is_none(),
        "dpkg-deb is missing"
    );
    if !there {
        eprintln!("skipped: dpkg-deb is not installed");
    }
    there
}

#[test]
fn the_package_installs_keeps_changed_configuration_on_upgrade_and_purges_without_a_trace() {
    if !dpkg_is_there() {
        return;
    }
    // Any small program does: what is tested is the package.
    let daemon = Path::new("/bin/true");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let root = empty_root(folder);
    let old = package(daemon, "0.1.0", folder);
    dpkg(&root, &["--install", old.to_str().unwrap()]);
    for path in [
        "usr/bin/undertoned",
        "usr/lib/systemd/system/undertoned.service",
        "usr/lib/systemd/system/undertoned.service.d/50-slots.conf",
        "usr/lib/udev/rules.d/70-undertone.rules",
        "usr/share/undertone/undertone-research.onnx",
        "usr/share/undertone/undertone-open.onnx",
        "etc/undertone/slots.toml",
        "opt/undertone",
        "etc/undertone/keys",
    ] {
        assert!(root.join(path).exists(), "{path}");
    }
    let contents = told(&old, &["--contents"]);
    for line in contents.lines() {
        let open = line.starts_with("drwxr-xr-x ") || line.starts_with("-rw");
        assert!(open, "{line}");
    }
    let configuration = root.join("etc/undertone/undertoned.toml");
    fs::write(&configuration, "# mine\n").unwrap();
    fs::write(root.join("opt/undertone/state.json"), "{}").unwrap();
    let new = package(daemon, "0.2.0", folder);
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
}

#[test]
#[ignore = "needs the daemon that `cargo xtask cross arm64` makes, in UNDERTONE_ARM64_DAEMON"]
fn the_package_for_arm64_holds_the_daemon_for_arm64_and_installs_and_purges() {
    let daemon = PathBuf::from(std::env::var_os(ARM64_DAEMON).expect(ARM64_DAEMON));
    let folder = tempfile::tempdir().unwrap();
    let made = package(&daemon, "1.2.3", folder.path());
    assert_eq!(made.file_name().unwrap(), "undertoned_1.2.3_arm64.deb");
    let field = |name| told(&made, &["--field", name]);
    assert_eq!(field("Architecture").trim(), "arm64");
    // What the oldest of the boards' systems that the package is for has: boards/*/board.toml.
    let depends = field("Depends");
    let glibc = depends.split(['=', ')']).nth(1).unwrap().trim();
    let minor: u32 = glibc.strip_prefix("2.").unwrap().parse().unwrap();
    assert!((17..=35).contains(&minor), "{depends}");
    assert!(depends.contains("libasound2"), "{depends}");
    let contents = told(&made, &["--contents"]);
    for (mode, path) in [
        ("-rwxr-xr-x root/root", "./usr/bin/undertoned"),
        (
            "-rw-r--r-- root/root",
            "./usr/lib/systemd/system/undertoned.service",
        ),
        (
            "-rw-r--r-- root/root",
            "./usr/share/undertone/undertone-research.onnx",
        ),
        ("-rw-r--r-- root/root", "./etc/undertone/undertoned.toml"),
    ] {
        let line = contents.lines().find(|line| line.ends_with(path));
        assert!(
            line.is_some_and(|line| line.starts_with(mode)),
            "{path}: {contents}"
        );
    }
    let tree = folder.path().join("tree");
    told(&made, &["--extract", tree.to_str().unwrap()]);
    let program = fs::read(tree.join("usr/bin/undertoned")).unwrap();
    assert_eq!(program, fs::read(&daemon).unwrap());
    // ELF, 64 bits, little-endian, e_machine 183: AArch64.
    assert_eq!(
        (&program[..6], &program[18..20]),
        (&b"\x7fELF\x02\x01"[..], &[183, 0][..])
    );
    let root = empty_root(folder.path());
    dpkg(&root, &["--install", made.to_str().unwrap()]);
    assert!(root.join("usr/bin/undertoned").exists());
    dpkg(&root, &["--purge", "undertoned"]);
    assert!(!root.join("usr/bin/undertoned").exists() && !root.join("etc/undertone").exists());
}

#[test]
fn a_package_cannot_be_said_to_be_for_another_processor_than_its_program_is() {
    let refused = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args([
            "package",
            "--daemon",
            "/bin/true",
            "--output",
            "/nowhere",
            "--arch",
        ])
        .arg(if cfg!(target_arch = "aarch64") {
            "amd64"
        } else {
            "arm64"
        })
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && talk.contains("/bin/true: the program is for"),
        "{talk}"
    );
}

/// A folder in which dpkg knows of no package.
fn empty_root(folder: &Path) -> PathBuf {
    let root = folder.join("root");
    for below in ["info", "updates", "triggers"] {
        fs::create_dir_all(root.join("var/lib/dpkg").join(below)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    root
}
