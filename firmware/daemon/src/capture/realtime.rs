//! Real-time priority for the thread that captures.

use std::sync::Once;

use thread_priority::unix::{set_thread_priority_and_policy, thread_native_id};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
};

use crate::talk::say;

/// Above every ordinary thread, and far below what the kernel's own interrupt threads have (50).
const PRIORITY: u8 = 20;

/// Asks for SCHED_FIFO for the calling thread. A refusal is told once and changes nothing else: most systems give it
/// only to root and to units with `LimitRTPRIO=`.
pub(super) fn ask() {
    static REFUSED: Once = Once::new();
    let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let priority = ThreadPriorityValue::try_from(PRIORITY).map(ThreadPriority::Crossplatform);
    let asked = priority.and_then(|priority| {
        set_thread_priority_and_policy(thread_native_id(), priority, fifo)
            .map_err(|error| error.to_string())
    });
    if let Err(reason) = asked {
        REFUSED.call_once(|| {
            say!(
                "real-time priority is refused ({reason}); samples may be lost when the machine is busy. To allow it: \
                 LimitRTPRIO={PRIORITY} in the unit, or `rtprio {PRIORITY}` in /etc/security/limits.d"
            );
        });
    }
}
