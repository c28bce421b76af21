//! How the box is: what the system says about it, and what the daemon counts and measures itself.

mod counters;
mod gather;
mod metrics;
mod page;
mod percentiles;
mod progress;
mod sensors;

pub use counters::{Counter, Counters};
pub use gather::Gatherer;
pub use metrics::MetricsServer;
pub use page::page;
pub use percentiles::{Percentiles, Timings};
pub use progress::{Progress, Stage};
pub use sensors::Sensors;
