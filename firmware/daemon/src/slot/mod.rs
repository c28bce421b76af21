//! `undertoned slot`: the box's half of installing signed bundles, from a network or from a USB stick.

mod advice;
mod command;
mod exec;
mod run;
mod trial;

use std::path::PathBuf;

use undertone_slots::{Settings, Slots, SlotsError};

/// Installs signed bundles into two slots, tries them, and goes back when they are not well.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Settings of the slots [default: /etc/undertone/slots.toml]
    #[arg(long, global = true, value_name = "FILE", env = "UNDERTONE_SLOTS")]
    settings: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Check a bundle, switch to it, restart the daemon, and keep it if it is well
    Install {
        /// A signed bundle (.utb)
        bundle: PathBuf,
        /// Check it, for this box too, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Switch, but leave restarting to you; the trial's deadline counts from now on
        #[arg(long, conflicts_with = "dry_run")]
        no_restart: bool,
    },
    /// Keep the slot that is on trial
    Commit,
    /// Go back to what ran before, and restart the daemon
    Rollback {
        /// Go back to the program that the system's package installed
        #[arg(long)]
        packaged: bool,
        /// Leave restarting to you
        #[arg(long)]
        no_restart: bool,
    },
    /// What runs, what is in the slots, and whether it is what was signed
    Status,
    /// Watch over a slot on trial to the end: keep it when it is well, go back when it is not
    Watch,
    /// Count a start of the daemon (for the unit, before the daemon starts)
    Start,
    /// Become the daemon of the current slot (for the unit); arguments are passed on
    Exec {
        /// Arguments of the daemon
        #[arg(last = true)]
        arguments: Vec<std::ffi::OsString>,
    },
}

/// How a command of the slots ended: the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The slot on trial was not well, and the old one is back.
    WentBack,
}

impl Args {
    /// Runs the command; the exit code: 0 done, 1 the system, 2 usage, 3 settings, 7 refused, 8 the new version was not well
    /// and the old one is back.
    pub fn run(&self) -> u8 {
        match self.act() {
            Ok(Outcome::Done) => 0,
            Ok(Outcome::WentBack) => 8,
            Err(error) => {
                advice::tell(&error, self.json);
                match error {
                    SlotsError::Io { .. } | SlotsError::Busy { .. } => 1,
                    SlotsError::Settings { .. }
                    | SlotsError::NoKeys { .. }
                    | SlotsError::TooManyKeys { .. }
                    | SlotsError::BadKey { .. }
                    | SlotsError::UnknownBoard(_) => 3,
                    _ => 7,
                }
            }
        }
    }

    fn act(&self) -> Result<Outcome, SlotsError> {
        let settings = Settings::read(self.settings.as_deref())?;
        match &self.command {
            Command::Install {
                bundle,
                dry_run: true,
                ..
            } => run::check(&settings, bundle, self.json),
            Command::Install {
                bundle, no_restart, ..
            } => run::install(&settings, bundle, !no_restart, self.json),
            Command::Commit => run::commit(&settings, self.json),
            Command::Rollback {
                packaged,
                no_restart,
            } => run::rollback(&settings, *packaged, !no_restart, self.json),
            Command::Status => run::status(&settings, self.json),
            Command::Watch => trial::watch(&settings, None, self.json),
            Command::Start => trial::start(&settings, self.json),
            Command::Exec { arguments } => exec::exec(&settings, arguments),
        }
    }
}

/// The slots, waiting a moment for another command to finish its step.
fn open(settings: &Settings) -> Result<Slots, SlotsError> {
    const TRIES: u32 = 50;
    let open_now = || Slots::open(&settings.root, settings.unit_link.as_deref());
    for _ in 0..TRIES {
        match open_now() {
            Err(SlotsError::Busy { .. }) => {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            other => return other,
        }
    }
    open_now()
}
