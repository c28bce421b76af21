//! The microphone's own mute switch, seen through ALSA's mixer, closes the device.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use undertone_tests::daemon::Daemon;
use undertone_tests::pulse::{DEVICE, Rig};
use undertone_tests::speech;

#[test]
fn a_microphone_that_is_switched_off_is_closed_and_heard_again_once_it_is_on() {
    let Some(rig) = Rig::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("undertoned.toml");
    let config = format!("[source]\nname = \"alsa:{DEVICE}\"\nmixer = \"{DEVICE}\"\n");
    std::fs::write(&path, config).unwrap();
    let mut daemon = Daemon::start(&["--config", path.to_str().unwrap()], &rig.env());
    daemon.wait_for_talk("listening");
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(rig.listeners(), 1);

    let mut player = rig.begin_to_play(&speech());
    daemon.wait_for_lines("\"start\"", 1);
    rig.switch(false);
    daemon.wait_for_lines("\"mute\"", 1);
    daemon.wait_for_talk("is muted by its own switch");
    player.wait().unwrap();
    assert_eq!(rig.listeners(), 0, "the device is not closed");

    rig.switch(true);
    daemon.wait_for_talk("is no longer muted");
    rig.play(&speech());
    daemon.wait_for_lines("\"silence\"", 2);
    daemon.signal("TERM");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let reasons: Vec<_> = run
        .events()
        .into_iter()
        .filter(|event| event["kind"] == "end")
        .map(|event| event["reason"].clone())
        .collect();
    assert_eq!(reasons, ["mute", "silence", "silence"]);
}
