//! Other programs of the system, asked with a deadline and with a limit to what they may answer.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Bytes of an answer that are kept.
const MAX_BYTES: u64 = 4 << 20;

/// What a program said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// It ended in time and without an error.
    pub(crate) succeeded: bool,
    /// Standard output, as text.
    pub(crate) text: String,
}

/// Asks a program; `None` when it is not installed, cannot be started or does not answer in time. What it has to say on
/// standard error is not of interest.
pub(crate) fn ask(words: &[&str], patience: Duration) -> Option<Answer> {
    let (program, arguments) = words.split_first()?;
    let mut child = Command::new(installed(program)?)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut output) = output {
            // What was read before an error counts all the same; the rest is taken so that the program can end.
            let _ = output.by_ref().take(MAX_BYTES).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut output, &mut std::io::sink());
        }
        bytes
    });
    let until = Instant::now() + patience;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let bytes = reader.join().ok()?;
                return Some(Answer {
                    succeeded: status.success(),
                    text: String::from_utf8_lossy(&bytes).into_owned(),
                });
            }
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// Where a program is, if it is installed: in `PATH`, or where only root looks by itself.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").to_owned(), "/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_in_time_or_not_at_all() {
        let answer = ask(&["echo", "hello"], Duration::from_secs(20)).unwrap();
        assert_eq!((answer.succeeded, answer.text.as_str()), (true, "hello\n"));
        let refused = ask(&["false"], Duration::from_secs(20)).unwrap();
        assert!(!refused.succeeded);
        assert_eq!(ask(&["sleep", "60"], Duration::from_millis(50)), None);
        assert_eq!(ask(&["no-such-program"], Duration::from_secs(20)), None);
    }

    #[test]
    fn an_endless_answer_is_cut() {
        let endless = ["head", "-c", "9000000", "/dev/zero"];
        let answer = ask(&endless, Duration::from_secs(60)).unwrap();
        assert_eq!(answer.text.len() as u64, MAX_BYTES);
    }
}
