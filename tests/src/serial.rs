//! A serial line without hardware: two pseudo-terminals that socat connects. What is written into one comes out of the
//! other. Nothing is paced, and a line that nobody reads is full after some kilobytes.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// `O_NONBLOCK` of Linux.
const NONBLOCK: i32 = 0o4000;
/// `O_NOCTTY` of Linux.
const NOCTTY: i32 = 0o400;

/// A line; it ends with this value.
pub struct Line {
    folder: TempDir,
    socat: Option<Child>,
}

/// Whether socat is there; says so when it is not.
///
/// # Panics
/// When it is not and `UNDERTONE_REQUIRE_RIG` is set.
pub fn available() -> bool {
    super::has("socat", "socat")
}

impl Line {
    /// A line that is plugged in.
    ///
    /// # Panics
    /// When socat does not start.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut line = Line {
            folder,
            socat: None,
        };
        line.plug();
        line
    }

    /// Plugs it in (again).
    ///
    /// # Panics
    /// When socat does not start.
    pub fn plug(&mut self) {
        let end = |path: PathBuf| format!("pty,raw,echo=0,link={}", path.display());
        let socat = Command::new("socat")
            .args([end(self.port()), end(self.far())])
            .stderr(Stdio::null())
            .spawn();
        self.socat = Some(socat.expect("socat starts"));
        let until = Instant::now() + Duration::from_secs(20);
        while !self.port().exists() || !self.far().exists() {
            assert!(Instant::now() < until, "socat makes no line");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Pulls it out: both ends are gone.
    pub fn unplug(&mut self) {
        if let Some(mut socat) = self.socat.take() {
            let _ = socat.kill();
            let _ = socat.wait();
            let _ = std::fs::remove_file(self.port());
            let _ = std::fs::remove_file(self.far());
        }
    }

    /// Has nothing come through for a while (`STOP`), or again (`CONT`).
    ///
    /// # Panics
    /// When socat is not running.
    pub fn signal(&self, name: &str) {
        let id = self.socat.as_ref().map_or(0, Child::id).to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -$0 $1", name, &id])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name}");
    }

    /// The box's end.
    pub fn port(&self) -> PathBuf {
        self.folder.path().join("port")
    }

    /// The other end, opened so that reading does not wait.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn open_far(&self) -> File {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .custom_flags(NONBLOCK | NOCTTY);
        options.open(self.far()).expect("the far end opens")
    }

    fn far(&self) -> PathBuf {
        self.folder.path().join("far")
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.unplug();
    }
}

/// What is there to read.
pub fn read(far: &mut File) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let count = far.read(&mut bytes).unwrap_or(0);
    bytes.truncate(count);
    bytes
}
