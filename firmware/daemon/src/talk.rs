//! Talk goes to standard error, and never fails: data is on standard output.
//!
//! It never holds audio, features or scores.

use std::fmt::Arguments;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::config::LogSection;

pub use crate::config::{Form, Severity};

static LEVEL: AtomicU8 = AtomicU8::new(Severity::Info as u8);
static FORM: AtomicU8 = AtomicU8::new(Form::Text as u8);

/// Sets what is told from now on, and how.
pub fn configure(log: LogSection) {
    LEVEL.store(log.level as u8, Ordering::Relaxed);
    FORM.store(log.format as u8, Ordering::Relaxed);
}

/// Writes one line to standard error; a closed standard error is no reason to stop.
pub fn say_line(line: Arguments<'_>) {
    tell(Severity::Info, line);
}

/// Writes one line to standard error when it matters enough.
pub fn tell(severity: Severity, line: Arguments<'_>) {
    if severity as u8 > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let json = FORM.load(Ordering::Relaxed) == Form::Json as u8;
    let line = written(severity, json, read_by_journald(), line);
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

fn written(severity: Severity, json: bool, journald: bool, line: Arguments<'_>) -> String {
    if json {
        let value = serde_json::json!({ "level": severity, "message": line.to_string() });
        return format!("{value}\n");
    }
    if journald {
        // The priorities of syslog; every line of a message needs its own.
        let priority = [3, 4, 6, 7][severity as usize];
        let text = line.to_string();
        return text
            .lines()
            .map(|line| format!("<{priority}>{line}\n"))
            .collect();
    }
    format!("undertoned: {line}\n")
}

/// True when systemd has connected standard error to its journal.
fn read_by_journald() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        use std::os::unix::fs::MetadataExt;
        let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
        std::fs::metadata("/proc/self/fd/2")
            .is_ok_and(|about| stream == format!("{}:{}", about.dev(), about.ino()))
    })
}

/// [`say_line`] with the arguments of `format!`.
macro_rules! say {
    ($($arg:tt)*) => { $crate::talk::say_line(format_args!($($arg)*)) };
}
/// [`tell`] with [`Severity::Warning`].
macro_rules! caution {
    ($($arg:tt)*) => { $crate::talk::tell($crate::talk::Severity::Warning, format_args!($($arg)*)) };
}
/// [`tell`] with [`Severity::Error`].
macro_rules! complain {
    ($($arg:tt)*) => { $crate::talk::tell($crate::talk::Severity::Error, format_args!($($arg)*)) };
}
pub(crate) use {caution, complain, say};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_for_whoever_reads_it() {
        let line = |json, journald| {
            written(
                Severity::Warning,
                json,
                journald,
                format_args!("a \"b\"\nc"),
            )
        };
        assert_eq!(line(false, false), "undertoned: a \"b\"\nc\n");
        assert_eq!(line(false, true), "<4>a \"b\"\n<4>c\n");
        assert_eq!(
            line(true, true),
            "{\"level\":\"warning\",\"message\":\"a \\\"b\\\"\\nc\"}\n"
        );
    }
}
