//! What a program says about where it runs.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

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
    /// When the file cannot be read or is no Linux program.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        match Self::of(&bytes) {
            Some(elf) => Ok(elf),
            None => bail!("{} is no Linux program", path.display()),
        }
    }

    /// The C library that it needs, such as `2.34`.
    pub(crate) fn glibc(&self) -> String {
        let (major, minor) = self.glibc.unwrap_or((2, 0));
        format!("{major}.{minor}")
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        // Tool Interface Standard, ELF: magic, class and byte order at 4 and 5, e_machine at 18.
        let [0x7f, b'E', b'L', b'F', class, order, ..] = bytes else {
            return None;
        };
        let machine = u16::from_le_bytes(bytes.get(18..20)?.try_into().ok()?);
        let debian = match (class, order, machine) {
            (2, 1, 62) => Some("amd64"),
            (2, 1, 183) => Some("arm64"),
            (1, 1, 40) => Some("armhf"),
            _ => None,
        };
        Some(Self {
            debian,
            glibc: newest_glibc(bytes),
        })
    }
}

/// The highest of the version names that the program's symbols are bound to, which stand in its string table.
fn newest_glibc(bytes: &[u8]) -> Option<(u32, u32)> {
    const NAME: &[u8] = b"\0GLIBC_";
    let starts = bytes.windows(NAME.len()).enumerate();
    starts
        .filter(|(_, window)| *window == NAME)
        .filter_map(|(at, _)| version(&bytes[at + NAME.len()..]))
        .max()
}

fn version(text: &[u8]) -> Option<(u32, u32)> {
    let end = text.iter().position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(text.get(..end)?).ok()?;
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(class: u8, machine: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', class, 1];
        bytes.resize(18, 0);
        bytes.extend([machine, 0]);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn a_program_is_known_by_its_head_and_the_newest_library_that_it_asks_for() {
        let names = b"\0GLIBC_2.17\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE\0";
        let elf = Elf::of(&program(2, 183, names)).unwrap();
        assert_eq!((elf.debian, elf.glibc().as_str()), (Some("arm64"), "2.34"));
        assert_eq!(Elf::of(&program(2, 62, b"")).unwrap().debian, Some("amd64"));
        assert_eq!(Elf::of(&program(1, 40, b"")).unwrap().debian, Some("armhf"));
        assert_eq!(Elf::of(&program(2, 243, b"")).unwrap().debian, None);
    }

    #[test]
    fn what_is_no_program_is_none() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01\0\0"] {
            assert_eq!(Elf::of(bytes), None);
        }
    }
}
