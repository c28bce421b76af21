//! What a Linux program says about where it runs, by its file: Tool Interface Standard, ELF 1.2.
//!
//! In: bytes of the file. Out: the processor, where its segments are, and the C library that it asks for. Little-endian
//! programs only; nothing here reads a file, and no bytes make it panic.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::fmt;

/// Bytes of the longest head, that of a 64-bit file.
pub const HEAD: usize = 64;
/// A program has no more segments.
const MAX_SEGMENTS: u64 = 256;
/// `p_type` of a segment that is loaded.
const LOAD: u64 = 1;

/// A processor that a board has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
    /// 32-bit ARM.
    Arm,
}

impl Machine {
    /// Rust's name of it, such as `aarch64`.
    #[must_use]
    pub const fn rust(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::Arm => "arm",
        }
    }

    /// Debian's name of it, such as `arm64`.
    #[must_use]
    pub const fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
            Self::Arm => "armhf",
        }
    }
}

/// Why bytes are not the head of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElfError {
    /// They begin otherwise.
    NotElf,
    /// It is big-endian.
    BigEndian,
    /// They end in the middle of the head.
    Cut,
}

impl fmt::Display for ElfError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::NotElf => "is not a Linux program",
            Self::BigEndian => "is not a little-endian Linux program",
            Self::Cut => "ends in the middle of its head",
        })
    }
}

impl std::error::Error for ElfError {}

/// What the head of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The processor; `None` for one that no board has.
    pub machine: Option<Machine>,
    /// Where the table of segments begins in the file.
    pub table: u64,
    /// How many entries the table has.
    pub segments: u64,
    /// Bytes of an entry.
    pub entry_bytes: u64,
    wide: bool,
    kind: u64,
    entry: u64,
}

impl Head {
    /// Reads the first [`HEAD`] bytes of a file, or all of a shorter one.
    ///
    /// # Errors
    /// Bytes that are not the head of a little-endian ELF file.
    pub fn parse(bytes: &[u8]) -> Result<Self, ElfError> {
        let [0x7f, b'E', b'L', b'F', class, order, ..] = bytes else {
            return Err(ElfError::NotElf);
        };
        if *order != 1 {
            return Err(ElfError::BigEndian);
        }
        let wide = *class == 2;
        let field = |at: usize, length: usize| number(bytes, at, length).ok_or(ElfError::Cut);
        let machine = match (class, field(18, 2)?) {
            (2, 62) => Some(Machine::X86_64),
            (2, 183) => Some(Machine::Aarch64),
            (1, 40) => Some(Machine::Arm),
            _ => None,
        };
        let (entry, table, entry_bytes, segments) = if wide {
            (field(24, 8)?, field(32, 8)?, field(54, 2)?, field(56, 2)?)
        } else {
            (field(24, 4)?, field(28, 4)?, field(42, 2)?, field(44, 2)?)
        };
        Ok(Self {
            machine,
            table,
            segments,
            entry_bytes,
            wide,
            kind: field(16, 2)?,
            entry,
        })
    }

    /// Whether it can be run, unlike an object file or a library.
    #[must_use]
    pub fn can_run(&self) -> bool {
        let expected = if self.wide { 56 } else { 32 };
        // 2 and 3 are what can be run; a library is a 3 that begins nowhere.
        matches!(self.kind, 2 | 3)
            && self.entry != 0
            && self.entry_bytes == expected
            && (1..=MAX_SEGMENTS).contains(&self.segments)
    }

    /// Where in the file a segment ends, by its entry in the table; `None` for one of which nothing is loaded.
    #[must_use]
    pub fn segment_end(&self, entry: &[u8]) -> Option<u64> {
        let (offset, length) = if self.wide {
            (number(entry, 8, 8)?, number(entry, 32, 8)?)
        } else {
            (number(entry, 4, 4)?, number(entry, 16, 4)?)
        };
        (number(entry, 0, 4)? == LOAD).then(|| offset.saturating_add(length))
    }
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let part = bytes.get(at..at + length)?;
    Some(
        part.iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)),
    )
}

/// The newest version of the C library that a whole program asks for: the highest of the names that its symbols are bound
/// to, which stand in its string table. `None` where it asks for none.
#[must_use]
pub fn newest_glibc(program: &[u8]) -> Option<(u32, u32)> {
    const NAME: &[u8] = b"\0GLIBC_";
    let starts = program.windows(NAME.len()).enumerate();
    starts
        .filter(|(_, window)| *window == NAME)
        .filter_map(|(at, _)| version(&program[at + NAME.len()..]))
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

    fn head(class: u8, order: u8, machine: u8) -> Vec<u8> {
        let mut bytes = vec![0u8; HEAD];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order]);
        bytes[18] = machine;
        bytes
    }

    #[test]
    fn a_processor_is_known_by_the_head_of_its_programs() {
        for (class, machine, expected) in [
            (2, 62, Some(Machine::X86_64)),
            (2, 183, Some(Machine::Aarch64)),
            (1, 40, Some(Machine::Arm)),
            (2, 243, None),
            // 64-bit ARM in a 32-bit file.
            (1, 183, None),
        ] {
            let found = Head::parse(&head(class, 1, machine)).unwrap();
            assert_eq!(found.machine, expected);
            assert!(!found.can_run());
        }
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let own = Head::parse(&own[..HEAD]).unwrap();
        assert_eq!(own.machine.unwrap().rust(), std::env::consts::ARCH);
        assert!(own.can_run());
    }

    #[test]
    fn what_is_not_a_program_is_told() {
        for other in [&b""[..], b"#!/bin/sh\n", b"\x7fELF"] {
            assert_eq!(Head::parse(other), Err(ElfError::NotElf));
        }
        assert_eq!(Head::parse(&head(2, 2, 62)), Err(ElfError::BigEndian));
        let whole = head(2, 1, 62);
        for length in 6..58 {
            assert_eq!(
                Head::parse(&whole[..length]),
                Err(ElfError::Cut),
                "{length}"
            );
        }
    }

    #[test]
    fn the_newest_library_counts() {
        let names = b"\0GLIBC_2.17\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE\0";
        assert_eq!(newest_glibc(names), Some((2, 34)));
        assert_eq!(newest_glibc(b"\0GLIBC_2.17"), None);
    }
}
