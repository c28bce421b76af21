//! Whatever step the power is cut at, the old version runs or the new one does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/cut.rs"]
mod cut;
mod support;

use std::path::{Path, PathBuf};

use cut::CutFs;
use support::{ARCH, BOARD, BOUNDS, Signer, at, bundle, running};
use undertone_slots::{Decision, Ending, SlotStatus, Slots, SlotsError};

/// A box that runs 1.0.0 and had 0.9.0 before.
fn old_box(signer: &Signer, root: &Path) {
    for version in ["0.9.0", "1.0.0"] {
        install(signer, root, version);
        Slots::open(root, None).unwrap().commit().unwrap();
    }
}

fn install(signer: &Signer, root: &Path, version: &str) {
    let bytes = bundle(signer, version, "0.0.0");
    let mut slots = Slots::open(root, None).unwrap();
    slots
        .install(&bytes[..], &signer.keys(), BOARD, ARCH, &at(0.0))
        .unwrap();
}

/// The link of the service's unit.
fn link(root: &Path) -> PathBuf {
    root.with_file_name("units").join("undertoned.service")
}

/// A unit that is there leads somewhere; one that is not there is the packaged one.
fn must_start(root: &Path, step: usize) {
    if std::fs::symlink_metadata(link(root)).is_ok() {
        let unit = std::fs::read_to_string(link(root));
        assert!(unit.is_ok(), "step {step}: the unit leads nowhere");
    }
}

/// A box whose unit is that of its slot.
fn linked(root: &Path) {
    Slots::open(root, Some(&link(root))).unwrap();
    assert!(link(root).is_symlink());
}

/// Does something to a box again and again, each time cut one step later, until it is not cut any more; the number of
/// steps.
fn cut_everywhere(
    prepare: impl Fn(&Path),
    act: impl Fn(&mut Slots<&CutFs>) -> Result<(), SlotsError>,
    check: impl Fn(&Path, usize),
) -> usize {
    for lazy in [false, true] {
        for step in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("slots");
            std::fs::create_dir(folder.path().join("units")).unwrap();
            prepare(&root);
            let disk = CutFs::after(step);
            let outcome = Slots::open_on(&root, Some(&link(&root)), &disk)
                .and_then(|mut slots| act(&mut slots));
            if outcome.is_ok() {
                must_start(&root, step);
                check(&root, step);
                if lazy {
                    return step;
                }
                break;
            }
            if lazy {
                disk.forget();
            }
            must_start(&root, step);
            check(&root, step);
        }
    }
    unreachable!("the loop ends when nothing is cut")
}

#[test]
fn an_installation_that_is_cut_leaves_the_old_or_the_new() {
    let signer = Signer::new();
    let new = bundle(&signer, "1.1.0", "0.0.0");
    let steps = cut_everywhere(
        |root| old_box(&signer, root),
        |slots| {
            slots
                .install(&new[..], &signer.keys(), BOARD, ARCH, &at(0.0))
                .map(|_| ())
        },
        |root, step| {
            let runs = running(root);
            assert!(
                [Some("1.0.0"), Some("1.1.0")].contains(&runs.as_deref()),
                "step {step}: {runs:?}"
            );
            // The next start finds its way, and a new version is never without somebody who watches it.
            let mut slots = Slots::open(root, None).unwrap();
            let decision = slots.starting(BOUNDS, &at(1.0)).unwrap();
            let new = runs.as_deref() == Some("1.1.0");
            assert_eq!(decision != Decision::Settled, new, "step {step}");
            assert_eq!(running(root), runs, "step {step}");
            drop(slots);
            if !new {
                install(&signer, root, "1.1.0");
            }
            let mut slots = Slots::open(root, None).unwrap();
            slots.rollback(false).unwrap();
            assert_eq!(running(root).as_deref(), Some("1.0.0"), "step {step}");
        },
    );
    assert!(steps > 20, "only {steps} steps were cut");
}

#[test]
fn the_first_installation_that_is_cut_leaves_nothing_or_the_new() {
    let signer = Signer::new();
    let new = bundle(&signer, "1.0.0", "0.0.0");
    cut_everywhere(
        |_| (),
        |slots| {
            slots
                .install(&new[..], &signer.keys(), BOARD, ARCH, &at(0.0))
                .map(|_| ())
        },
        |root, step| {
            let runs = running(root);
            assert!(
                [None, Some("1.0.0")].contains(&runs.as_deref()),
                "step {step}"
            );
            let slots = Slots::open(root, None).unwrap();
            assert_eq!(slots.state().trial.is_some(), runs.is_some(), "step {step}");
        },
    );
}

#[test]
fn a_commit_that_is_cut_leaves_a_trial_or_a_committed_slot() {
    let signer = Signer::new();
    cut_everywhere(
        |root| {
            old_box(&signer, root);
            install(&signer, root, "1.1.0");
        },
        |slots| slots.commit().map(|_| ()),
        |root, step| {
            assert_eq!(running(root).as_deref(), Some("1.1.0"), "step {step}");
            let slots = Slots::open(root, None).unwrap();
            assert!(matches!(slots.status().a, SlotStatus::Intact { .. }));
            assert!(matches!(slots.status().b, SlotStatus::Intact { .. }));
        },
    );
}

#[test]
fn going_back_that_is_cut_leaves_the_old_or_the_new() {
    let signer = Signer::new();
    cut_everywhere(
        |root| {
            old_box(&signer, root);
            install(&signer, root, "1.1.0");
        },
        |slots| slots.overdue(BOUNDS, &at(1000.0)).map(|_| ()),
        |root, step| {
            let runs = running(root);
            assert!(
                [Some("1.0.0"), Some("1.1.0")].contains(&runs.as_deref()),
                "step {step}: {runs:?}"
            );
            let mut slots = Slots::open(root, None).unwrap();
            slots.overdue(BOUNDS, &at(1000.0)).unwrap();
            assert_eq!(running(root).as_deref(), Some("1.0.0"), "step {step}");
            assert_eq!(slots.state().trial, None, "step {step}");
            let last = slots.state().last.clone().unwrap();
            assert_eq!(last.ending, Ending::RolledBack, "step {step}");
        },
    );
}

#[test]
fn going_back_to_the_packaged_program_that_is_cut_leaves_a_unit_that_starts() {
    let signer = Signer::new();
    let steps = cut_everywhere(
        |root| {
            old_box(&signer, root);
            linked(root);
        },
        |slots| slots.rollback(true).map(|_| ()),
        |root, step| {
            // The next command finds the unit as `current` wants it.
            let slots = Slots::open(root, Some(&link(root))).unwrap();
            let runs = slots.current().is_some();
            assert_eq!(link(root).is_symlink(), runs, "step {step}");
            let last = slots.state().last.clone().unwrap();
            assert_eq!(last.ending == Ending::Committed, runs, "step {step}");
        },
    );
    assert!(steps > 8, "only {steps} steps were cut");
}

#[test]
fn going_back_by_hand_that_is_cut_is_told_as_that_and_offers_no_way_to_itself() {
    let signer = Signer::new();
    cut_everywhere(
        |root| old_box(&signer, root),
        |slots| slots.rollback(false).map(|_| ()),
        |root, step| {
            let slots = Slots::open(root, None).unwrap();
            let back = running(root).as_deref() == Some("0.9.0");
            let state = slots.state();
            assert_eq!(state.previous.is_none(), back, "step {step}");
            let ending = state.last.as_ref().unwrap().ending;
            assert_eq!(ending == Ending::RolledBackByHand, back, "step {step}");
        },
    );
}
