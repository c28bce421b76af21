//! `undertone notice`: the text that has to be shown to those who are listened to.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use undertone_deployment::{DeploymentSection, LegalBasis, Subjects};

use crate::failure::Failure;
use crate::print;

/// Bytes of a configuration file, at most; as in the daemon.
const MAX_BYTES: u64 = 64 * 1024;

/// Print the information that Article 50(3) of Regulation (EU) 2024/1689 requires to be given to those who are exposed to
/// emotion recognition, as plain text
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The daemon's configuration, of which `[deployment]` is read; the options below override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// What the box is used for
    #[arg(long)]
    purpose: Option<String>,

    /// Who is listened to
    #[arg(long, value_enum)]
    subjects: Option<Subjects>,

    /// Legal basis for listening
    #[arg(long, value_enum)]
    legal_basis: Option<LegalBasis>,

    /// Name and address of whoever is responsible
    #[arg(long)]
    controller: Option<String>,

    /// Where those who are listened to can turn to
    #[arg(long)]
    contact: Option<String>,

    /// One JSON object with the field `text`
    #[arg(long)]
    json: bool,
}

/// What is of interest here in the daemon's configuration.
#[derive(serde::Deserialize)]
struct ConfigFile {
    #[serde(default)]
    deployment: DeploymentSection,
}

impl Args {
    pub(crate) fn run(self) -> Result<()> {
        let declared = match &self.config {
            Some(path) => read(path)?,
            None => DeploymentSection::default(),
        };
        let section = DeploymentSection {
            purpose: self.purpose.or(declared.purpose),
            subjects: self.subjects.or(declared.subjects),
            legal_basis: self.legal_basis.or(declared.legal_basis),
            controller: self.controller.or(declared.controller),
            contact: self.contact.or(declared.contact),
        };
        let text = section.notice()?;
        if self.json {
            let object = serde_json::json!({ "language": "en", "text": text });
            print::text(&format!("{object}\n"))
        } else {
            print::text(&text)
        }
    }
}

fn read(path: &Path) -> Result<DeploymentSection> {
    let shown = path.display();
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
        .with_context(|| format!("cannot read the configuration {shown}"))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(bad_configuration(format!(
            "the configuration {shown} is longer than {} KiB, which none is",
            MAX_BYTES >> 10
        )));
    }
    let file: ConfigFile = toml::from_str(&text).map_err(|error| {
        let fault = undertone_deployment::toml_fault(&text, &error);
        bad_configuration(format!("the configuration {shown} is not valid: {fault}"))
    })?;
    Ok(file.deployment)
}

fn bad_configuration(cause: String) -> anyhow::Error {
    let next = "name the daemon's configuration; docs/configuration.md has every field";
    Failure::error("bad-configuration", cause, next)
}
