//! Puts together how the box is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{Counters, Sensors, Timings};
use crate::sinks::FanOut;
use crate::status::Health;

/// Whoever holds one can say how the box is. Clones say the same.
#[derive(Debug, Clone)]
pub struct Gatherer {
    /// What is counted.
    pub counters: Counters,
    /// How long the network takes.
    pub timings: Timings,
    sensors: Sensors,
    started: Instant,
    sinks: Arc<Mutex<Option<FanOut>>>,
}

impl Gatherer {
    /// Of a daemon that started then.
    pub fn new(started: Instant) -> Self {
        Gatherer {
            counters: Counters::default(),
            timings: Timings::default(),
            sensors: Sensors::default(),
            started,
            sinks: Arc::default(),
        }
    }

    /// The sinks whose queues are told of; `None` lets go of them.
    pub fn set_sinks(&self, sinks: Option<FanOut>) {
        *self.sinks.lock().unwrap_or_else(PoisonError::into_inner) = sinks;
    }

    /// How the box is.
    pub fn health(&self) -> Health {
        let sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
        let (queues, lost_events) = sinks
            .as_ref()
            .map_or((Vec::new(), 0), |sinks| (sinks.queues(), sinks.lost()));
        drop(sinks);
        let inference = self.timings.percentiles();
        Health {
            temperature_c: self.sensors.temperature(),
            throttled: self.sensors.throttled(),
            xruns: self.counters.xruns.get(),
            gaps: self.counters.gaps.get(),
            dropped_frames: self.counters.dropped_frames.get(),
            lost_events,
            queues,
            inference_p50_us: inference.p50,
            inference_p95_us: inference.p95,
            inference_p99_us: inference.p99,
            uptime_s: self.started.elapsed().as_secs(),
            resident_bytes: self.sensors.resident_bytes(),
        }
    }
}
