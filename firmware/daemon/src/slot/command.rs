//! The commands of the settings: restart, health.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use undertone_slots::SlotsError;

/// Runs a command; whether it succeeded within its time. Its output goes to standard error.
pub(super) fn succeeds(words: &[String], patience: Duration) -> Result<bool, SlotsError> {
    let (program, arguments) = words
        .split_first()
        .map_or(("", &[][..]), |(program, rest)| (program.as_str(), rest));
    let failed = |reason| SlotsError::Io {
        action: "run",
        path: program.into(),
        reason,
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let child = command.spawn().map_err(failed)?;
    wait(child, patience).map_err(failed)
}

fn wait(mut child: Child, patience: Duration) -> std::io::Result<bool> {
    let until = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_command_that_hangs_has_failed() {
        assert!(succeeds(&words("true"), Duration::from_secs(10)).unwrap());
        assert!(!succeeds(&words("false"), Duration::from_secs(10)).unwrap());
        assert!(!succeeds(&words("sleep 60"), Duration::from_millis(50)).unwrap());
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        let error = succeeds(&words("/nowhere/health"), Duration::from_secs(1)).unwrap_err();
        assert!(error.to_string().contains("/nowhere/health"), "{error}");
    }
}
