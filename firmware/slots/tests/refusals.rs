//! What a bundle must not get away with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Read;

use support::{ARCH, BOARD, Signer, at, bundle, manifest, pack, raw, running};
use undertone_slots::{FileKind, MAX_FILE_BYTES, Manifest, SlotStatus, Slots, TrustedKeys};

/// Installs on a box that runs nothing yet; the code of the refusal.
fn refusal(signer: &Signer, source: impl Read) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut slots = Slots::open(folder.path(), None).unwrap();
    let refused = slots.install(source, &signer.keys(), BOARD, ARCH, &at(0.0));
    let error = refused.expect_err("this bundle was accepted");
    assert_eq!(slots.current(), None, "{error}");
    assert_eq!(slots.status().a, SlotStatus::Empty, "{error}");
    assert!(!folder.path().join("incoming").exists(), "{error}");
    error.code().to_owned()
}

#[test]
fn none_of_a_thousand_single_bit_changes_is_accepted() {
    let signer = Signer::new();
    let mut bytes = bundle(&signer, "1.0.0", "0.0.0");
    let bits = bytes.len() * 8;
    // Every bit of the header, signature and manifest's beginning, then bits all over the rest.
    let front = 6000.min(bits);
    let step = (bits - front) / 400;
    let chosen: Vec<usize> = (0..600)
        .map(|number| number * front / 600)
        .chain((0..400).map(|number| front + number * step))
        .collect();
    assert_eq!(chosen.len(), 1000);
    for bit in chosen {
        bytes[bit / 8] ^= 1 << (bit % 8);
        refusal(&signer, &bytes[..]);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut slots = Slots::open(folder.path(), None).unwrap();
    slots
        .install(&bytes[..], &signer.keys(), BOARD, ARCH, &at(0.0))
        .unwrap();
    assert_eq!(running(folder.path()).as_deref(), Some("1.0.0"));
}

#[test]
fn no_bit_of_header_or_signature_can_be_changed() {
    let signer = Signer::new();
    let mut bytes = bundle(&signer, "1.0.0", "0.0.0");
    let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let keys = signer.keys();
    for bit in 0..(16 + length) * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(
            undertone_slots::Bundle::open(&bytes[..], &keys).is_err(),
            "bit {bit}"
        );
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_bundle_cut_short_anywhere_is_refused() {
    let signer = Signer::new();
    let bytes = bundle(&signer, "1.0.0", "0.0.0");
    for length in (0..bytes.len()).step_by(211).chain([bytes.len() - 1]) {
        let code = refusal(&signer, &bytes[..length]);
        assert!(
            ["truncated", "not-a-bundle"].contains(&code.as_str()),
            "{length}: {code}"
        );
    }
}

#[test]
fn a_bundle_with_something_behind_it_is_refused() {
    let signer = Signer::new();
    let mut bytes = bundle(&signer, "1.0.0", "0.0.0");
    bytes.push(0);
    assert_eq!(refusal(&signer, &bytes[..]), "tampered");
}

#[test]
fn an_unsigned_bundle_and_one_of_a_foreign_key_are_refused() {
    let (own, foreign) = (Signer::new(), Signer::new());
    assert_eq!(
        refusal(&own, &bundle(&foreign, "1.0.0", "0.0.0")[..]),
        "foreign-key"
    );
    let text = serde_json::to_vec(&manifest("1.0.0", "0.0.0", &FileKind::ALL)).unwrap();
    assert_eq!(refusal(&own, &raw(b"", &text, b"")[..]), "unsigned");
}

#[test]
fn a_foreign_key_that_claims_to_be_the_trusted_one_is_refused() {
    let (own, foreign) = (Signer::new(), Signer::new());
    let text = serde_json::to_vec(&manifest("1.0.0", "0.0.0", &[FileKind::Daemon])).unwrap();
    let (of_own, of_foreign) = (own.sign(&text), foreign.sign(&text));
    // The identity is in the first 10 bytes: 13 base64 digits, and 2 bits of the next.
    let position = of_own
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("lines")
        + 1;
    let mut forged = of_foreign;
    forged[position..position + 13].copy_from_slice(&of_own[position..position + 13]);
    let files = support::content(FileKind::Daemon, "1.0.0");
    let code = refusal(&own, &raw(&forged, &text, &files)[..]);
    assert!(
        ["tampered", "foreign-key"].contains(&code.as_str()),
        "{code}"
    );
}

#[test]
fn a_bundle_for_other_boards_or_another_processor_is_refused() {
    let signer = Signer::new();
    let mut other = manifest("1.0.0", "0.0.0", &FileKind::ALL);
    other.boards = vec!["jetson-nano".into()];
    assert_eq!(
        refusal(&signer, &pack(&signer, &other, "1.0.0")[..]),
        "wrong-board"
    );
    let mut other = manifest("1.0.0", "0.0.0", &FileKind::ALL);
    other.arch = "x86_64".into();
    assert_eq!(
        refusal(&signer, &pack(&signer, &other, "1.0.0")[..]),
        "wrong-arch"
    );
}

#[test]
fn claims_of_size_are_refused_before_anything_is_read_or_reserved() {
    let signer = Signer::new();
    let endless = |front: &[u8]| std::io::Cursor::new(front.to_vec()).chain(std::io::repeat(0));
    for (signature, manifest) in [(u32::MAX, 10), (10, u32::MAX), (1025, 0), (0, 65_537)] {
        let mut front = b"UTBUNDL1".to_vec();
        front.extend(u32::to_le_bytes(signature));
        front.extend(u32::to_le_bytes(manifest));
        assert_eq!(refusal(&signer, endless(&front)), "too-large");
    }
    let mut bomb = manifest("1.0.0", "0.0.0", &FileKind::ALL);
    bomb.files[0].bytes = MAX_FILE_BYTES + 1;
    assert_eq!(
        refusal(&signer, endless(&pack(&signer, &bomb, "1.0.0"))),
        "too-large"
    );
    bomb.files
        .iter_mut()
        .for_each(|file| file.bytes = MAX_FILE_BYTES);
    assert_eq!(
        refusal(&signer, endless(&pack(&signer, &bomb, "1.0.0"))),
        "too-large"
    );
    bomb.files[0].bytes = u64::MAX;
    assert_eq!(
        refusal(&signer, endless(&pack(&signer, &bomb, "1.0.0"))),
        "too-large"
    );
}

#[test]
fn no_signed_manifest_can_name_a_path_or_anything_unknown() {
    let signer = Signer::new();
    let good = serde_json::to_value(manifest("1.0.0", "0.0.0", &FileKind::ALL)).unwrap();
    let mut wrong: Vec<serde_json::Value> = Vec::new();
    for (pointer, value) in [
        ("/files/0/kind", "../../etc/passwd".into()),
        ("/files/0/kind", "/etc/passwd".into()),
        ("/files/1/kind", "daemon".into()),
        ("/files/0/sha256", "00".into()),
        ("/files/0/bytes", (-1).into()),
        ("/version", "1.0".into()),
        ("/version", "1.0.0-rc1".into()),
        ("/minimum_version", "2.0.0".into()),
        ("/format", 2.into()),
        ("/product", "overtone".into()),
        ("/arch", "riscv64".into()),
        ("/boards", serde_json::json!([])),
        ("/boards/0", "../x".into()),
        ("/files", serde_json::json!([])),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        wrong.push(changed);
    }
    let mut unknown = good.clone();
    unknown["files"][0]["name"] = "../../etc/passwd".into();
    wrong.push(unknown);
    let mut unknown = good.clone();
    unknown["script"] = "reboot".into();
    wrong.push(unknown);
    for manifest in wrong {
        let text = serde_json::to_vec(&manifest).unwrap();
        let code = refusal(&signer, &raw(&signer.sign(&text), &text, b"")[..]);
        assert_eq!(code, "bad-manifest", "{manifest}");
    }
    for text in [
        &b""[..],
        b"{",
        b"[]",
        b"null",
        "\u{feff}{}".as_bytes(),
        &[b'['; 60_000],
    ] {
        let code = refusal(&signer, &raw(&signer.sign(text), text, b"")[..]);
        assert_eq!(code, "bad-manifest");
    }
    assert!(Manifest::parse(&serde_json::to_vec(&good).unwrap()).is_ok());
}

#[test]
fn a_folder_without_keys_and_a_key_that_is_none_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let code = |folder: &std::path::Path| TrustedKeys::from_folder(folder).unwrap_err().code();
    assert_eq!(code(folder.path()), "no-keys");
    assert_eq!(code(&folder.path().join("nowhere")), "no-keys");
    std::fs::write(folder.path().join("x.pub"), "untrusted comment: x\nRWQ\n").unwrap();
    assert_eq!(code(folder.path()), "bad-key");
    // A folder that cannot be read is not one without keys.
    assert_eq!(code(&folder.path().join("x.pub")), "io");
}

#[test]
fn more_keys_than_are_trusted_are_refused_and_not_chosen_from() {
    let signer = Signer::new();
    let folder = tempfile::tempdir().unwrap();
    let key = signer.pair.pk.to_box().unwrap().into_string();
    for number in 0..32 {
        std::fs::write(folder.path().join(format!("{number}.pub")), &key).unwrap();
    }
    TrustedKeys::from_folder(folder.path()).unwrap();
    std::fs::write(folder.path().join("more.pub"), &key).unwrap();
    let error = TrustedKeys::from_folder(folder.path()).unwrap_err();
    assert_eq!(error.code(), "too-many-keys");
    assert!(
        error
            .to_string()
            .starts_with("there are more than 32 public keys")
    );
}
