//! The project's programs, built in the profile of the running test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of a package that has the same name.
///
/// `cargo test --workspace` has built it already, and says so in `UNDERTONE_DAEMON_BUILT` when `cargo verify` starts it;
/// building it by itself would compile much of the tree again, since fewer crates ask for fewer features.
///
/// # Panics
/// When it cannot be built.
pub fn built(package: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let folder = test.ancestors().nth(2).unwrap_or(Path::new("."));
    if std::env::var_os("UNDERTONE_DAEMON_BUILT").is_some() {
        return folder.join(package);
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--package", package])
        .current_dir(super::root());
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.status().is_ok_and(|status| status.success());
    assert!(built, "{package} cannot be built");
    folder.join(package)
}
