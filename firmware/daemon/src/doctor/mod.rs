//! `undertoned doctor`: looks at everything that keeps a box from listening, and says what to do about it.
//!
//! In: the configuration that the service would use, and the system. Out: [`Check`]s. Nothing is simulated: the microphone
//! is opened by the code that the daemon captures with, the broker is connected to by the daemon's client, the model is
//! loaded and run. Nothing is changed either, and of the audio only levels are kept, for as long as the check runs.
//! `undertone doctor` runs this here or over ssh. `docs/doctor.md` lists every code.

mod broker;
mod certificate;
mod check;
mod clock;
mod configuration;
mod disk;
mod environment;
mod hearing;
mod heat;
mod microphone;
mod model;
mod permissions;
mod serial;
mod service;
mod setup;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

pub use self::check::{Check, Verdict};
pub(crate) use self::setup::{ENVIRONMENT, Setup, read_short};
use crate::config::LogSection;
use crate::health::Sensors;
use crate::talk::{self, Severity};

/// Exit code when something warns and nothing fails.
pub const WARNED: u8 = 9;
/// Exit code when something fails.
pub const FAILED: u8 = 10;

/// Looks at everything that keeps this box from listening.
///
/// Exit codes: 0 nothing to complain about, 9 something warns, 10 something fails.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,

    /// How long to listen to each microphone, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Where the service has what is looked at.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Place {
    /// The configuration [default: that of the current slot, or what slots.toml says]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The service's environment file
    #[arg(long, value_name = "FILE", default_value = ENVIRONMENT)]
    pub(crate) env_file: PathBuf,

    /// The daemon's socket [default: what the configuration says, $UNDERTONE_SOCKET, or /run/undertone/control.sock]
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,

    /// Settings of the slots [default: /etc/undertone/slots.toml]
    #[arg(long, value_name = "FILE", env = "UNDERTONE_SLOTS")]
    pub(crate) slots: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Examination {
    /// Nothing fails.
    pub ok: bool,
    /// The worst verdict.
    pub verdict: Verdict,
    /// Version of the program that looked.
    pub version: &'static str,
    /// Name of the machine.
    pub host: String,
    /// The board, as far as it is known.
    pub board: String,
    /// Every check, in the order in which a signal goes through the box.
    pub checks: Vec<Check>,
}

impl Examination {
    /// 0, [`WARNED`] or [`FAILED`].
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Ok | Verdict::Skipped => 0,
            Verdict::Warn => WARNED,
            Verdict::Fail => FAILED,
        }
    }
}

impl Args {
    /// Looks, prints, and gives the exit code.
    pub fn run(&self) -> u8 {
        let found = examine(&self.place, Duration::from_secs(self.seconds.into()));
        let text = if self.json {
            serde_json::to_string(&found).unwrap_or_default() + "\n"
        } else {
            found.checks.iter().map(ToString::to_string).collect()
        };
        crate::print(&text);
        found.exit_code()
    }
}

/// Looks at everything, listening to each microphone for so long.
pub(crate) fn examine(place: &Place, listen: Duration) -> Examination {
    // What is wrong is in the checks; the daemon's own talk about it would be a second, longer version.
    talk::configure(LogSection {
        level: Severity::Error,
        ..LogSection::default()
    });
    let setup = Setup::find(place);
    let sensors = Sensors::default();
    let mut checks = configuration::check(&setup);
    checks.extend(permissions::check(&setup));
    let (service, status) = service::check(&setup);
    checks.extend(microphone::check(&setup, status.as_ref(), listen));
    checks.push(model::check(&setup));
    checks.extend(broker::check(&setup));
    checks.extend(serial::check(&setup));
    checks.push(clock::check());
    checks.extend(heat::check(&setup.board, &sensors));
    checks.extend(disk::check(&setup));
    checks.extend(service);
    let verdict = checks.iter().map(|check| check.verdict).max();
    let verdict = verdict.unwrap_or(Verdict::Ok);
    Examination {
        ok: verdict < Verdict::Fail,
        verdict,
        version: env!("CARGO_PKG_VERSION"),
        host: sensors.host(),
        board: setup.board,
        checks,
    }
}
