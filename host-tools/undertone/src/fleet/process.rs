//! What a process takes, by Linux's `/proc`; elsewhere nothing is known.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What a process has taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Taken {
    /// Processor time, of all its threads.
    pub(crate) cpu: Duration,
    /// Memory that is resident, in bytes.
    pub(crate) resident: u64,
}

/// What a process has taken so far; `None` when there is none, or it cannot be seen.
pub(crate) fn taken(pid: u32) -> Option<Taken> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name in brackets, whatever is in it: state is field 3, ticks of user and system 14 and 15.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = resident.split_whitespace().next()?.parse().ok()?;
    Some(Taken {
        // Linux tells programs 100 ticks a second, whatever its own clock.
        cpu: Duration::from_millis(10 * (ticks(14)? + ticks(15)?)),
        resident: kilobytes * 1024,
    })
}

/// The name of a process.
pub(crate) fn name(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim().to_owned())
}

/// The process that listens on a port of this machine, if it is one that we may look at.
pub(crate) fn listening(port: u16) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    let sockets: HashSet<String> = tables
        .iter()
        .flat_map(|table| inodes(table, port))
        .collect();
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    processes.find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        has(&entry.path().join("fd"), &sockets).then_some(pid)
    })
}

fn has(descriptors: &Path, sockets: &HashSet<String>) -> bool {
    let Ok(entries) = fs::read_dir(descriptors) else {
        return false;
    };
    let targets = entries
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok());
    targets
        .into_iter()
        .any(|target| sockets.contains(&*target.to_string_lossy()))
}

/// The sockets of a table of Linux that listen (state 0A) on a port.
fn inodes(table: &str, port: u16) -> Vec<String> {
    let lines = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter_map(|fields| {
            let local = fields.get(1)?.rsplit(':').next()?;
            let ours = u16::from_str_radix(local, 16) == Ok(port) && fields.get(3) == Some(&"0A");
            ours.then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
        })
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_behind_a_port_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(listening(port), Some(std::process::id()));
        drop(listener);
        assert_eq!(listening(port), None);
    }

    #[test]
    fn this_process_takes_memory() {
        let taken = taken(std::process::id()).unwrap();
        assert!(taken.resident > 1_000_000, "{taken:?}");
        assert!(taken.cpu < Duration::from_secs(100_000));
        assert!(name(std::process::id()).is_some());
    }
}
