//! `undertone bundle create`.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::json;
use undertone_model::Model;
use undertone_slots::{
    FORMAT, FileEntry, FileKind, MAX_FILE_BYTES, Manifest, PRODUCT, Version, write_bundle,
};

use super::{program, sign, summary, unit};
use crate::failure::Failure;
use crate::{boards, configuration, digest, place, print, text};

/// A file to put in: what it is, where it is from, and the file, opened.
type Source = (FileKind, PathBuf, File);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The program undertoned, built for the board
    #[arg(long, value_name = "FILE")]
    daemon: PathBuf,
    /// A model (.onnx) instead of the one inside the program
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// A configuration (TOML) instead of the box's own
    #[arg(long, value_name = "FILE")]
    configuration: Option<PathBuf>,
    /// A systemd unit instead of the box's own
    #[arg(long, value_name = "FILE")]
    unit: Option<PathBuf>,
    /// Version of the bundle, such as 1.4.0
    #[arg(long, value_name = "VERSION")]
    bundle_version: Version,
    /// Once committed, the box takes nothing older than this
    #[arg(long, value_name = "VERSION", default_value = "0.0.0")]
    minimum_version: Version,
    /// A board that it may run on; once for each board
    #[arg(long = "board", value_name = "NAME", required = true)]
    boards: Vec<String>,
    /// Sign it with this secret key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The bundle to write (.utb)
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Never ask; an encrypted key is an error then
    #[arg(long)]
    non_interactive: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        self.boards
            .iter()
            .try_for_each(|name| boards::must_know(name))?;
        if self.minimum_version > self.bundle_version {
            return Err(Failure::error(
                "bad-manifest",
                format!(
                    "--minimum-version is {}, above --bundle-version {}: no box that took it could run it",
                    self.minimum_version, self.bundle_version
                ),
                format!(
                    "give a --minimum-version of at most {}",
                    self.bundle_version
                ),
            ));
        }
        may_be_replaced(&self.output)?;
        let (arch, mut files) = self.gather()?;
        self.check_arch(arch)?;
        let entries: Result<Vec<FileEntry>> = files
            .iter_mut()
            .map(|(kind, path, file)| entry(*kind, path, file))
            .collect();
        let manifest = Manifest {
            format: FORMAT,
            product: PRODUCT.into(),
            version: self.bundle_version,
            minimum_version: self.minimum_version,
            arch: arch.into(),
            boards: self.boards.clone(),
            files: entries?,
        };
        manifest.check()?;
        let text = serde_json::to_vec(&manifest)?;
        let signature = match &self.key {
            Some(key) => sign::sign(&text, key, manifest.version, self.non_interactive)?,
            None => Vec::new(),
        };
        let mut content: Box<dyn Read> = Box::new(io::empty());
        for (_, _, file) in files {
            content = Box::new(content.chain(file));
        }
        replace(&self.output, |to| {
            write_bundle(to, &signature, &text, &mut content).map_err(Into::into)
        })?;
        let report = json!({
            "file": self.output.display().to_string(),
            "signed": !signature.is_empty(),
            "manifest": summary(&manifest),
        });
        print::report(&report, self.json)
    }

    /// The program's architecture, and every file, opened.
    fn gather(&self) -> Result<(&'static str, Vec<Source>)> {
        let named = [
            (FileKind::Daemon, Some(&self.daemon)),
            (FileKind::Model, self.model.as_ref()),
            (FileKind::Configuration, self.configuration.as_ref()),
            (FileKind::Unit, self.unit.as_ref()),
        ];
        let mut files: Vec<Source> = Vec::new();
        let mut arch = None;
        let mut model = None;
        for (kind, path) in named {
            let Some(path) = path else { continue };
            let mut file = super::open(path)?.into_inner();
            match kind {
                FileKind::Daemon => arch = Some(program::examine(&mut file, path)?),
                FileKind::Model => model = Some(read_model(path, &mut file)?),
                FileKind::Configuration => check_configuration(path, &mut file, model.as_ref())?,
                FileKind::Unit => check_unit(path, &mut file)?,
            }
            file.rewind()?;
            files.push((kind, path.clone(), file));
        }
        Ok((arch.context("there is no daemon")?, files))
    }

    /// A program that a named board cannot run is a mistake that is better found here than there.
    fn check_arch(&self, arch: &str) -> Result<()> {
        for name in self.boards.iter().filter(|name| *name != "pc") {
            let board = boards::named(name)?;
            let target = &board.target;
            // The triple armv7 begins with Rust's name of the architecture, arm.
            let targets = [Some(target), board.target_32bit.as_ref()];
            let fits = |target: &&String| target.starts_with(arch);
            if !targets.iter().flatten().any(fits) {
                return Err(Failure::error(
                    "wrong-arch",
                    format!(
                        "{} is for {arch}, and {name} needs {target}",
                        self.daemon.display()
                    ),
                    format!(
                        "cargo xtask cross arm64, or: cross build --profile dist --target {target} --package undertoned"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// No text in a bundle is longer.
const MAX_TEXT: u64 = 1 << 20;

/// What a box would stumble over later is refused now.
fn refuse(what: &str, path: &Path, reason: &dyn std::fmt::Display, next: String) -> anyhow::Error {
    Failure::error(
        "bad-content",
        format!(
            "{} is not a {what} to put into a bundle: {reason}",
            path.display()
        ),
        next,
    )
}

fn read_model(path: &Path, file: &mut File) -> Result<Model> {
    let wrong = |error: &dyn std::fmt::Display| {
        let next = format!("undertone model verify {}", path.display());
        refuse("model", path, error, next)
    };
    let bytes = undertone_model::read_bounded(file).map_err(|error| wrong(&error))?;
    Model::from_bytes(&bytes).map_err(|error| wrong(&error))
}

fn read_text(what: &str, path: &Path, file: &mut File) -> Result<String> {
    text::bounded(Read::by_ref(file), MAX_TEXT).map_err(|error| {
        refuse(
            what,
            path,
            &error,
            format!("head -c 200 {}", path.display()),
        )
    })
}

fn check_configuration(path: &Path, file: &mut File, model: Option<&Model>) -> Result<()> {
    let text = read_text("configuration", path, file)?;
    configuration::check(path, &text, Vec::new(), model).map_err(|error| {
        let next = "correct it: docs/configuration.md has every field with what is allowed";
        refuse("configuration", path, &error, next.into())
    })?;
    // Every user of a box can read its slots.
    if configuration::holds_password(&text) {
        let next = "put it into /etc/undertone/undertoned.env on the box, as UNDERTONE_MQTT_PASSWORD, and take \
                    mqtt.password out of the file";
        let reason = "mqtt.password would be readable by every user of the box";
        return Err(refuse("configuration", path, &reason, next.into()));
    }
    Ok(())
}

fn check_unit(path: &Path, file: &mut File) -> Result<()> {
    let text = read_text("unit", path, file)?;
    unit::check(&text).map_err(|reason| {
        let next = format!("systemd-analyze verify {}", path.display());
        refuse("unit", path, &reason, next)
    })
}

fn entry(kind: FileKind, path: &Path, file: &mut File) -> Result<FileEntry> {
    let mut source = Read::by_ref(file).take(MAX_FILE_BYTES + 1);
    let (bytes, sha256) = digest::sha256(&mut source, |_| ())
        .with_context(|| format!("cannot read {}", path.display()))?;
    file.rewind()?;
    Ok(FileEntry {
        kind,
        bytes,
        sha256,
    })
}

fn is_bundle(path: &Path) -> bool {
    let mut begin = [0; undertone_slots::MAGIC.len()];
    File::open(path).is_ok_and(|mut file| file.read_exact(&mut begin).is_ok())
        && begin == undertone_slots::MAGIC
}

/// Refuses to write over what is there, unless it is a bundle, and where nothing can be written.
fn may_be_replaced(path: &Path) -> Result<()> {
    // What is there may be the key, or one of the parts.
    if path.exists() && !is_bundle(path) {
        return Err(Failure::error(
            "exists",
            format!(
                "{} exists and is not a bundle; it is left alone",
                path.display()
            ),
            "choose another name with --output",
        ));
    }
    place::must_take(path)
}

/// Writes a file beside its place, for nobody else to read, and puts it there whole; only a bundle is replaced.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    may_be_replaced(path)?;
    let refused = |error: &io::Error| place::refused(path, error);
    // Of a name that nobody can foresee, and of mode 0600.
    let mut part =
        tempfile::NamedTempFile::new_in(place::folder_of(path)).map_err(|error| refused(&error))?;
    write(part.as_file_mut())?;
    part.as_file().sync_all().map_err(|error| refused(&error))?;
    part.persist(path)
        .map(drop)
        .map_err(|error| refused(&error.error))
}
