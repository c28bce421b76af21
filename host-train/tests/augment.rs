//! `undertone-train augment preview`, as somebody who tunes augmentation runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use undertone_page::browser::open;

/// The bundled synthetic voice.
const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/assets/speech.wav");

fn preview(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_undertone-train"))
        .current_dir(folder)
        .args(["augment", "preview", SPEECH])
        .args(words)
        .output()
        .unwrap()
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_change_is_on_the_page_beside_the_clip_and_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let output = preview(folder.path(), &["--page", "page.html", "-o", "files"]);
    assert!(output.status.success(), "{}", talk(&output));
    let told = String::from_utf8(output.stdout).unwrap();
    let sounds: Vec<&str> = told.lines().filter(|line| line.ends_with(".wav")).collect();
    assert_eq!(sounds.len(), 1 + 10 + 3, "{told}");
    for line in told.lines() {
        assert!(
            folder.path().join(line).metadata().unwrap().len() > 1000,
            "{line}"
        );
    }
    let original = fs::read(folder.path().join("files/original.wav")).unwrap();
    for sound in sounds.iter().skip(1) {
        assert_ne!(
            fs::read(folder.path().join(sound)).unwrap(),
            original,
            "{sound}"
        );
    }

    let page = folder.path().join("page.html");
    assert!(page.metadata().unwrap().len() < 5_000_000);
    let Some(opened) = open(&page) else { return };
    assert!(opened.console.is_empty(), "{:#?}", opened.console);
    // Ten changes of training and three conditions, each beside the clip as it was.
    assert_eq!(opened.figures(), 2 * 13);
    assert_eq!(opened.dom.matches("<audio").count(), 2 * 13);
    for section in ["pitch", "telephone", "evaluation-noise-10dB"] {
        assert!(
            opened.dom.contains(&format!(">{section}</h2>")),
            "{section}"
        );
    }
}

#[test]
fn a_page_alone_leaves_no_other_file_and_nothing_to_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = preview(folder.path(), &["--page", "page.html"]);
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        talk(&output)
    );
    let files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["page.html"]);

    let output = preview(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    for option in ["--output <DIR>", "--page <FILE>"] {
        assert!(talk(&output).contains(option), "{}", talk(&output));
    }
    let output = preview(folder.path(), &["--page", "no/page.html"]);
    assert!(talk(&output).contains("no/page.html"), "{}", talk(&output));
    assert!(!output.status.success());
}
