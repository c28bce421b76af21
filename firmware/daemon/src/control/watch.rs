//! Reports for those who watch through the control socket. Who is too slow misses lines, and is told how many.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::sinks::{Sink, SinkError};
use crate::status::{Info, Report, json};

/// The name of the sink.
pub const WATCH: &str = "watch";
/// Lines that wait for one who watches, at most.
const WAITING: usize = 256;
/// Without reports for so long, an empty line finds out whether the other side is still there.
const SILENCE: Duration = Duration::from_secs(5);

/// Everyone who watches. Clones know the same ones.
#[derive(Debug, Clone, Default)]
pub struct Watchers(Arc<Mutex<Crowd>>);

#[derive(Debug, Default)]
struct Crowd {
    everyone: Vec<Watcher>,
    /// The latest info, status and health, for who comes later.
    latest: [Option<String>; 3],
    closed: bool,
}

#[derive(Debug)]
struct Watcher {
    lines: SyncSender<Arc<str>>,
    missed: Arc<AtomicU64>,
}

impl Watchers {
    /// Writes every report from now on, until the other side or the daemon ends.
    ///
    /// # Errors
    /// When the other side is gone or takes nothing.
    pub(super) fn stream(&self, output: &mut dyn Write) -> io::Result<()> {
        let (lines, receiver) = sync_channel::<Arc<str>>(WAITING);
        let missed = Arc::new(AtomicU64::new(0));
        {
            let mut crowd = self.lock();
            if crowd.closed {
                return Ok(());
            }
            for line in crowd.latest.iter().flatten() {
                let _ = lines.try_send(line.as_str().into());
            }
            let missed = Arc::clone(&missed);
            crowd.everyone.push(Watcher { lines, missed });
        }
        write(&receiver, &missed, output)
    }

    /// The sink that tells them.
    pub fn sink(&self) -> WatchSink {
        self.lock().closed = false;
        WatchSink {
            watchers: self.clone(),
            info: None,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Crowd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, place: Option<usize>, line: String) {
        let mut crowd = self.lock();
        let shared: Arc<str> = line.as_str().into();
        if let Some(place) = place {
            crowd.latest[place] = Some(line);
        }
        crowd.everyone.retain(
            |watcher| match watcher.lines.try_send(Arc::clone(&shared)) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    watcher.missed.fetch_add(1, Ordering::Relaxed);
                    true
                }
                Err(TrySendError::Disconnected(_)) => false,
            },
        );
    }
}

fn write(lines: &Receiver<Arc<str>>, missed: &AtomicU64, output: &mut dyn Write) -> io::Result<()> {
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => {
                output.write_all(line.as_bytes())?;
                output.write_all(b"\n")?;
            }
            Err(RecvTimeoutError::Timeout) => output.write_all(b"\n")?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        match missed.swap(0, Ordering::Relaxed) {
            0 => {}
            count => writeln!(output, "{{\"kind\":\"missed\",\"count\":{count}}}")?,
        }
    }
}

/// Gives reports to those who watch.
#[derive(Debug)]
pub struct WatchSink {
    watchers: Watchers,
    info: Option<Arc<Info>>,
}

impl Sink for WatchSink {
    fn name(&self) -> &'static str {
        WATCH
    }

    fn take(&mut self, report: &Report) -> Result<(), SinkError> {
        if let Report::Info(info) = report {
            self.info = Some(Arc::clone(info));
        }
        let place = match report {
            Report::Info(_) => Some(0),
            Report::Status(_) => Some(1),
            Report::Health(_) => Some(2),
            _ => None,
        };
        if place.is_none() && self.watchers.lock().everyone.is_empty() {
            return Ok(());
        }
        let line = self.info.as_deref().map(|info| json::report(info, report));
        if let Some(Ok(line)) = line {
            self.watchers.tell(place, line);
        }
        Ok(())
    }

    fn close(&mut self, _: std::time::Instant) {
        // Who watches sees the end of the stream, after the last report.
        let mut crowd = self.watchers.lock();
        crowd.everyone.clear();
        crowd.closed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Dropped;

    fn info() -> Report {
        Report::Info(Arc::new(Info {
            version: "0.1.0",
            boot_id: "b00t".into(),
            model_hash: String::new(),
            licence: "open",
            labels: vec!["neutral".into()],
            purpose: "evaluation".into(),
            subjects: undertone_deployment::Subjects::Volunteers,
            legal_basis: None,
            live: true,
        }))
    }

    fn dropped(count: u64) -> Report {
        Report::Dropped(Dropped {
            count,
            first_seq: 1,
            last_seq: count,
        })
    }

    #[test]
    fn who_comes_later_gets_what_holds_first_and_then_everything() {
        let watchers = Watchers::default();
        let mut sink = watchers.sink();
        sink.take(&info()).unwrap();
        sink.take(&dropped(1)).unwrap();
        let later = watchers.clone();
        let watching = std::thread::spawn(move || {
            let mut output = Vec::new();
            later.stream(&mut output).unwrap();
            String::from_utf8(output).unwrap()
        });
        while watchers.lock().everyone.is_empty() {
            std::thread::yield_now();
        }
        sink.take(&dropped(2)).unwrap();
        sink.close(std::time::Instant::now());
        let text = watching.join().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("{\"kind\":\"info\""));
        assert!(lines[1].contains("\"count\":2"));
    }

    #[test]
    fn who_takes_nothing_misses_lines_in_bounded_memory_and_is_told_how_many() {
        struct Slow(Arc<Mutex<()>>, Vec<u8>);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _gate = self.0.lock().unwrap();
                self.1.write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let watchers = Watchers::default();
        let mut sink = watchers.sink();
        sink.take(&info()).unwrap();
        let gate = Arc::new(Mutex::new(()));
        let shut = gate.lock().unwrap();
        let (later, theirs) = (watchers.clone(), Arc::clone(&gate));
        let watching = std::thread::spawn(move || {
            let mut output = Slow(theirs, Vec::new());
            later.stream(&mut output).unwrap();
            String::from_utf8(output.1).unwrap()
        });
        while watchers.lock().everyone.is_empty() {
            std::thread::yield_now();
        }
        let told = 10 * WAITING as u64;
        (1..=told).for_each(|count| sink.take(&dropped(count)).unwrap());
        drop(shut);
        // The writer notes what was missed only while it writes; give it time to catch up.
        std::thread::sleep(Duration::from_millis(200));
        sink.close(std::time::Instant::now());
        let text = watching.join().unwrap();
        let got = text
            .lines()
            .filter(|line| line.contains("first_seq"))
            .count() as u64;
        let missed: u64 = text
            .lines()
            .filter(|line| line.contains("missed"))
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter_map(|line| line["count"].as_u64())
            .sum();
        assert_eq!(got + missed, told, "{missed} missed");
        assert!(missed > told / 2);
    }
}
