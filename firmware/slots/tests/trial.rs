//! A new version on trial: it stays when it is well, and is taken back when it is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use support::{ARCH, BOARD, BOUNDS, Signer, at, bundle, running, version};
use undertone_slots::{Decision, Ending, FileKind, Moment, Slot, SlotStatus, Slots, SlotsError};

struct Box {
    signer: Signer,
    folder: tempfile::TempDir,
}

impl Box {
    fn new() -> Self {
        Box {
            signer: Signer::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn slots(&self) -> Slots {
        Slots::open(self.root(), None).unwrap()
    }

    fn install(&self, version: &str, minimum: &str) -> Result<Slot, SlotsError> {
        let bytes = bundle(&self.signer, version, minimum);
        let keys = self.signer.keys();
        let installed = self
            .slots()
            .install(&bytes[..], &keys, BOARD, ARCH, &at(0.0));
        installed.map(|(slot, _)| slot)
    }

    fn committed(&self, version: &str, minimum: &str) {
        self.install(version, minimum).unwrap();
        self.slots().commit().unwrap();
    }
}

#[test]
fn versions_take_turns_in_the_two_slots() {
    let own = Box::new();
    assert_eq!(own.install("1.0.0", "0.0.0").unwrap(), Slot::A);
    own.slots().commit().unwrap();
    assert_eq!(own.install("1.1.0", "0.0.0").unwrap(), Slot::B);
    own.slots().commit().unwrap();
    assert_eq!(own.install("1.2.0", "0.0.0").unwrap(), Slot::A);
    assert_eq!(running(own.root()).as_deref(), Some("1.2.0"));
}

#[test]
fn a_version_that_starts_too_often_is_taken_back() {
    let own = Box::new();
    own.committed("1.0.0", "0.0.0");
    own.install("1.1.0", "0.0.0").unwrap();
    for start in 0..BOUNDS.max_starts {
        let decision = own.slots().starting(BOUNDS, &at(f64::from(start)));
        assert_eq!(decision.unwrap(), Decision::Trying(Slot::B));
        assert_eq!(running(own.root()).as_deref(), Some("1.1.0"));
    }
    let decision = own.slots().starting(BOUNDS, &at(4.0)).unwrap();
    assert_eq!(decision, Decision::WentBack(Some(Slot::A)));
    assert_eq!(running(own.root()).as_deref(), Some("1.0.0"));
    let last = own.slots().state().last.clone().unwrap();
    assert_eq!(
        (last.version, last.ending),
        (version("1.1.0"), Ending::RolledBack)
    );
}

#[test]
fn a_version_that_restarts_the_machine_again_and_again_is_taken_back() {
    let own = Box::new();
    own.committed("1.0.0", "0.0.0");
    own.install("1.1.0", "0.0.0").unwrap();
    let boot = |number: u32| Moment {
        boot: format!("boot {number}"),
        uptime_s: 5.0,
    };
    for number in 0..BOUNDS.max_starts {
        own.slots().starting(BOUNDS, &boot(number)).unwrap();
    }
    own.slots().starting(BOUNDS, &boot(9)).unwrap();
    assert_eq!(running(own.root()).as_deref(), Some("1.0.0"));
}

#[test]
fn a_version_that_is_not_committed_in_time_is_taken_back() {
    let own = Box::new();
    own.committed("1.0.0", "0.0.0");
    own.install("1.1.0", "0.0.0").unwrap();
    let overdue = |uptime| own.slots().overdue(BOUNDS, &at(uptime)).unwrap();
    assert_eq!(overdue(60.0), Decision::Trying(Slot::B));
    assert_eq!(overdue(60.5), Decision::WentBack(Some(Slot::A)));
    assert_eq!(overdue(61.0), Decision::Settled);
    assert_eq!(running(own.root()).as_deref(), Some("1.0.0"));
}

#[test]
fn a_first_version_that_fails_leaves_the_packaged_program() {
    let own = Box::new();
    own.install("1.0.0", "0.0.0").unwrap();
    let decision = own.slots().overdue(BOUNDS, &at(100.0)).unwrap();
    assert_eq!(decision, Decision::WentBack(None));
    assert_eq!(Slots::look(own.root()).unwrap().current(), None);
}

#[test]
fn the_minimum_version_counts_from_the_commit_on_and_never_sinks() {
    let own = Box::new();
    own.committed("1.0.0", "0.0.0");
    own.install("2.0.0", "2.0.0").unwrap();
    // Not well: the floor must not have risen.
    own.slots().overdue(BOUNDS, &at(100.0)).unwrap();
    own.committed("1.5.0", "0.0.0");
    own.committed("2.0.0", "2.0.0");
    assert_eq!(own.install("1.9.9", "0.0.0").unwrap_err().code(), "too-old");
    assert_eq!(own.slots().rollback(false).unwrap_err().code(), "too-old");
    assert_eq!(running(own.root()).as_deref(), Some("2.0.0"));
    own.committed("2.1.0", "0.5.0");
    assert_eq!(own.slots().state().floor, version("2.0.0"));
    own.slots().rollback(false).unwrap();
    assert_eq!(running(own.root()).as_deref(), Some("2.0.0"));
}

#[test]
fn going_back_by_hand_works_once_and_says_so_when_there_is_nothing() {
    let own = Box::new();
    assert_eq!(
        own.slots().rollback(false).unwrap_err().code(),
        "nothing-before"
    );
    own.committed("1.0.0", "0.0.0");
    own.committed("1.1.0", "0.0.0");
    assert_eq!(own.slots().rollback(false).unwrap(), Some(Slot::A));
    assert_eq!(running(own.root()).as_deref(), Some("1.0.0"));
    assert_eq!(
        own.slots().rollback(false).unwrap_err().code(),
        "nothing-before"
    );
    assert_eq!(own.slots().rollback(true).unwrap(), None);
    assert_eq!(Slots::look(own.root()).unwrap().current(), None);
}

#[test]
fn a_version_that_failed_is_not_offered_as_a_way_back() {
    let own = Box::new();
    own.committed("1.0.0", "0.0.0");
    own.install("1.1.0", "0.0.0").unwrap();
    own.slots().overdue(BOUNDS, &at(100.0)).unwrap();
    assert_eq!(
        own.slots().rollback(false).unwrap_err().code(),
        "nothing-before"
    );
}

#[test]
fn a_slot_that_was_changed_is_never_gone_back_to() {
    let own = Box::new();
    own.committed("1.0.0", "0.0.0");
    own.install("1.1.0", "0.0.0").unwrap();
    let program = own.root().join("a").join(FileKind::Daemon.file_name());
    let mut bytes = std::fs::read(&program).unwrap();
    bytes[7] ^= 1;
    std::fs::write(&program, bytes).unwrap();
    assert_eq!(
        own.slots().rollback(false).unwrap_err().code(),
        "damaged-slot"
    );
    let decision = own.slots().overdue(BOUNDS, &at(100.0)).unwrap();
    assert_eq!(decision, Decision::WentBack(None));
}

#[test]
fn two_commands_do_not_work_on_the_slots_at_once() {
    let own = Box::new();
    let slots = own.slots();
    assert_eq!(Slots::open(own.root(), None).unwrap_err().code(), "busy");
    drop(slots);
    own.slots();
}

#[test]
fn another_installation_waits_until_the_trial_is_over() {
    let own = Box::new();
    own.install("1.0.0", "0.0.0").unwrap();
    assert_eq!(
        own.install("1.1.0", "0.0.0").unwrap_err().code(),
        "trial-pending"
    );
    own.slots().commit().unwrap();
    assert_eq!(own.slots().commit().unwrap_err().code(), "no-trial");
    own.install("1.1.0", "0.0.0").unwrap();
}

#[test]
fn a_state_that_cannot_be_read_stops_changes_and_not_the_daemon() {
    let own = Box::new();
    own.committed("1.0.0", "0.0.0");
    std::fs::write(own.root().join("state.json"), "{").unwrap();
    assert_eq!(
        Slots::open(own.root(), None).unwrap_err().code(),
        "bad-state"
    );
    assert_eq!(Slots::look(own.root()).unwrap_err().code(), "bad-state");
    let contents = Slots::contents(own.root()).unwrap().unwrap();
    assert_eq!(contents.slot, Slot::A);
}

#[test]
fn the_unit_follows_the_current_slot() {
    let own = Box::new();
    let link = own.folder.path().join("undertoned.service");
    let linked = || Slots::open(own.root(), Some(&link)).unwrap();
    own.committed("1.0.0", "0.0.0");
    let read = || std::fs::read_to_string(&link).unwrap();
    // A box whose settings name the link only now.
    linked();
    assert!(read().contains("1.0.0"));
    own.install("1.1.0", "0.0.0").unwrap();
    assert!(read().contains("1.1.0"));
    linked().rollback(true).unwrap();
    assert!(std::fs::symlink_metadata(&link).is_err());
    let bytes = bundle(&own.signer, "1.2.0", "0.0.0");
    linked()
        .install(&bytes[..], &own.signer.keys(), BOARD, ARCH, &at(0.0))
        .unwrap();
    assert!(read().contains("1.2.0"));
}

#[test]
fn a_unit_of_somebody_else_in_the_links_place_is_not_taken_away() {
    let own = Box::new();
    own.committed("1.0.0", "0.0.0");
    let link = own.folder.path().join("undertoned.service");
    std::fs::write(&link, "mine").unwrap();
    let mut slots = Slots::open(own.root(), Some(&link)).unwrap();
    slots.rollback(true).unwrap();
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "mine");
}

#[test]
fn a_unit_that_cannot_be_linked_is_told_and_keeps_no_way_back_closed() {
    let own = Box::new();
    let link = Path::new("/nowhere/undertoned.service");
    let linked = || Slots::open(own.root(), Some(link)).unwrap();
    let bytes = bundle(&own.signer, "1.0.0", "0.0.0");
    let installed = linked().install(&bytes[..], &own.signer.keys(), BOARD, ARCH, &at(0.0));
    let error = installed.unwrap_err().to_string();
    assert!(error.contains("/nowhere/undertoned.service"), "{error}");
    linked().rollback(true).unwrap();
    assert_eq!(linked().current(), None);
}

#[test]
fn looking_makes_and_clears_nothing() {
    let own = Box::new();
    let nowhere = own.root().join("slots");
    let view = Slots::look(&nowhere).unwrap();
    assert_eq!((view.current(), view.status().a), (None, SlotStatus::Empty));
    assert!(!nowhere.exists());

    own.committed("1.0.0", "0.0.0");
    own.install("1.1.0", "0.0.0").unwrap();
    std::fs::create_dir(own.root().join("incoming")).unwrap();
    // The switch that a power cut came before.
    std::fs::remove_file(own.root().join("current")).unwrap();
    std::os::unix::fs::symlink("a", own.root().join("current")).unwrap();
    let state = std::fs::read(own.root().join("state.json")).unwrap();
    let held = own.root().join("lock");
    let lock = std::fs::File::open(&held).unwrap();
    lock.lock().unwrap();
    let status = Slots::look(own.root()).unwrap().status();
    assert_eq!(status.current, Some(Slot::A));
    assert_eq!(status.state.trial, None);
    assert_eq!(status.state.last.unwrap().ending, Ending::RolledBack);
    assert!(own.root().join("incoming").exists());
    assert_eq!(std::fs::read(own.root().join("state.json")).unwrap(), state);
}

#[test]
fn everybody_may_read_what_is_installed_whatever_the_process_masks() {
    let own = Box::new();
    let root = own.root().join("slots");
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let bytes = bundle(&own.signer, "1.0.0", "0.0.0");
    let installed = Slots::open(&root, None).unwrap().install(
        &bytes[..],
        &own.signer.keys(),
        BOARD,
        ARCH,
        &at(0.0),
    );
    rustix::process::umask(before);
    installed.unwrap();
    for (name, mode) in [
        ("", 0o755),
        ("a", 0o755),
        ("a/undertoned", 0o755),
        ("a/manifest.json", 0o644),
        ("a/model.onnx", 0o644),
        ("state.json", 0o644),
    ] {
        let about = std::fs::metadata(root.join(name)).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, mode, "{name:?}");
    }
}
