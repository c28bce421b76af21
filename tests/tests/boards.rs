//! Every `boards/*/board.toml` can be read by programs and agrees with its folder and with itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Board {
    name: String,
    title: String,
    target: String,
    target_32bit: Option<String>,
    sources: Vec<String>,
    cpu: Cpu,
    os: Os,
    audio: Vec<Audio>,
    serial: Vec<Serial>,
    governor: Governor,
    thermal: Thermal,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cpu {
    soc: String,
    core: String,
    cores: u32,
    max_mhz: u32,
    features: Vec<String>,
    memory_mib: Vec<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Os {
    name: String,
    glibc: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    I2s,
    Usb,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Audio {
    kind: Kind,
    device: String,
    setup: Vec<String>,
    alsa_card: Option<String>,
    rate_hz: Option<u32>,
    format: Option<String>,
    channels: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Serial {
    path: String,
    pins: String,
    setup: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Governor {
    default: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thermal {
    zone_type: String,
    throttle_c: Option<u32>,
    limit_c: Option<u32>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards")
}

fn boards() -> Vec<(PathBuf, Board)> {
    let mut boards: Vec<(PathBuf, Board)> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| {
            let text = fs::read_to_string(path.join("board.toml")).unwrap();
            let board =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, board)
        })
        .collect();
    boards.sort_by(|a, b| a.0.cmp(&b.0));
    boards
}

#[test]
fn the_promised_boards_are_there_and_the_readme_lists_them() {
    let names: Vec<String> = boards().into_iter().map(|(_, board)| board.name).collect();
    let promised = [
        "jetson-nano",
        "jetson-orin-nano",
        "rpi-3",
        "rpi-4",
        "rpi-5",
        "rpi-zero-2w",
    ];
    assert_eq!(names, promised);
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for (_, board) in boards() {
        let Board {
            name,
            title,
            cpu,
            os,
            ..
        } = &board;
        let row = format!(
            "| `{name}` | {title} | {} x {} | glibc {} |",
            cpu.cores, cpu.core, os.glibc
        );
        assert!(readme.contains(&row), "boards/README.md lacks: {row}");
    }
}

#[test]
fn a_board_is_named_like_its_folder_and_has_notes_and_sources() {
    for (path, board) in boards() {
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), board.name);
        let notes = fs::read_to_string(path.join("notes.md")).unwrap();
        assert!(
            notes.starts_with(&format!("# {}\n", board.title)),
            "{}",
            board.name
        );
        assert!(
            !board.sources.is_empty() && board.sources.iter().all(|source| source.len() > 10),
            "{}",
            board.name
        );
    }
}

#[test]
fn targets_and_numbers_are_possible() {
    for (_, board) in boards() {
        let name = &board.name;
        assert_eq!(board.target, "aarch64-unknown-linux-gnu", "{name}");
        if let Some(target) = &board.target_32bit {
            assert_eq!(target, "armv7-unknown-linux-gnueabihf", "{name}");
        }
        assert!(
            board.cpu.core.starts_with("Cortex-A") && !board.cpu.soc.is_empty(),
            "{name}"
        );
        assert!(
            (1..=16).contains(&board.cpu.cores) && (500..=4000).contains(&board.cpu.max_mhz),
            "{name}"
        );
        assert!(
            board.cpu.features.iter().any(|feature| feature == "neon"),
            "{name}"
        );
        assert!(
            board.cpu.memory_mib.is_sorted()
                && board.cpu.memory_mib.iter().all(|size| *size >= 256),
            "{name}"
        );
        let (major, minor) = board
            .os
            .glibc
            .split_once('.')
            .expect("glibc as major.minor");
        assert!(
            major == "2" && minor.parse::<u32>().is_ok() && !board.os.name.is_empty(),
            "{name}"
        );
        assert!(
            ["ondemand", "schedutil"].contains(&board.governor.default.as_str()),
            "{name}"
        );
        assert!(!board.thermal.zone_type.is_empty(), "{name}");
        match (board.thermal.throttle_c, board.thermal.limit_c) {
            (Some(throttle), Some(limit)) => assert!(throttle < limit && limit <= 110, "{name}"),
            (None, None) => {}
            half => panic!("{name}: throttle and limit come together, not {half:?}"),
        }
    }
}

#[test]
fn every_board_hears_and_speaks() {
    for (_, board) in boards() {
        let name = &board.name;
        assert!(
            board.audio.iter().any(|audio| audio.kind == Kind::Usb),
            "{name}"
        );
        for audio in &board.audio {
            assert!(!audio.device.is_empty(), "{name}");
            let fixed = audio.alsa_card.is_some()
                && audio
                    .rate_hz
                    .is_some_and(|rate| (8000..=192_000).contains(&rate))
                && audio
                    .channels
                    .is_some_and(|channels| (1..=8).contains(&channels))
                && audio
                    .format
                    .as_deref()
                    .is_some_and(|format| ["S16_LE", "S32_LE"].contains(&format));
            assert_eq!(
                fixed,
                audio.kind == Kind::I2s,
                "{name}: only an I2S card is known beforehand"
            );
            assert_eq!(
                audio.setup.is_empty(),
                audio.kind == Kind::Usb,
                "{name}: only USB needs no setup"
            );
        }
        assert!(!board.serial.is_empty(), "{name}");
        for serial in &board.serial {
            assert!(
                serial.path.starts_with("/dev/") && !serial.pins.is_empty(),
                "{name}"
            );
            assert_eq!(
                serial.setup.is_empty(),
                serial.path.starts_with("/dev/serial/by-id/"),
                "{name}"
            );
        }
    }
}

#[test]
fn the_configuration_of_every_board_is_one_that_the_daemon_takes() {
    for (path, board) in boards() {
        let file = path.join("undertoned.toml");
        let checked = Command::new(undertone_tests::daemon::program())
            .args(["--purpose", "evaluation", "--check", "--config"])
            .arg(&file)
            .output()
            .unwrap();
        let talk = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{}: {talk}", board.name);
        // It opens the board's I2S card as board.toml describes it.
        let text = fs::read_to_string(&file).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let source = table["source"].as_table().unwrap();
        let i2s = board.audio.iter().find(|audio| audio.kind == Kind::I2s);
        let i2s = i2s.unwrap();
        let card = i2s.alsa_card.as_ref().unwrap();
        assert_eq!(
            source["name"].as_str(),
            Some(format!("alsa:hw:CARD={card}").as_str())
        );
        let number = |value: Option<u32>| value.map(i64::from);
        assert_eq!(
            source["device_rate"].as_integer(),
            number(i2s.rate_hz),
            "{}",
            board.name
        );
        assert_eq!(source["device_channels"].as_integer(), number(i2s.channels));
        let format = source["device_format"].as_str().unwrap().to_uppercase() + "_LE";
        assert_eq!(Some(format), i2s.format);
    }
}

#[test]
fn the_unit_of_every_board_leaves_most_of_its_memory_to_the_rest() {
    let unit = folder().join("../firmware/daemon/systemd/undertoned.service");
    let unit = fs::read_to_string(unit).unwrap();
    for (path, board) in boards() {
        // As systemd reads them: what a drop-in says comes last, and the last one counts.
        let drop_in = path.join("undertoned.service.d/50-board.conf");
        let own = fs::read_to_string(&drop_in).unwrap_or_default();
        let lines: Vec<&str> = unit.lines().chain(own.lines()).collect();
        let limit = |name: &str| -> u32 {
            let value = lines.iter().rev().find_map(|line| line.strip_prefix(name));
            value.unwrap().strip_suffix('M').unwrap().parse().unwrap()
        };
        let repeats = |line: &&str| line.contains('=') && unit.lines().any(|other| other == *line);
        assert_eq!(own.lines().find(repeats), None, "{}", drop_in.display());
        assert_eq!(own.is_empty(), !drop_in.exists(), "{}", drop_in.display());
        assert!(
            own.is_empty() || own.contains("\n[Service]\n"),
            "{}",
            board.name
        );
        let (high, most) = (limit("MemoryHigh="), limit("MemoryMax="));
        let smallest = board.cpu.memory_mib[0];
        assert!(high < most && most * 3 < smallest, "{}", board.name);
    }
}
