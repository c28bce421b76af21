//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser as _};
use clap::{Parser, Subcommand, ValueEnum};
use toml::{Table, Value};

use crate::capture::SourceSpec;
use crate::config::{ConfigError, Layers, LegalBasis, OutputFormat, Overrides, Subjects};
use crate::control::CtlArgs;

/// Listens to speech and tells which emotion the voice expresses, as JSON lines on standard output.
///
/// The audio never leaves this process: it is not stored and not sent.
#[derive(Debug, Clone, Parser)]
#[command(name = "undertoned", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    #[allow(missing_docs)] // a doc comment would replace clap's own words
    pub task: Option<Task>,

    /// Where the audio comes from: file:PATH, stdin, alsa:NAME, cpal:NAME or cpal:default; may be given several times [default: alsa:default]
    #[arg(long, value_name = "SOURCE")]
    pub source: Vec<SourceSpec>,

    /// A model file [default: the model inside this program]
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(as_text))]
    pub model: Option<String>,

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
    #[arg(long, value_parser = PossibleValuesParser::new(["mix", "each"]))]
    pub channels: Option<String>,

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

    /// A Unix socket on which commands are taken [default: what the configuration says]
    #[arg(long, value_name = "PATH", value_parser = OsStringValueParser::new().try_map(as_text))]
    pub control_socket: Option<String>,

    /// Check configuration and model, and stop
    #[arg(long)]
    pub check: bool,

    /// Print the capture devices that exist, one per line, and stop
    #[arg(long)]
    pub list_devices: bool,
}

/// What is done instead of listening.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// Ask a running daemon: status, mute, unmute, reload, threshold, identify, watch
    Ctl(CtlArgs),
    /// Install signed bundles, try them, go back
    Slot(crate::slot::Args),
    /// Look at everything that keeps this box from listening, and say what to do about it
    Doctor(crate::doctor::Args),
    /// List microphones and serial ports, what they offer, and what blocks them
    Devices(crate::inventory::Args),
    /// Print what support needs to know, as JSON, without secrets; `undertone report` makes a zip of it
    Report(crate::support::Args),
}

const EXIT_CODES: &str = "Exit codes: 0 the audio ended or a signal asked for the end, 1 failure while running, 2 usage, \
                          3 configuration or deployment, 4 model, 5 source of audio, 6 ctl: not reached or not done, \
                          7 slot: refused, 8 slot: the new version was not well and the old one is back, \
                          9 doctor: something warns, 10 doctor: something fails.";

impl Cli {
    /// Where the configuration comes from: the file that is named, the environment, and what the command line says.
    ///
    /// # Errors
    /// [`ConfigError::NotText`] for a variable that cannot be the value of a field.
    pub fn layers(&self) -> Result<Layers, ConfigError> {
        Ok(Layers {
            file: self.config.clone(),
            environment: texts(std::env::vars_os())?,
            overrides: self.overrides(),
        })
    }

    fn overrides(&self) -> Overrides {
        let mut sections = Table::new();
        let mut set = |field: &str, value: Option<Value>| {
            if let (Some((section, name)), Some(value)) = (field.split_once('.'), value) {
                let section = sections
                    .entry(section)
                    .or_insert(Value::Table(Table::new()));
                if let Value::Table(section) = section {
                    section.insert(name.to_owned(), value);
                }
            }
        };
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let flag = |on: bool| on.then_some(Value::Boolean(true));
        let format = if self.json {
            Some(OutputFormat::Json)
        } else {
            self.format
        };
        set("deployment.purpose", text(&self.purpose));
        set("deployment.subjects", self.subjects.and_then(name));
        set("deployment.legal_basis", self.legal_basis.and_then(name));
        set("model.path", text(&self.model));
        set("control.socket", text(&self.control_socket));
        set("source.channels", text(&self.channels));
        set(
            "source.stdin_rate",
            self.stdin_rate.map(|rate| Value::Integer(rate.into())),
        );
        let channels = self
            .stdin_channels
            .and_then(|count| i64::try_from(count).ok());
        set("source.stdin_channels", channels.map(Value::Integer));
        set("source.fast", flag(self.fast));
        set("output.levels", flag(self.with_levels));
        set("output.format", format.and_then(name));
        Overrides {
            sections,
            sources: self.source.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The variables that are text. One of another program need not be.
fn texts(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let mut found = Vec::new();
    for (name, value) in variables {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => found.push((name, value)),
            (Ok(name), Err(_)) if name.starts_with("UNDERTONE_") => {
                return Err(ConfigError::NotText { name });
            }
            _ => {}
        }
    }
    Ok(found)
}

/// A path that the configuration can hold.
fn as_text(path: OsString) -> Result<String, &'static str> {
    path.into_string()
        .map_err(|_| "it is not UTF-8, as every path in the configuration is; rename it")
}

/// The name of a value that can be chosen, as it is written in the configuration.
fn name(value: impl ValueEnum) -> Option<Value> {
    let name = value.to_possible_value()?.get_name().to_owned();
    Some(Value::String(name))
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
        let settings = Cli::parse_from(args)
            .layers()
            .unwrap()
            .load()
            .unwrap()
            .settings;
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(
            (
                settings.deployment.purpose.as_str(),
                settings.deployment.subjects
            ),
            ("b", Subjects::Public)
        );
        let [source] = &settings.sources[..] else {
            panic!("one source is named: {:?}", settings.sources)
        };
        assert_eq!(source.spec, SourceSpec::File("x.wav".into()));
        assert!(source.capture.fast && !source.wait);
    }

    #[test]
    fn a_path_that_is_no_text_is_refused_by_name() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = std::ffi::OsStr::from_bytes(b"/m\xff.onnx");
        for option in ["--model", "--control-socket"] {
            let words = ["undertoned".as_ref(), option.as_ref(), path];
            let told = Cli::try_parse_from(words).unwrap_err().to_string();
            assert!(
                told.contains(option) && told.contains("not UTF-8"),
                "{told}"
            );
        }
        let variables = |name: &str| {
            let other = ("HOME".into(), "/".into());
            texts([other, (name.into(), path.into())].into_iter())
        };
        let told = variables("UNDERTONE_MODEL_PATH").unwrap_err().to_string();
        assert!(told.contains("UNDERTONE_MODEL_PATH is not UTF-8"), "{told}");
        assert_eq!(variables("OTHER").unwrap().len(), 1);
    }

    #[test]
    fn a_configuration_that_is_not_there_is_named() {
        let error = Cli::parse_from(["undertoned", "--config", "/nowhere/x.toml"])
            .layers()
            .unwrap()
            .load()
            .unwrap_err();
        assert!(error.to_string().contains("/nowhere/x.toml"), "{error}");
    }
}
