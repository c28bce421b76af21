//! Which processor a program is for, by the head of its ELF file.

use anyhow::Result;

use crate::failure::Failure;

/// The architecture's name, as Rust has it.
pub(super) fn arch_of(head: &[u8], path: &std::path::Path) -> Result<&'static str> {
    let refuse = |what: &str| {
        Failure::error(
            "no-program",
            format!("{} {what}", path.display()),
            "name an undertoned for the board: cargo build --profile dist --package undertoned, or see boards/README.md",
        )
    };
    // Tool Interface Standard, ELF: magic, class and byte order at 4 and 5, e_machine at 18.
    let [0x7f, b'E', b'L', b'F', class, order, ..] = head else {
        return Err(refuse("is no Linux program"));
    };
    let machine = match (order, head.get(18..20)) {
        (1, Some(&[low, high])) => u16::from_le_bytes([low, high]),
        _ => return Err(refuse("is no little-endian Linux program")),
    };
    match (class, machine) {
        (2, 62) => Ok("x86_64"),
        (2, 183) => Ok("aarch64"),
        (1, 40) => Ok("arm"),
        _ => Err(refuse("is for none of x86_64, aarch64 and arm")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_head() {
        let path = std::path::Path::new("x");
        let head = |class: u8, machine: u8| {
            let mut head = vec![0x7f, b'E', b'L', b'F', class, 1];
            head.resize(18, 0);
            head.extend([machine, 0]);
            head
        };
        assert_eq!(arch_of(&head(2, 183), path).unwrap(), "aarch64");
        assert_eq!(arch_of(&head(2, 62), path).unwrap(), "x86_64");
        assert_eq!(arch_of(&head(1, 40), path).unwrap(), "arm");
        assert!(arch_of(&head(2, 243), path).is_err());
        assert!(arch_of(b"#!/bin/sh\n", path).is_err());
        assert!(arch_of(b"", path).is_err());
    }
}
