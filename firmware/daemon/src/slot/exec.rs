//! Becoming the daemon of the current slot.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use undertone_slots::{Contents, Settings, Slots, SlotsError};

use super::Outcome;
use crate::say_line;

/// What tells which machine a program is for: its first bytes up to `e_machine` (ELF).
const HEADER: usize = 20;

/// Becomes the daemon of the current slot. It asks for no lock and no state, and where that daemon cannot be run it says so
/// and becomes the packaged one: a box must come up whatever its slots are like.
pub(super) fn exec(settings: &Settings, arguments: &[OsString]) -> Result<Outcome, SlotsError> {
    let own = std::env::current_exe().unwrap_or_else(|_| "undertoned".into());
    match Slots::contents(&settings.root) {
        Ok(None) => {}
        Ok(Some(slot)) => {
            let reason = match is_for_this_machine(&slot.daemon, &own) {
                Ok(()) => command(&slot.daemon, settings, Some(&slot), arguments).exec(),
                Err(reason) => reason,
            };
            let what = format!(
                "slot {}: cannot run {}: {reason}",
                slot.slot,
                slot.daemon.display()
            );
            say_fallback(&what);
        }
        Err(error) => say_fallback(&error),
    }
    let reason = command(&own, settings, None, arguments).exec();
    Err(SlotsError::Io {
        action: "run",
        path: own,
        reason,
    })
}

fn say_fallback(what: &dyn std::fmt::Display) {
    say_line(format_args!(
        "{what}; the packaged program runs instead (next: sudo undertoned slot status)"
    ));
}

/// The system would hand what is no program of this machine to a shell.
fn is_for_this_machine(program: &Path, own: &Path) -> io::Result<()> {
    let header = |path: &Path| -> io::Result<[u8; HEADER]> {
        let mut bytes = [0; HEADER];
        File::open(path)?.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    // Magic, class and byte order; the machine. What lies between may differ.
    let kind = |bytes: [u8; HEADER]| {
        (
            [bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]],
            [bytes[18], bytes[19]],
        )
    };
    let found = header(program);
    match (found, header(own)) {
        (Ok(found), Ok(wanted)) if kind(found) == kind(wanted) => Ok(()),
        (Err(error), _) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        (_, Err(_)) => Ok(()),
        _ => Err(io::Error::other("it is no program for this machine")),
    }
}

/// The daemon, with the configuration and model of the slot, or the box's configuration, unless the arguments name others.
fn command(
    program: &Path,
    settings: &Settings,
    slot: Option<&Contents>,
    arguments: &[OsString],
) -> Command {
    let mut command = Command::new(program);
    let configuration = slot
        .and_then(|slot| slot.configuration.clone())
        .or_else(|| there(&settings.configuration).then(|| settings.configuration.clone()));
    let model = slot.and_then(|slot| slot.model.clone());
    for (option, path) in [("--config", configuration), ("--model", model)] {
        if let Some(path) = path.filter(|_| !names(arguments, option)) {
            command.arg(option).arg(path);
        }
    }
    command.args(arguments);
    command
}

/// One that may not be looked at is there all the same; the daemon says why it cannot read it.
fn there(path: &Path) -> bool {
    let looked = std::fs::symlink_metadata(path);
    !looked.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Whether an option is among the arguments, as `--config FILE` or as `--config=FILE`.
fn names(arguments: &[OsString], option: &str) -> bool {
    arguments.iter().any(|word| {
        let rest = word.as_bytes().strip_prefix(option.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<String> {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words
            .map(|word| word.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn what_the_arguments_name_is_not_taken_from_the_slot() {
        let slot = Contents {
            slot: undertone_slots::Slot::A,
            daemon: "/s/a/undertoned".into(),
            model: Some("/s/a/model.onnx".into()),
            configuration: Some("/s/a/undertoned.toml".into()),
        };
        let of = |given: &[&str]| {
            let given: Vec<OsString> = given.iter().map(OsString::from).collect();
            words(&command(
                &slot.daemon,
                &Settings::default(),
                Some(&slot),
                &given,
            ))[1..]
                .join(" ")
        };
        let (config, model) = ("--config /s/a/undertoned.toml", "--model /s/a/model.onnx");
        assert_eq!(of(&[]), format!("{config} {model}"));
        assert_eq!(of(&["--config", "x"]), format!("{model} --config x"));
        assert_eq!(of(&["--config=x"]), format!("{model} --config=x"));
        assert_eq!(of(&["--model=x"]), format!("{config} --model=x"));
        assert_eq!(of(&["--models"]), format!("{config} {model} --models"));
    }

    #[test]
    fn only_a_program_for_this_machine_is_run() {
        let own = std::env::current_exe().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("undertoned");
        is_for_this_machine(&own, &own).unwrap();
        let mut bytes = std::fs::read(&own).unwrap();
        bytes.truncate(HEADER);
        bytes[18] ^= 0xff;
        for damaged in [&bytes[..], b"", b"reboot\n", &[0; 4096]] {
            std::fs::write(&other, damaged).unwrap();
            let told = is_for_this_machine(&other, &own).unwrap_err().to_string();
            assert_eq!(told, "it is no program for this machine");
        }
    }
}
