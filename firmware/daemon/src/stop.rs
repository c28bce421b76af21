//! The request to stop, shared by all threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::health::Stage;

/// A flag that is set once and never cleared. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    flag: Arc<AtomicBool>,
    stage: Option<Stage>,
}

impl Stop {
    /// A flag that marks a stage whenever somebody looks at it: a thread that asks whether it is to stop is alive.
    pub fn watched(stage: Stage) -> Self {
        Stop {
            flag: Arc::default(),
            stage: Some(stage),
        }
    }

    /// Asks every thread to come to its end.
    pub fn request(&self) {
        self.flag.store(true, Ordering::SeqCst);
    }

    /// True once the end was asked for.
    pub fn requested(&self) -> bool {
        if let Some(stage) = &self.stage {
            stage.mark();
        }
        self.flag.load(Ordering::SeqCst)
    }
}
