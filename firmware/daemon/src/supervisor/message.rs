//! The messages between the threads; with [`Command`](crate::control::Command), they are the architecture.
//!
//! ```text
//! capture, analysis --Notice--> supervisor --Order--> analysis
//!        outside --Command--> supervisor --Mute, Stop--> capture
//! ```

use undertone_analysis::{Load, Signal};

use super::lane::Lane;
use super::plan::Plan;
use crate::capture::{CaptureError, CaptureSignal};
use crate::sinks::FanOut;

/// Names a source for as long as it runs; never given twice in a run.
pub type SourceId = u64;

/// What the threads say to the supervisor.
#[derive(Debug)]
pub enum Notice {
    /// What happened to a device.
    Capture(SourceId, CaptureSignal),
    /// The thread of a source has ended.
    CaptureEnded(SourceId, Result<(), CaptureError>),
    /// A source cannot be analysed as it is.
    Unusable(SourceId, undertone_analysis::AnalysisError),
    /// What a source delivers.
    Signal(SourceId, Signal),
    /// Whether what a device delivers is always the same value, as no microphone that works does.
    Dead(SourceId, bool),
    /// Whether somebody speaks.
    Speech(SourceId, bool),
    /// All of a source's audio has been analysed.
    Drained(SourceId),
    /// Analysis keeps up, or does not.
    Load(Load),
    /// The model is warm.
    Warm,
    /// The model failed; analysis has ended.
    ModelFailed(String),
    /// A thread died; this is a fault of the program.
    Died(&'static str),
}

/// What the supervisor has the analysis do.
pub enum Order {
    /// Analyse one more source.
    Attach(Box<Lane>),
    /// Analyse otherwise from here on; utterances that are open end here.
    Plan(Plan),
    /// Tell these sinks from here on.
    Sinks(FanOut),
    /// Another threshold for one label, or for all.
    Threshold(Option<usize>, f32),
    /// End as soon as every source has ended.
    Finish,
}

/// Everything that reaches the supervisor.
#[derive(Debug)]
pub enum Input {
    /// From a thread.
    Notice(Notice),
    /// A command waits.
    Requested,
    /// SIGHUP.
    Reload,
    /// SIGINT or SIGTERM.
    Stop,
}
