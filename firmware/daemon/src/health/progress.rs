//! Whether every stage of the pipeline is alive: each marks that it went round its loop once more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One stage's mark. Clones mark the same stage; when all are gone, the stage has ended.
#[derive(Debug, Clone)]
pub struct Stage(Arc<AtomicU64>);

impl Stage {
    /// The stage went round once more.
    pub fn mark(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The stages that are watched. Clones watch the same ones.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<Vec<Watched>>>);

#[derive(Debug)]
struct Watched {
    name: String,
    marks: Arc<AtomicU64>,
    seen: u64,
    since: Option<Instant>,
}

impl Progress {
    /// Watches a stage from now on, until its mark is dropped.
    pub fn stage(&self, name: impl Into<String>) -> Stage {
        let marks = Arc::new(AtomicU64::new(0));
        let watched = Watched {
            name: name.into(),
            marks: Arc::clone(&marks),
            seen: 0,
            since: None,
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(watched);
        Stage(marks)
    }

    /// The stages that have made no progress for longer than `within`; stages that have ended are no longer watched.
    pub fn stuck(&self, now: Instant, within: Duration) -> Vec<String> {
        let mut stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The marks of a stage that has ended are held by nobody else.
        stages.retain(|stage| Arc::strong_count(&stage.marks) > 1);
        let mut stuck = Vec::new();
        for stage in stages.iter_mut() {
            let marks = stage.marks.load(Ordering::Relaxed);
            let since = *stage.since.get_or_insert(now);
            if marks != stage.seen {
                stage.seen = marks;
                stage.since = Some(now);
            } else if now.saturating_duration_since(since) > within {
                stuck.push(stage.name.clone());
            }
        }
        stuck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_does_not_go_round_is_stuck_until_it_does_and_one_that_has_ended_is_not() {
        let progress = Progress::default();
        let (lively, dead) = (progress.stage("lively"), progress.stage("dead"));
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        assert!(progress.stuck(start, second).is_empty());
        lively.mark();
        assert!(progress.stuck(start + second, second).is_empty());
        lively.mark();
        assert_eq!(progress.stuck(start + second * 2, second), ["dead"]);
        dead.mark();
        assert!(progress.stuck(start + second * 2, second).is_empty());
        drop(dead);
        assert_eq!(progress.stuck(start + second * 9, second), ["lively"]);
    }
}
