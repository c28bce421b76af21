//! Which processor a program is for, and whether all of it is there, by its ELF file (Tool Interface Standard, ELF 1.2).

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::Result;

use crate::failure::Failure;

/// A program may have no more segments.
const MAX_SEGMENTS: u64 = 256;
/// `p_type` of a segment that is loaded.
const LOAD: u64 = 1;

/// The architecture's name, as Rust has it. The file is left at its beginning.
pub(super) fn examine(file: &mut File, path: &Path) -> Result<&'static str> {
    look(file).map_err(|what| {
        Failure::error(
            "no-program",
            format!("{} {what}", path.display()),
            "name an undertoned for the board: cargo build --profile dist --package undertoned, or see boards/README.md",
        )
    })
}

fn look(file: &mut File) -> Result<&'static str, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let bytes = file.metadata().map_err(unreadable)?.len();
    let mut read = |from: u64, most: u64| {
        let mut part = Vec::new();
        file.seek(SeekFrom::Start(from))
            .and_then(|_| file.by_ref().take(most).read_to_end(&mut part))
            .map(|_| part)
            .map_err(unreadable)
    };
    let head = Head::of(&read(0, 64)?)?;
    let table = read(head.table, head.segments * head.entry_bytes)?;
    let missing = |needed: u64| {
        format!(
            "has {bytes} bytes, and its head says {needed} at least: it was not copied to its end"
        )
    };
    if (table.len() as u64) < head.segments * head.entry_bytes {
        return Err(missing(
            head.table.saturating_add(head.segments * head.entry_bytes),
        ));
    }
    for segment in table.chunks_exact(head.entry_bytes as usize) {
        let (offset, length) = head.extent(segment).unwrap_or((0, 0));
        let end = offset.saturating_add(length);
        if end > bytes {
            return Err(missing(end));
        }
    }
    file.rewind().map_err(unreadable)?;
    Ok(head.arch)
}

/// What the head of the file says.
struct Head {
    arch: &'static str,
    /// 64-bit fields.
    wide: bool,
    /// Where the table of segments begins, how many it has, and how long each entry is.
    table: u64,
    segments: u64,
    entry_bytes: u64,
}

impl Head {
    fn of(head: &[u8]) -> Result<Self, String> {
        let [0x7f, b'E', b'L', b'F', class, order, ..] = head else {
            return Err("is no Linux program".into());
        };
        let wide = *class == 2;
        if *order != 1 {
            return Err("is no little-endian Linux program".into());
        }
        let field = |at: usize, bytes: usize| {
            number(head, at, bytes).ok_or_else(|| "ends in the middle of its head".to_owned())
        };
        let arch = match (class, field(18, 2)?) {
            (2, 62) => "x86_64",
            (2, 183) => "aarch64",
            (1, 40) => "arm",
            _ => return Err("is for none of x86_64, aarch64 and arm".into()),
        };
        let (entry, table, entry_bytes, segments) = if wide {
            (field(24, 8)?, field(32, 8)?, field(54, 2)?, field(56, 2)?)
        } else {
            (field(24, 4)?, field(28, 4)?, field(42, 2)?, field(44, 2)?)
        };
        // 2 and 3 are what can be run; a library is a 3 that begins nowhere.
        let expected = if wide { 56 } else { 32 };
        if !matches!(field(16, 2)?, 2 | 3)
            || entry == 0
            || entry_bytes != expected
            || !(1..=MAX_SEGMENTS).contains(&segments)
        {
            return Err(
                "is a file of that kind that cannot be run: an object file or a library".into(),
            );
        }
        Ok(Head {
            arch,
            wide,
            table,
            segments,
            entry_bytes,
        })
    }

    /// Where in the file a segment is, and how long; `None` where nothing of it is in the file.
    fn extent(&self, segment: &[u8]) -> Option<(u64, u64)> {
        let (offset, length) = if self.wide {
            (number(segment, 8, 8)?, number(segment, 32, 8)?)
        } else {
            (number(segment, 4, 4)?, number(segment, 16, 4)?)
        };
        (number(segment, 0, 4)? == LOAD).then_some((offset, length))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// A program of one segment that is the whole file, `bytes` long.
    fn elf(class: u8, machine: u8, kind: u8, entry: u8, bytes: u32) -> Vec<u8> {
        let wide = class == 2;
        let (head, entry_bytes) = if wide { (64, 56) } else { (52, 32) };
        let mut file = vec![0u8; 200];
        file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1]);
        (file[16], file[18], file[24]) = (kind, machine, entry);
        let (table, size, count) = if wide { (32, 54, 56) } else { (28, 42, 44) };
        (file[table], file[size], file[count]) = (head, entry_bytes, 1);
        let segment = usize::from(head);
        file[segment] = 1;
        let length = segment + if wide { 32 } else { 16 };
        file[length..length + 4].copy_from_slice(&bytes.to_le_bytes());
        file
    }

    fn found(bytes: &[u8]) -> Result<&'static str, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        examine(&mut file, Path::new("x")).map_err(|error| error.to_string())
    }

    #[test]
    fn programs_are_known_by_their_head() {
        assert_eq!(found(&elf(2, 183, 3, 1, 200)).unwrap(), "aarch64");
        assert_eq!(found(&elf(2, 62, 2, 1, 200)).unwrap(), "x86_64");
        assert_eq!(found(&elf(1, 40, 2, 1, 200)).unwrap(), "arm");
        let mut own = File::open(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(
            examine(&mut own, Path::new("x")).unwrap(),
            std::env::consts::ARCH
        );
    }

    #[test]
    fn what_no_board_can_run_is_refused() {
        for (bytes, told) in [
            (elf(2, 243, 2, 1, 200), "none of x86_64"),
            // 64-bit ARM in a 32-bit file.
            (elf(1, 183, 2, 1, 200), "none of x86_64"),
            (elf(2, 62, 1, 1, 200), "object file or a library"),
            (elf(2, 62, 3, 0, 200), "object file or a library"),
            (elf(2, 62, 2, 1, 201), "not copied to its end"),
            (
                elf(2, 62, 2, 1, 200)[..100].to_vec(),
                "not copied to its end",
            ),
            (elf(2, 62, 2, 1, 200)[..40].to_vec(), "ends in the middle"),
            (b"#!/bin/sh\n".to_vec(), "no Linux program"),
            (Vec::new(), "no Linux program"),
        ] {
            let error = found(&bytes).unwrap_err();
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}
