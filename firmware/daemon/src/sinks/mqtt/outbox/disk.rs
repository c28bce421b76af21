//! The files of a journal, through a seam at which faults can be made.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FlockOperation, flock};

/// The longest segment that is read; a longer one is not ours.
const LONGEST: u64 = 16 << 20;

fn named(number: u64) -> String {
    format!("{number:016}.outbox")
}

/// A folder of numbered segments, of which the newest is written.
pub(crate) trait Disk: Debug + Send {
    /// The numbers of the segments, in order.
    fn list(&self) -> io::Result<Vec<u64>>;
    /// What a segment holds.
    fn read(&self, number: u64) -> io::Result<Vec<u8>>;
    /// Begins a segment; appending goes to it from now on.
    fn create(&mut self, number: u64) -> io::Result<()>;
    /// Appends. After a failure any part of it may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts what is written to this length.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Makes what was written survive the end of the power.
    fn sync(&mut self) -> io::Result<()>;
    /// Removes a segment.
    fn remove(&mut self, number: u64) -> io::Result<()>;
}

/// The folders that this process has.
static HELD: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A real folder. One process at a time has it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked as long as it is open; the system unlocks it at the end of the process, whichever way it comes.
    lock: File,
    current: Option<File>,
}

impl Folder {
    /// Makes the folder if it is not there, and locks it.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::WouldBlock`] when another process has it, [`io::ErrorKind::ResourceBusy`]
    /// when this one has it, which is so until the sink before a reload has said good-bye.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let path = &path.canonicalize()?;
        let mut held = held();
        if held.contains(path) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        held.push(path.into());
        Ok(Folder {
            path: path.into(),
            lock,
            current: None,
        })
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.path.join(named(number))
    }

    fn current(&mut self) -> io::Result<&mut File> {
        let missing = || io::Error::other("no segment is open");
        self.current.as_mut().ok_or_else(missing)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // While nobody else can look: the lock goes with the name.
        let mut held = held();
        held.retain(|path| *path != self.path);
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

impl Disk for Folder {
    fn list(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_suffix(".outbox"))
                .and_then(|digits| digits.parse::<u64>().ok())
                // Another spelling is not ours, and could not be opened by its number.
                .filter(|number| *number < u64::MAX && *named(*number) == *name);
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn read(&self, number: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.segment(number))?
            .take(LONGEST)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&mut self, number: u64) -> io::Result<()> {
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(self.segment(number))?;
        self.current = Some(file);
        // The name has to survive the end of the power too.
        File::open(&self.path)?.sync_all()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.current()?.write_all(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.current()?.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.current()?.sync_data()
    }

    fn remove(&mut self, number: u64) -> io::Result<()> {
        fs::remove_file(self.segment(number))
    }
}
