//! Talk goes to standard error, and never fails: data is on standard output.

use std::fmt::Arguments;
use std::io::Write;

/// Writes one line to standard error; a closed standard error is no reason to stop.
pub fn say_line(line: Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "undertoned: {line}");
}

/// [`say_line`] with the arguments of `format!`.
macro_rules! say {
    ($($arg:tt)*) => { $crate::talk::say_line(format_args!($($arg)*)) };
}
pub(crate) use say;
