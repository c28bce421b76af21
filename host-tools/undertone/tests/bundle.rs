//! `undertone bundle` as a script meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::ended;

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../models/undertone-research.onnx"
);

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A folder with a key pair, and a program to put into bundles: this one.
    fn new() -> Self {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
        };
        bench.good(&["bundle", "key", "--output", "site"]);
        std::fs::copy(env!("CARGO_BIN_EXE_undertone"), bench.path("program")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_undertone"))
            .args(words)
            .env_remove("UNDERTONE_KEY_PASSWORD")
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        ended(output)
    }

    fn good(&self, words: &[&str]) -> String {
        let (code, data, talk) = self.run(words);
        assert_eq!(code, Some(0), "{words:?}: {talk}");
        data
    }

    /// The code of the refusal; it names the next thing to do.
    fn refused(&self, words: &[&str]) -> String {
        let (code, data, talk) = self.run(words);
        assert_eq!(code, Some(1), "{words:?}: {data}");
        assert!(
            talk.contains("\nnext: ") && !talk.contains("panicked"),
            "{talk}"
        );
        let start = talk.split("error[").nth(1).expect("a code");
        start.split(']').next().unwrap().to_owned()
    }

    fn create(&self, more: &[&str]) -> String {
        let words = [
            "bundle",
            "create",
            "--daemon",
            "program",
            "--bundle-version",
            "1.4.0",
            "--board",
            "pc",
            "--json",
            "--output",
            "x.utb",
        ];
        self.good(&[&words[..], more].concat())
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_bundle_is_made_signed_verified_and_shown() {
    let bench = Bench::new();
    std::fs::write(
        bench.path("box.toml"),
        "[deployment]\npurpose = \"evaluation\"\n",
    )
    .unwrap();
    let made = json(&bench.create(&[
        "--model",
        MODEL,
        "--configuration",
        "box.toml",
        "--minimum-version",
        "1.0.0",
    ]));
    assert_eq!(made["signed"], false);
    assert_eq!(
        bench.refused(&["bundle", "verify", "x.utb", "--key", "site.pub"]),
        "unsigned"
    );
    bench.good(&["bundle", "sign", "x.utb", "--key", "site.key"]);
    let words = [
        "bundle", "verify", "x.utb", "--key", "site.pub", "--board", "pc", "--json",
    ];
    let found = json(&bench.good(&words));
    assert_eq!(found["ok"], true);
    let files = found["manifest"]["files"].as_array().unwrap();
    let names: Vec<&str> = files
        .iter()
        .map(|file| file["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["undertoned", "model.onnx", "undertoned.toml"]);
    assert_eq!(found["manifest"]["arch"], std::env::consts::ARCH);
    let shown = json(&bench.good(&["bundle", "inspect", "x.utb", "--json"]));
    assert_eq!(shown["claims_to_be_signed_by"], found["signed_by"]);
    assert_eq!(shown["content"], "as the manifest says");
}

#[test]
fn signing_at_once_gives_the_same_bytes_as_signing_later() {
    let bench = Bench::new();
    bench.create(&["--key", "site.key"]);
    bench.good(&["bundle", "verify", "x.utb", "--key", "site.pub"]);
    let length = std::fs::metadata(bench.path("x.utb")).unwrap().len();
    bench.good(&[
        "bundle", "sign", "x.utb", "--key", "site.key", "--output", "y.utb",
    ]);
    assert_eq!(
        std::fs::metadata(bench.path("y.utb")).unwrap().len(),
        length
    );
    bench.good(&["bundle", "verify", "y.utb", "--key", "site.pub"]);
}

#[test]
fn every_kind_of_bad_bundle_is_refused_with_its_code() {
    let bench = Bench::new();
    bench.create(&["--key", "site.key"]);
    bench.good(&["bundle", "key", "--output", "foreign"]);
    let verify =
        |more: &[&str]| bench.refused(&[&["bundle", "verify", "x.utb", "--key"], more].concat());
    assert_eq!(verify(&["foreign.pub"]), "foreign-key");
    assert_eq!(verify(&["x.utb"]), "bad-key");
    assert_eq!(verify(&["site.pub", "--board", "rpi-4"]), "wrong-board");
    assert_eq!(
        verify(&["site.pub", "--minimum-version", "1.4.1"]),
        "too-old"
    );
    let good = std::fs::read(bench.path("x.utb")).unwrap();
    let put = |bytes: &[u8]| std::fs::write(bench.path("x.utb"), bytes).unwrap();
    put(&good[..good.len() - 1]);
    assert_eq!(verify(&["site.pub"]), "truncated");
    put(&[&good[..], b"x"].concat());
    assert_eq!(verify(&["site.pub"]), "tampered");
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    put(&changed);
    assert_eq!(verify(&["site.pub"]), "tampered");
    // A damaged bundle is not signed either.
    assert_eq!(
        bench.refused(&["bundle", "sign", "x.utb", "--key", "site.key"]),
        "tampered"
    );
    assert_eq!(std::fs::read(bench.path("x.utb")).unwrap(), changed);
    // It says what it claims to be, and that it is not.
    let (code, shown, talk) = bench.run(&["bundle", "inspect", "x.utb", "--json"]);
    assert_eq!(code, Some(1), "{talk}");
    assert!(talk.starts_with("error[tampered]"), "{talk}");
    assert_eq!(json(&shown)["ok"], false);
    assert_eq!(json(&shown)["manifest"]["version"], "1.4.0");
    put(b"PK\x03\x04 something else");
    assert_eq!(verify(&["site.pub"]), "not-a-bundle");
    std::fs::remove_file(bench.path("x.utb")).unwrap();
    assert_eq!(verify(&["site.pub"]), "cannot-read");
}

#[test]
fn content_that_a_box_would_stumble_over_makes_no_bundle() {
    let bench = Bench::new();
    std::fs::write(bench.path("bad"), "= not toml").unwrap();
    let create = |more: &[&str]| {
        let words = [
            "bundle",
            "create",
            "--bundle-version",
            "1.0.0",
            "--output",
            "x.utb",
        ];
        let code = bench.refused(&[&words[..], more].concat());
        assert!(!bench.path("x.utb").exists() && !bench.path("x.utb.part").exists());
        code
    };
    assert_eq!(create(&["--daemon", "bad", "--board", "pc"]), "no-program");
    assert_eq!(
        create(&["--daemon", "program", "--board", "toaster"]),
        "unknown-board"
    );
    let pc = ["--daemon", "program", "--board", "pc"];
    for option in ["--model", "--configuration", "--unit"] {
        assert_eq!(create(&[&pc[..], &[option, "bad"]].concat()), "bad-content");
    }
    let whole = std::fs::read(bench.path("program")).unwrap();
    std::fs::write(bench.path("half"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(create(&["--daemon", "half", "--board", "pc"]), "no-program");
    let long = format!(
        "[deployment]\npurpose = \"evaluation\"\n{}[sorce]\n",
        "#\n".repeat(1 << 19)
    );
    for (text, told) in [
        ("[deployment]\npurpose = \"x\"\n", "deployment.subjects"),
        (
            "[deployment]\npurpose = \"x\"\nsubjects = \"employees\"\n",
            "deployment.subjects is employees",
        ),
        ("[sorce]\n", "sorce"),
        (
            "[deployment]\npurpose = \"evaluation\"\n[serial]\nport = \"x\"\nbaud = 1\n",
            "serial.baud is 1: give a value from 300 to 4000000",
        ),
        (
            "[deployment]\npurpose = \"evaluation\"\n[thresholds]\nbored = 0.5\n",
            "thresholds.bored",
        ),
        // Every user of the box could read it.
        (
            "[deployment]\npurpose = \"evaluation\"\n[mqtt]\nhost = \"b\"\nuser = \"u\"\npassword = \"hunter2\"\n",
            "/etc/undertone/undertoned.env",
        ),
        (long.as_str(), "longer than 1024 KiB"),
    ] {
        std::fs::write(bench.path("box.toml"), text).unwrap();
        let more = ["--configuration", "box.toml"];
        assert_eq!(create(&[&pc[..], &more].concat()), "bad-content");
        let words = [
            "bundle",
            "create",
            "--bundle-version",
            "1.0.0",
            "-o",
            "x.utb",
        ];
        let (_, _, talk) = bench.run(&[&words[..], &pc, &more].concat());
        assert!(talk.contains(told), "{told}: {talk}");
    }
    if std::env::consts::ARCH == "x86_64" {
        assert_eq!(
            create(&["--daemon", "program", "--board", "rpi-4"]),
            "wrong-arch"
        );
    }
    assert_eq!(
        create(&[&pc[..], &["--minimum-version", "2.0.0"]].concat()),
        "bad-manifest"
    );
}

#[test]
fn a_key_that_exists_is_not_written_over() {
    let bench = Bench::new();
    let before = std::fs::read(bench.path("site.key")).unwrap();
    assert_eq!(
        bench.refused(&["bundle", "key", "--output", "site"]),
        "cannot-write"
    );
    assert_eq!(std::fs::read(bench.path("site.key")).unwrap(), before);
    // Of a pair of which one half cannot be written, the other is not made either.
    std::fs::write(bench.path("half.pub"), "mine").unwrap();
    assert_eq!(
        bench.refused(&["bundle", "key", "--output", "half"]),
        "cannot-write"
    );
    assert!(!bench.path("half.key").exists());
    assert_eq!(std::fs::read(bench.path("half.pub")).unwrap(), b"mine");
}

#[test]
fn a_bundle_is_for_its_owner_alone_and_follows_no_link_on_its_way() {
    let bench = Bench::new();
    std::fs::write(bench.path("mine"), "mine").unwrap();
    std::os::unix::fs::symlink("mine", bench.path("x.utb.part")).unwrap();
    bench.create(&[]);
    assert_eq!(std::fs::read(bench.path("mine")).unwrap(), b"mine");
    let mode = std::fs::metadata(bench.path("x.utb"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn minisign_accepts_the_signature() {
    let bench = Bench::new();
    let minisign = |words: &[&str]| {
        Command::new("minisign")
            .args(words)
            .current_dir(bench.folder.path())
            .output()
    };
    if minisign(&["-v"]).is_err() {
        assert!(
            std::env::var_os("UNDERTONE_REQUIRE_RIG").is_none(),
            "minisign is missing"
        );
        eprintln!("skipped: minisign is not installed");
        return;
    }
    bench.create(&["--key", "site.key"]);
    // It stands in front of the manifest.
    let bytes = std::fs::read(bench.path("x.utb")).unwrap();
    let length = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (signature, manifest) = (
        16..16 + length(8),
        16 + length(8)..16 + length(8) + length(12),
    );
    std::fs::write(bench.path("manifest.json"), &bytes[manifest]).unwrap();
    std::fs::write(bench.path("manifest.json.minisig"), &bytes[signature]).unwrap();
    let checked = minisign(&["-V", "-p", "site.pub", "-m", "manifest.json"]).unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn completions_and_manual_pages_name_the_commands() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            bench.good(&["completions", shell]).contains("rollback"),
            "{shell}"
        );
    }
    assert!(bench.good(&["man"]).contains(".TH undertone"));
    bench.good(&["man", "--output", "man"]);
    for page in [
        "undertone.1",
        "undertone-bundle-create.1",
        "undertone-deploy.1",
    ] {
        assert!(Path::is_file(&bench.path("man").join(page)), "{page}");
    }
}
