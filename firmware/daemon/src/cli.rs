//! The command line.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::capture::SourceSpec;
use crate::config::{ConfigFile, LegalBasis, Settings, Subjects};
use crate::error::DaemonError;
use crate::output::OutputFormat;
use undertone_analysis::Channels;

/// Listens to speech and tells which emotion the voice expresses, as JSON lines on standard output.
///
/// The audio never leaves this process: it is not stored and not sent.
#[derive(Debug, Clone, Parser)]
#[command(name = "undertoned", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// Where the audio comes from: file:PATH, stdin, alsa:NAME, cpal:NAME or cpal:default
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<SourceSpec>,

    /// A model file [default: the model inside this program]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// Analyse a file as fast as possible instead of at real-time pace
    #[arg(long)]
    pub fast: bool,

    /// What this is used for; without a purpose nothing starts. For a demo or a bench: evaluation
    #[arg(long)]
    pub purpose: Option<String>,

    /// Who is listened to
    #[arg(long, value_enum)]
    pub subjects: Option<Subjects>,

    /// On what ground
    #[arg(long, value_enum)]
    pub legal_basis: Option<LegalBasis>,

    /// The channels that are analysed: their mean, or each by itself
    #[arg(long, value_parser = PossibleValuesParser::new(["mix", "each"]).try_map(|text| text.parse::<Channels>()))]
    pub channels: Option<Channels>,

    /// The rate of headerless standard input, in Hz [default: 16000]
    #[arg(long, value_name = "HZ")]
    pub stdin_rate: Option<u32>,

    /// The channels of headerless standard input [default: 1]
    #[arg(long, value_name = "COUNT")]
    pub stdin_channels: Option<usize>,

    /// The form of the output [default: json]
    #[arg(long, value_enum)]
    pub format: Option<OutputFormat>,

    /// JSON lines, whatever the configuration says
    #[arg(long, conflicts_with = "format")]
    pub json: bool,

    /// Tell levels as well
    #[arg(long)]
    pub with_levels: bool,

    /// A configuration file in TOML; the command line overrides it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Check configuration and model, and stop
    #[arg(long)]
    pub check: bool,

    /// Print the capture devices that exist, one per line, and stop
    #[arg(long)]
    pub list_devices: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 the audio ended or a signal asked for the end, 1 failure while running, 2 usage, \
                          3 configuration or deployment, 4 model, 5 source of audio.";

impl Cli {
    /// The configuration file, if one is named, overridden by what the command line says; checked.
    ///
    /// # Errors
    /// What is missing, out of range or not lawful.
    pub fn settings(&self) -> Result<Settings, DaemonError> {
        let mut file = match &self.config {
            Some(path) => ConfigFile::read(path)?,
            None => ConfigFile::default(),
        };
        replace(&mut file.deployment.purpose, &self.purpose);
        replace(&mut file.deployment.subjects, &self.subjects);
        replace(&mut file.deployment.legal_basis, &self.legal_basis);
        replace(&mut file.source.name, &self.source);
        replace(&mut file.source.stdin_rate, &self.stdin_rate);
        replace(&mut file.source.stdin_channels, &self.stdin_channels);
        replace(&mut file.model.path, &self.model);
        file.source.channels = self.channels.unwrap_or(file.source.channels);
        file.source.fast |= self.fast;
        file.output.levels |= self.with_levels;
        file.output.format = self.format.unwrap_or(file.output.format);
        if self.json {
            file.output.format = OutputFormat::Json;
        }
        file.settle()
    }
}

fn replace<T: Clone>(value: &mut Option<T>, by: &Option<T>) {
    if let Some(by) = by {
        *value = Some(by.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_command_line_overrides_the_file() {
        let dir = std::env::temp_dir().join(format!("undertoned-cli-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("config.toml");
        std::fs::write(
            &path,
            "[deployment]\npurpose = \"a\"\nsubjects = \"public\"\n[source]\nname = \"stdin\"\n",
        )
        .unwrap();
        let args = [
            "undertoned",
            "--config",
            path.to_str().unwrap(),
            "--purpose",
            "b",
            "--source",
            "file:x.wav",
            "--fast",
        ];
        let settings = Cli::parse_from(args).settings().unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(
            (
                settings.deployment.purpose.as_str(),
                settings.deployment.subjects
            ),
            ("b", Subjects::Public)
        );
        assert_eq!(settings.source, SourceSpec::File("x.wav".into()));
        assert!(settings.capture.fast);
    }

    #[test]
    fn a_configuration_that_is_not_there_is_named() {
        let error = Cli::parse_from(["undertoned", "--config", "/nowhere/x.toml"])
            .settings()
            .unwrap_err();
        assert!(error.to_string().contains("/nowhere/x.toml"), "{error}");
        assert_eq!(error.exit_code(), 3);
    }
}
