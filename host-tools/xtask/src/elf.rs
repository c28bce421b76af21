//! What the program of a package says about where it runs.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use undertone_elf::{Head, newest_glibc};

/// A Linux program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elf {
    /// Debian's name of its processor; `None` for one that there are no packages for.
    pub(crate) debian: Option<&'static str>,
    /// The newest version of the C library that it asks for; `None` when it asks for none.
    pub(crate) glibc: Option<(u32, u32)>,
}

impl Elf {
    /// Reads a program.
    ///
    /// # Errors
    /// When the file cannot be read or is not a Linux program.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let head = Head::parse(&bytes).with_context(|| path.display().to_string())?;
        Ok(Self {
            debian: head.machine.map(undertone_elf::Machine::debian),
            glibc: newest_glibc(&bytes),
        })
    }

    /// The C library that it needs, such as `2.34`.
    pub(crate) fn glibc(&self) -> String {
        let (major, minor) = self.glibc.unwrap_or((2, 0));
        format!("{major}.{minor}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_for_this_machine_and_a_script_is_not_a_program() {
        let own = Elf::read(&std::env::current_exe().unwrap()).unwrap();
        let expected = match std::env::consts::ARCH {
            "x86_64" => Some("amd64"),
            "aarch64" => Some("arm64"),
            "arm" => Some("armhf"),
            _ => None,
        };
        assert_eq!(own.debian, expected);
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        let error = format!("{:#}", Elf::read(&script).unwrap_err());
        assert!(error.ends_with("script: is not a Linux program"), "{error}");
    }
}
