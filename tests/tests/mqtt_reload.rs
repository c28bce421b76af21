//! A configuration that changes while events flow to a broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use undertone_tests::broker::{Broker, Seen, available};
use undertone_tests::daemon::{Daemon, bytes_of};

const RELOADS: usize = 8;

fn configure(folder: &Path, port: u16, on_disk: bool, keep_alive_s: usize) {
    let mut text = format!(
        "[deployment]\npurpose = \"evaluation\"\n[source]\nname = \"stdin\"\n\
         [mqtt]\nhost = \"localhost\"\nport = {port}\ndevice = \"testbox\"\nretry_max_s = 1\nkeep_alive_s = {keep_alive_s}\n"
    );
    if on_disk {
        let path = folder.join("outbox");
        text += &format!("[mqtt.outbox]\npath = \"{}\"\n", path.display());
    }
    std::fs::write(folder.join("undertoned.toml"), text).unwrap();
}

fn number(seen: &Seen) -> Option<u64> {
    seen.json()["seq"].as_u64()
}

#[test]
fn reloading_loses_no_event_of_an_outbox_on_the_disk() {
    if available() {
        reload(true);
    }
}

#[test]
fn reloading_loses_no_event_of_an_outbox_in_memory() {
    if available() {
        reload(false);
    }
}

/// Changes the sink again and again while its events are on their way: every one arrives, in order.
fn reload(on_disk: bool) {
    let broker = Broker::open();
    let subscriber = broker.subscribe();
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), broker.port(), on_disk, 30);
    let config = folder.path().join("undertoned.toml");
    let mut daemon = Daemon::start_with(&["--config", config.to_str().unwrap()], &[]);
    // It listens once its first samples have come.
    daemon.feed(&[0; 3200]);
    daemon.wait_for_talks("connected", 1);
    let mut sentences = bytes_of(&undertone_tests::speech()).split_off(44);
    sentences.extend([0; 32_000]);
    for round in 1..=RELOADS {
        daemon.feed(&sentences);
        configure(folder.path(), broker.port(), on_disk, 30 + round);
        daemon.signal("HUP");
        daemon.wait_for_talks("mqtt.keep_alive_s", round);
    }
    daemon.feed(&sentences);
    // Before the end: what is in memory only has no time after it.
    subscriber.wait("testbox/event", "the last end", |seen| {
        let is_end = |seen: &&Seen| seen.json()["kind"] == "end";
        seen.iter().filter(is_end).count() >= 2 * (RELOADS + 1)
    });
    let said = daemon.finish();
    let printed: BTreeSet<u64> = said
        .events()
        .iter()
        .filter_map(|event| event["seq"].as_u64())
        .collect();
    assert_eq!(said.code, Some(0), "{}", said.talk);
    let ends = said
        .events()
        .iter()
        .filter(|event| event["kind"] == "end")
        .count();
    assert_eq!(ends, 2 * (RELOADS + 1), "{}", said.talk);

    let seen = subscriber.wait("testbox/event", "the last event", |seen| {
        seen.iter()
            .filter_map(number)
            .collect::<BTreeSet<_>>()
            .len()
            >= printed.len()
    });
    let mut firsts = BTreeSet::new();
    let order: Vec<u64> = seen
        .iter()
        .filter_map(number)
        .filter(|seq| firsts.insert(*seq))
        .collect();
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(firsts, printed, "a hole");
    let boots: BTreeSet<String> = seen
        .iter()
        .map(|seen| seen.json()["boot_id"].to_string())
        .collect();
    assert_eq!(boots.len(), 1, "a reload is not a start: {boots:?}");
    let dropped = |seen: &&Seen| seen.json()["kind"] == "dropped";
    assert_eq!(seen.iter().filter(dropped).count(), 0);
}
