//! The commands of the settings: restart, health.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::say_line;

/// Runs a command; whether it succeeded within its time. Its standard error is passed on, its standard output is not. One
/// that cannot be run has failed, and standard error is told why: a box must go back then, not stop where it is.
pub(super) fn succeeds(words: &[String], patience: Duration) -> bool {
    let (program, arguments) = words
        .split_first()
        .map_or(("", &[][..]), |(program, rest)| (program.as_str(), rest));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let ended = command.spawn().and_then(|child| wait(child, patience));
    ended.unwrap_or_else(|error| {
        say_line(format_args!("cannot run {program}: {error}"));
        false
    })
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
    fn a_command_that_hangs_or_does_not_exist_has_failed() {
        assert!(succeeds(&words("true"), Duration::from_secs(10)));
        assert!(!succeeds(&words("false"), Duration::from_secs(10)));
        assert!(!succeeds(&words("sleep 60"), Duration::from_millis(50)));
        assert!(!succeeds(&words("/nowhere/health"), Duration::from_secs(1)));
    }
}
