//! Resident memory, as Linux counts it.

use std::fs;

/// Bytes of this process in memory now; `None` where there is no /proc.
pub(super) fn resident() -> Option<f64> {
    resident_of("self")
}

/// Bytes of another process.
pub(super) fn resident_of(process: &str) -> Option<f64> {
    field(
        &fs::read_to_string(format!("/proc/{process}/status")).ok()?,
        "VmRSS:",
    )
}

fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_read_in_bytes() {
        assert_eq!(
            field("VmHWM:\t  99 kB\nVmRSS:\t   12 kB\n", "VmRSS:"),
            Some(12_288.0)
        );
        assert_eq!(field("", "VmRSS:"), None);
    }

    #[test]
    fn what_is_written_to_is_resident() {
        let Some(before) = resident() else { return };
        let block = vec![1u8; 64 << 20];
        let grown = resident().unwrap() - before;
        assert!(
            grown > 32e6 && block.iter().all(|&byte| byte == 1),
            "{grown}"
        );
    }
}
