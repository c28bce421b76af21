//! CPU time, which a busy machine distorts less than the time on the wall.

use rustix::time::{ClockId, clock_gettime};

/// Seconds that all threads of this process have run, in user and system mode.
pub(crate) fn process_cpu() -> f64 {
    seconds(ClockId::ProcessCPUTime)
}

/// Seconds that this thread has run.
pub(crate) fn thread_cpu() -> f64 {
    seconds(ClockId::ThreadCPUTime)
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
