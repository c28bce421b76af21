//! What a report holds besides doctor's findings: logs, and what the system says of itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::program::ask;

type Texts = BTreeMap<String, String>;

const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a log that are kept: the last ones.
const LOG_BYTES: u64 = 1 << 20;
/// Log files, at most.
const MAX_LOGS: usize = 16;
/// Characters of a line that are kept.
const LINE: usize = 2000;

/// Files of the system that say what it is.
const FILES: [(&str, &str); 8] = [
    ("os-release", "/etc/os-release"),
    ("kernel", "/proc/version"),
    ("cpu", "/proc/cpuinfo"),
    ("memory", "/proc/meminfo"),
    ("load", "/proc/loadavg"),
    ("uptime", "/proc/uptime"),
    ("sound-cards", "/proc/asound/cards"),
    ("board", "/proc/device-tree/model"),
];

/// Programs that say more. None of them tells an environment.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("disk", &["df", "-h"]),
    ("usb", &["lsusb"]),
    ("clock", &["timedatectl"]),
    ("throttled", &["vcgencmd", "get_throttled"]),
    (
        "packages",
        &["dpkg-query", "-W", "undertoned", "libasound2", "libc6"],
    ),
    (
        "service",
        &[
            "systemctl",
            "show",
            "undertoned.service",
            "--property=LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,FragmentPath,DropInPaths,MemoryCurrent",
        ],
    ),
];

/// Words in lines of the kernel that are of interest: sound, USB, power, heat, disk, memory.
const KERNEL: [&str; 9] = [
    "usb",
    "snd",
    "sound",
    "voltage",
    "thermal",
    "mmc",
    "ext4",
    "i/o error",
    "out of memory",
];

/// What the files say.
pub(super) fn system() -> Texts {
    let read = |(name, path): (&str, &str)| {
        let mut bytes = Vec::new();
        fs::File::open(path)
            .ok()?
            .take(LOG_BYTES)
            .read_to_end(&mut bytes)
            .ok()?;
        // The device tree ends its texts with a zero.
        let text = String::from_utf8_lossy(&bytes).replace('\0', "");
        (!text.trim().is_empty()).then(|| (format!("system/{name}.txt"), text))
    };
    FILES.into_iter().filter_map(read).collect()
}

/// What the programs say.
pub(super) fn commands() -> Texts {
    let said = |(name, words): (&str, &[&str])| {
        let answer = ask(words, PATIENCE)?;
        let text = answer.text;
        (!text.trim().is_empty()).then(|| (format!("system/{name}.txt"), text))
    };
    COMMANDS.into_iter().filter_map(said).collect()
}

/// A log as it is.
pub(super) struct Log {
    pub(super) name: String,
    pub(super) text: String,
}

/// The logs: the journal of the service and of the kernel where there is one, and log files; and what was left out.
pub(super) fn logs(named: &[PathBuf]) -> (Vec<Log>, Vec<String>) {
    let (mut logs, mut left_out) = (Vec::new(), Vec::new());
    let journal = |words: &[&str]| {
        let fixed = ["journalctl", "--no-pager", "--quiet", "-o", "short-iso"];
        let answer = ask(&[&fixed, words].concat(), PATIENCE)?;
        (answer.succeeded && !answer.text.trim().is_empty()).then_some(answer.text)
    };
    let mut add = |name: &str, text: String| {
        let name = name.to_owned();
        logs.push(Log { name, text });
    };
    match journal(&["-u", "undertoned.service", "-n", "2000"]) {
        Some(text) => add("journal.txt", text),
        None => left_out
            .push("the journal of undertoned.service: none, or not readable for this user".into()),
    }
    if let Some(text) = journal(&["-k", "-n", "2000"]) {
        add("kernel.txt", of_interest(&text));
    }
    let mut files = named.to_vec();
    files.extend(found(Path::new("/var/log")));
    files.truncate(MAX_LOGS);
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        match tail(&file) {
            Ok(text) => add(&name, text),
            Err(reason) => left_out.push(format!("{}: {reason}", file.display())),
        }
    }
    (logs, left_out)
}

/// Log files of the daemon, where somebody redirects it to one.
fn found(folder: &Path) -> Vec<PathBuf> {
    let listed = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_file() && name.starts_with("undertone") && name.ends_with(".log")
    };
    let here = listed(folder).map(|entry| entry.path()).filter(ours);
    let below = listed(&folder.join("undertone"))
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|kind| kind == "log"));
    here.chain(below).collect()
}

/// The end of a log file. What is not text may be anything, sound for instance.
fn tail(path: &Path) -> Result<String, String> {
    let shown = |error: std::io::Error| error.to_string();
    let mut file = fs::File::open(path).map_err(shown)?;
    let about = file.metadata().map_err(shown)?;
    if !about.is_file() {
        return Err("it is not a regular file".into());
    }
    let from = about.len().saturating_sub(LOG_BYTES);
    file.seek(SeekFrom::Start(from)).map_err(shown)?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES)
        .read_to_end(&mut bytes)
        .map_err(shown)?;
    // A line is kept whole or not at all: half a secret would not be recognised.
    let whole = match bytes.iter().position(|byte| *byte == b'\n') {
        _ if from == 0 => 0,
        Some(at) => at + 1,
        None => bytes.len(),
    };
    match String::from_utf8(bytes.split_off(whole)) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err("it is not text".into()),
    }
}

/// No line without end.
pub(super) fn cut(text: &str) -> String {
    let short = |line: &str| match line.char_indices().nth(LINE) {
        Some((at, _)) => format!("{} (cut)\n", &line[..at]),
        None => format!("{line}\n"),
    };
    text.lines().map(short).collect()
}

fn of_interest(text: &str) -> String {
    let wanted = |line: &&str| {
        let line = line.to_lowercase();
        KERNEL.iter().any(|word| line.contains(word)) && !line.contains("command line")
    };
    let lines = text.lines().filter(wanted);
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_log_the_end_is_kept_and_no_line_is_endless() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("undertoned.log");
        let line = "ä".repeat(1000) + "\n";
        fs::write(&path, line.repeat(2000) + "the end\n").unwrap();
        let text = tail(&path).unwrap();
        assert!(text.len() as u64 <= LOG_BYTES && text.ends_with("the end\n"));
        assert_eq!(found(folder.path()), std::slice::from_ref(&path));
        fs::write(&path, "x".repeat(3 << 20)).unwrap();
        assert_eq!(tail(&path).unwrap(), "");
        assert_eq!(cut(&"x".repeat(LINE + 5)), "x".repeat(LINE) + " (cut)\n");
    }

    #[test]
    fn what_is_not_text_is_no_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        for bytes in [&b"RIFF\0\0WAVE"[..], b"\x80\x81\xff\xfe text", b"ok \xff"] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(tail(&path).unwrap_err(), "it is not text", "{bytes:?}");
        }
        assert!(tail(folder.path()).is_err());
    }

    #[test]
    fn of_the_kernel_only_lines_about_devices_are_kept() {
        let text = "Command line: usb password=x\nusb 1-2: new device\nwlan0: associated\nUnder-voltage detected!\n";
        assert_eq!(
            of_interest(text),
            "usb 1-2: new device\nUnder-voltage detected!\n"
        );
    }
}
