//! Damaged and rearranged bundles: none is accepted, none panics, none makes the reader read more than a bundle may claim.
//!
//! The long form: `UNDERTONE_MUTATIONS=1000000 cargo test --release --workspace --test bundle_mutation -- --ignored --nocapture`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};

use support::{Signer, bundle, manifest, raw};
use undertone_slots::{
    Bundle, FileKind, MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES, Manifest, SlotsError, TrustedKeys,
};

/// Header, signature and manifest: nothing behind them is read before the signature holds.
const FRONT: u64 = 16 + MAX_SIGNATURE_BYTES as u64 + MAX_MANIFEST_BYTES as u64;

/// What a refused bundle may be called.
const REFUSALS: [&str; 7] = [
    "not-a-bundle",
    "truncated",
    "tampered",
    "too-large",
    "unsigned",
    "foreign-key",
    "bad-manifest",
];

/// Numbers that are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn byte(&mut self) -> u8 {
        [0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', self.below(256) as u8][self.below(8)]
    }

    /// A place in so many bytes: every other one where header, signature and manifest are.
    fn place(&mut self, length: usize) -> usize {
        let within = [length, length.min(16), length.min(700), length][self.below(4)];
        self.below(within)
    }

    /// A part of so many bytes, at most 300 long.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.place(length);
        let end = start + self.below(300.min(length - start + 1));
        start..end
    }
}

/// Counts what is read of it.
struct Counted<'a, R>(R, &'a Cell<u64>);

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.set(self.1.get() + count as u64);
        Ok(count)
    }
}

/// Changes one thing; `other` is another bundle of the same signer.
fn damage(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let length = bytes.len();
    match random.below(9) {
        0 if length > 0 => bytes[random.place(length)] ^= 1 << random.below(8),
        1 if length > 0 => bytes[random.place(length)] = random.byte(),
        // The lengths in the header.
        2 if length >= 16 => bytes[8 + random.below(8)] = random.byte(),
        3 => bytes.truncate(random.place(length)),
        4 => bytes.insert(random.place(length), random.byte()),
        5 => drop(bytes.drain(random.part(length))),
        6 => {
            let copy = bytes[random.part(length)].to_vec();
            let at = random.place(length);
            bytes.splice(at..at, copy);
        }
        7 => {
            let part = random.part(length.min(other.len()));
            bytes[part.clone()].copy_from_slice(&other[part]);
        }
        // One bundle's beginning, the other's end.
        _ => {
            bytes.truncate(random.place(length));
            bytes.extend(&other[bytes.len().min(other.len())..]);
        }
    }
}

fn read(source: impl Read, keys: &TrustedKeys) -> Result<Vec<(FileKind, Vec<u8>)>, SlotsError> {
    let mut files = Vec::new();
    Bundle::open(source, keys)?.files(|entry, content| {
        let mut bytes = Vec::new();
        content
            .read_to_end(&mut bytes)
            .map_err(|_| SlotsError::Truncated { what: "it".into() })?;
        files.push((entry.kind, bytes));
        Ok(())
    })?;
    Ok(files)
}

/// Damages a bundle so often; how often it was refused for what.
fn damaged(cases: u64) -> BTreeMap<&'static str, u64> {
    let signer = Signer::new();
    let keys = signer.keys();
    let good = bundle(&signer, "1.0.0", "0.0.0");
    let other = bundle(&signer, "1.0.1", "1.0.0");
    assert!(read(&good[..], &keys).is_ok() && read(&other[..], &keys).is_ok());
    let mut refused = BTreeMap::new();
    for seed in 0..cases {
        let mut random = Random(seed);
        let mut bytes = good.clone();
        for _ in 0..=random.below(3) {
            damage(&mut bytes, &other, &mut random);
        }
        if bytes == good || bytes == other {
            continue;
        }
        let Err(error) = read(&bytes[..], &keys) else {
            panic!("seed {seed} is accepted");
        };
        assert!(REFUSALS.contains(&error.code()), "seed {seed}: {error}");
        *refused.entry(error.code()).or_default() += 1;
        // The same as a stream that does not end, read with a key, and looked at without one.
        for trusting in [false, true] {
            let count = Cell::new(0);
            let endless = Counted((&bytes[..]).chain(io::repeat(0)), &count);
            let _ = if trusting {
                Bundle::open_unverified(endless).map(drop)
            } else {
                Bundle::open(endless, &keys).map(drop)
            };
            assert!(count.get() <= FRONT, "seed {seed}: {} bytes", count.get());
        }
    }
    refused
}

/// Damages manifests before they are signed so often; how many were accepted, and refused for what.
fn damaged_and_signed(cases: u64) -> (u64, BTreeMap<&'static str, u64>) {
    let signer = Signer::new();
    let keys = signer.keys();
    let text = serde_json::to_vec(&manifest("1.0.0", "0.0.0", &FileKind::ALL)).unwrap();
    let other = serde_json::to_vec(&manifest("12.0.1", "2.0.0", &[FileKind::Daemon])).unwrap();
    let files: Vec<u8> = FileKind::ALL
        .into_iter()
        .flat_map(|kind| support::content(kind, "1.0.0"))
        .collect();
    let (mut accepted, mut refused) = (0, BTreeMap::new());
    for seed in 0..cases {
        let mut random = Random(seed);
        let mut changed = text.clone();
        for _ in 0..=random.below(2) {
            damage(&mut changed, &other, &mut random);
        }
        let bytes = raw(&signer.sign(&changed), &changed, &files);
        match read(&bytes[..], &keys) {
            Ok(taken) => {
                accepted += 1;
                let whole: Vec<u8> = taken.into_iter().flat_map(|(_, bytes)| bytes).collect();
                assert_eq!(whole, files, "seed {seed}: {}", shown(&changed));
                let read = Manifest::parse(&changed).unwrap();
                let again = Manifest::parse(&serde_json::to_vec(&read).unwrap()).unwrap();
                assert_eq!(read, again, "seed {seed}: {}", shown(&changed));
            }
            Err(error) => {
                let code = error.code();
                assert!(REFUSALS.contains(&code), "seed {seed}: {error}");
                *refused.entry(code).or_default() += 1;
            }
        }
    }
    (accepted, refused)
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn damaged_and_rearranged_bundles_are_refused() {
    let refused = damaged(4_000);
    for code in ["not-a-bundle", "truncated", "tampered", "too-large"] {
        assert!(
            refused.get(code).is_some_and(|count| *count > 20),
            "{refused:?}"
        );
    }
}

#[test]
fn damaged_manifests_with_a_right_signature_are_refused_or_mean_what_they_say() {
    let (accepted, refused) = damaged_and_signed(1_000);
    assert!(refused["bad-manifest"] > 500, "{refused:?}");
    // Another version or another board is a manifest like any other.
    assert!(accepted > 0 && accepted < 200, "{accepted}");
}

#[test]
#[ignore = "the long form; see the head of the file"]
fn many_more_damaged_bundles_are_refused() {
    let cases = std::env::var("UNDERTONE_MUTATIONS").map_or(1_000_000, |cases| {
        cases.parse().expect("UNDERTONE_MUTATIONS is a number")
    });
    println!("damaged: {:?}", damaged(cases));
    let (accepted, refused) = damaged_and_signed(cases / 10);
    println!("damaged, then signed: {accepted} accepted, {refused:?}");
}
