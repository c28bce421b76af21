//! Parses, loads, runs; the exit code is that of [`undertoned::DaemonError::exit_code`].

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use undertoned::cli::{Cli, Task};
use undertoned::{DaemonError, capture, config, control, model_file, supervisor, talk};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match &cli.task {
        Some(Task::Slot(slot)) => return ExitCode::from(slot.run()),
        Some(Task::Doctor(doctor)) => return ExitCode::from(doctor.run()),
        Some(Task::Devices(devices)) => {
            devices.run();
            return ExitCode::SUCCESS;
        }
        Some(Task::Report(report)) => {
            report.run();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            talk::tell(talk::Severity::Error, format_args!("error: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn start(cli: &Cli) -> Result<(), DaemonError> {
    if let Some(Task::Ctl(ctl)) = &cli.task {
        return control::ctl(ctl);
    }
    if cli.list_devices {
        let list = capture::list_devices().join("\n");
        let written = writeln!(std::io::stdout(), "{list}");
        return written.map_err(|reason| DaemonError::System {
            action: "write to standard output",
            reason,
        });
    }
    let layers = cli.layers()?;
    let configuration = config::load(&layers)?;
    talk::configure(configuration.settings.log);
    let model = model_file::load(configuration.settings.model.as_deref())?;
    let labels = &model.metadata().labels;
    let _ = configuration.settings.thresholds.resolve(labels)?;
    if cli.check {
        undertoned::say_line(format_args!("configuration and model are usable"));
        return Ok(());
    }
    supervisor::run(layers, configuration, model, &boot_id()?)
}

/// A random name for this run, so that consumers can tell its events from those of another.
fn boot_id() -> Result<String, DaemonError> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| DaemonError::System {
        action: "draw a random number",
        reason: std::io::Error::other(error.to_string()),
    })?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
