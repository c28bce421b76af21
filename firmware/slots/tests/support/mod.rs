//! Keys and bundles for the tests.
// Each test uses its own part of it.
#![allow(dead_code)]

use std::path::Path;

use minisign::KeyPair;
use sha2::{Digest, Sha256};
use undertone_slots::{
    Bounds, FileEntry, FileKind, Manifest, Moment, SIGNATURE_COMMENT, TrustedKeys, Version,
    write_bundle,
};

pub(crate) const BOARD: &str = "rpi-4";
pub(crate) const ARCH: &str = "aarch64";
pub(crate) const BOUNDS: Bounds = Bounds {
    max_starts: 3,
    deadline_s: 60,
};

/// A key pair, and the folder that trusts it.
pub(crate) struct Signer {
    pub(crate) pair: KeyPair,
    folder: tempfile::TempDir,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = pair.pk.to_box().unwrap().into_string();
        std::fs::write(folder.path().join("site.pub"), text).unwrap();
        Signer { pair, folder }
    }

    pub(crate) fn keys(&self) -> TrustedKeys {
        TrustedKeys::from_folder(self.folder.path()).unwrap()
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let signature = minisign::sign(
            Some(&self.pair.pk),
            &self.pair.sk,
            bytes,
            Some("version 1.0.0"),
            Some(SIGNATURE_COMMENT),
        );
        signature.unwrap().into_string().into_bytes()
    }
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// The content of a version's files, different for each version.
pub(crate) fn content(kind: FileKind, version: &str) -> Vec<u8> {
    format!("{} of {version}\n", kind.file_name())
        .repeat(200)
        .into_bytes()
}

pub(crate) fn manifest(of: &str, minimum: &str, kinds: &[FileKind]) -> Manifest {
    let entry = |kind: &FileKind| {
        let bytes = content(*kind, of);
        FileEntry {
            kind: *kind,
            bytes: bytes.len() as u64,
            sha256: Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        }
    };
    Manifest {
        format: 1,
        product: "undertone".into(),
        version: version(of),
        minimum_version: version(minimum),
        arch: ARCH.into(),
        boards: vec![BOARD.into(), "rpi-5".into()],
        files: kinds.iter().map(entry).collect(),
    }
}

/// A bundle of every kind of file.
pub(crate) fn bundle(signer: &Signer, of: &str, minimum: &str) -> Vec<u8> {
    pack(signer, &manifest(of, minimum, &FileKind::ALL), of)
}

/// A bundle with this manifest, signed.
pub(crate) fn pack(signer: &Signer, manifest: &Manifest, of: &str) -> Vec<u8> {
    let text = serde_json::to_vec(manifest).unwrap();
    let files: Vec<u8> = manifest
        .files
        .iter()
        .flat_map(|file| content(file.kind, of))
        .collect();
    raw(&signer.sign(&text), &text, &files)
}

pub(crate) fn raw(signature: &[u8], manifest: &[u8], files: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_bundle(&mut bytes, signature, manifest, &mut &files[..]).unwrap();
    bytes
}

/// A moment of one run of the machine.
pub(crate) fn at(uptime_s: f64) -> Moment {
    Moment {
        boot: "first".into(),
        uptime_s,
    }
}

/// The version that `current` leads to, read as the daemon's start would: by its files.
pub(crate) fn running(root: &Path) -> Option<String> {
    let program = std::fs::read_to_string(root.join("current/undertoned")).ok()?;
    let of = program.lines().next()?.rsplit(' ').next()?.to_owned();
    assert_eq!(
        program.as_bytes(),
        content(FileKind::Daemon, &of),
        "half a program runs"
    );
    for kind in FileKind::ALL {
        let found = std::fs::read(root.join("current").join(kind.file_name())).unwrap();
        assert!(found == content(kind, &of), "{kind:?} is not that of {of}");
    }
    Some(of)
}
