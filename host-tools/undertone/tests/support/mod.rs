//! What the tests of the tool share.

use std::process::Output;

/// Exit code, standard output and standard error of a program that has ended, both of which are text.
pub(crate) fn ended(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}
