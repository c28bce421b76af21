//! The daemon as a process: what it prints, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// No run of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, built in the profile of the running test.
///
/// # Panics
/// When it cannot be built.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| crate::program::built("undertoned"))
}

/// How a run ended, and what it printed.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, line by line.
    pub lines: Vec<String>,
    /// Standard error.
    pub talk: String,
}

impl Run {
    /// The lines as JSON.
    ///
    /// # Panics
    /// When a line is none.
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &String| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))
        };
        self.lines.iter().map(parse).collect()
    }

    /// The events: every line that is no level.
    pub fn events(&self) -> Vec<Value> {
        self.json()
            .into_iter()
            .filter(|line| line["kind"] != "level")
            .collect()
    }
}

/// A daemon that is running.
pub struct Daemon {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    heard: Vec<String>,
    readers: Vec<JoinHandle<()>>,
    talk: Arc<Mutex<String>>,
}

impl Daemon {
    /// Starts it with these arguments, and `--purpose evaluation` before them.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start<S: AsRef<std::ffi::OsStr>>(args: &[S], env: &[(&str, PathBuf)]) -> Self {
        let mut command = Command::new(program());
        command.args(["--purpose", "evaluation"]).args(args);
        Self::spawn(command, env)
    }

    /// Starts another program that starts it, for instance `strace`, with `--purpose evaluation` and these arguments.
    ///
    /// # Panics
    /// When that cannot be started.
    pub fn start_under<S: AsRef<std::ffi::OsStr>>(
        wrapper: &[&str],
        args: &[S],
        env: &[(&str, PathBuf)],
    ) -> Self {
        let mut command = Command::new(wrapper.first().copied().unwrap_or("env"));
        command.args(wrapper.iter().skip(1)).arg(program());
        command.args(["--purpose", "evaluation"]).args(args);
        Self::spawn(command, env)
    }

    /// Starts it with these arguments only.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_bare<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Self {
        let mut command = Command::new(program());
        command.args(args);
        Self::spawn(command, &[])
    }

    /// Starts it with these arguments only, and more in its environment.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_with<S: AsRef<std::ffi::OsStr>>(args: &[S], env: &[(&str, PathBuf)]) -> Self {
        let mut command = Command::new(program());
        command.args(args);
        Self::spawn(command, env)
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on standard error so far.
    pub fn talk(&self) -> String {
        self.talk
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Kills it, and gives what it had printed up to there.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap_or_else(|error| panic!("{error}"));
        let _ = self.child.wait();
        self.readers
            .drain(..)
            .for_each(|reader| reader.join().unwrap_or_default());
        self.heard.extend(self.lines.try_iter());
        std::mem::take(&mut self.heard)
    }

    fn spawn(mut command: Command, env: &[(&str, PathBuf)]) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.envs(env.iter().map(|(name, value)| (name, value)));
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: {command:?}"));
        let (sender, lines) = channel();
        let talk = Arc::new(Mutex::new(String::new()));
        let mut readers = Vec::new();
        if let Some(output) = child.stdout.take() {
            readers.push(std::thread::spawn(move || {
                BufReader::new(output)
                    .lines()
                    .map_while(Result::ok)
                    .all(|line| sender.send(line).is_ok());
            }));
        }
        if let Some(output) = child.stderr.take() {
            let talk = Arc::clone(&talk);
            readers.push(std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    *talk.lock().unwrap_or_else(PoisonError::into_inner) += &format!("{line}\n");
                }
            }));
        }
        let input = child.stdin.take();
        Daemon {
            child,
            input,
            lines,
            heard: Vec::new(),
            readers,
            talk,
        }
    }

    /// Writes to its standard input and leaves it open.
    ///
    /// # Panics
    /// When it does not read.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Some(input) = &mut self.input {
            input
                .write_all(bytes)
                .unwrap_or_else(|error| panic!("the daemon does not read: {error}"));
        }
    }

    /// Waits until its standard error contains a text.
    ///
    /// # Panics
    /// When that does not come.
    pub fn wait_for_talk(&self, text: &str) {
        self.wait_for_talks(text, 1);
    }

    /// The processor time that it has used so far.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn processor_time(&self) -> Duration {
        // Clock ticks of user and system time are fields 14 and 15, behind the name in brackets; 100 a second on Linux.
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        let fields: Vec<u64> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(|field| field.parse().unwrap_or(0))
            .collect();
        let ticks = |field: usize| fields.get(field - 3).copied().unwrap_or(0);
        assert!(fields.len() > 15, "no /proc/PID/stat: {stat:?}");
        Duration::from_millis(10 * (ticks(14) + ticks(15)))
    }

    /// Waits until its standard error contains a text so many times.
    ///
    /// # Panics
    /// When that does not come.
    pub fn wait_for_talks(&self, text: &str, count: usize) {
        let until = Instant::now() + PATIENCE;
        loop {
            let talk = self
                .talk
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if talk.matches(text).count() >= count {
                return;
            }
            assert!(
                Instant::now() < until,
                "{text:?} does not come; so far: {talk}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until so many lines with a text came, in all, on standard output.
    ///
    /// # Panics
    /// When they do not come in time.
    pub fn wait_for_lines(&mut self, text: &str, count: usize) {
        let until = Instant::now() + PATIENCE;
        while self.heard.iter().filter(|line| line.contains(text)).count() < count {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.heard.push(line),
                Err(error) => panic!(
                    "{count} lines with {text:?} do not come ({error}): {:?}",
                    self.heard
                ),
            }
        }
    }

    /// Sends a signal by its short name, for instance `INT`.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub fn signal(&self, name: &str) {
        // A program that was started in between may keep signals to itself, as strace does.
        let own = self.child.id().to_string();
        let below = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let below = below.unwrap_or_default();
        let target = below.split_whitespace().next().unwrap_or(&own);
        let sent = Command::new("sh")
            .args(["-c", "kill -$0 $1", name, target])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "cannot send SIG{name}"
        );
    }

    /// Waits for the end of a daemon that was killed; what it has printed does not count.
    pub fn wait_dead(mut self) -> bool {
        self.child.wait().is_ok()
    }

    /// Closes its standard input and waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn finish(mut self) -> Run {
        drop(self.input.take());
        self.wait()
    }

    /// Waits for its end with standard input open.
    ///
    /// # Panics
    /// When it does not end.
    pub fn wait(mut self) -> Run {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                other => {
                    let _ = self.child.kill();
                    panic!("the daemon does not end: {other:?}");
                }
            }
        };
        self.readers
            .drain(..)
            .for_each(|reader| reader.join().unwrap_or_default());
        self.heard.extend(self.lines.try_iter());
        let talk = self
            .talk
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        assert!(!talk.contains("panicked"), "{talk}");
        Run {
            code: status.code(),
            lines: std::mem::take(&mut self.heard),
            talk,
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it with `--purpose evaluation` and these arguments, with nothing on its standard input, to its end.
pub fn run<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Run {
    Daemon::start(args, &[]).finish()
}

/// Runs it with these arguments, feeding it standard input, to its end.
///
/// # Panics
/// When it does not end.
pub fn run_fed<S: AsRef<std::ffi::OsStr>>(args: &[S], bytes: Vec<u8>) -> Run {
    let mut daemon = Daemon::start(args, &[]);
    let mut input = daemon.input.take();
    // A daemon that ends early closes the pipe, which is no failure of the test.
    let feeder = std::thread::spawn(move || input.as_mut().map(|input| input.write_all(&bytes)));
    let run = daemon.wait();
    let _ = feeder.join();
    run
}

/// Reads a whole file.
///
/// # Panics
/// When it cannot be read.
pub fn bytes_of(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes
}
