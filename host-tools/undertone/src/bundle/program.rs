//! Which processor a program is for, and whether all of it is there, by its ELF file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::Result;
use undertone_elf::{HEAD, Head};

use crate::failure::Failure;

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
    let head = Head::parse(&read(0, HEAD as u64)?).map_err(|error| error.to_string())?;
    let Some(machine) = head.machine else {
        return Err("is for none of x86_64, aarch64 and arm".into());
    };
    if !head.can_run() {
        return Err(
            "is a file of that kind that cannot be run: an object file or a library".into(),
        );
    }
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
        match head.segment_end(segment) {
            Some(end) if end > bytes => return Err(missing(end)),
            _ => {}
        }
    }
    file.rewind().map_err(unreadable)?;
    Ok(machine.rust())
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
            (b"#!/bin/sh\n".to_vec(), "not a Linux program"),
            (Vec::new(), "not a Linux program"),
        ] {
            let error = found(&bytes).unwrap_err();
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}
