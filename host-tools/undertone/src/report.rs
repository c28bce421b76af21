//! `undertone report`: one zip of what support needs to know of a box. The box gathers it and takes secrets out
//! (`undertoned report`); here it is only packed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::failure::Failure;
use crate::on_box::OnBox;
use crate::{place, print};

/// Files of a report, at most, and bytes of all of them together.
const MAX_FILES: usize = 1000;
const MAX_BYTES: usize = 64 << 20;

const ABOUT: &str = "What support needs to know of an Undertone box: what doctor finds, devices, versions, configuration, logs, facts of the system.\n\
                     Secrets were taken out on the box: passwords, keys, values of the environment, and whatever stood in fields that are not\n\
                     documented. There is no audio in it. Look through it all the same before you pass it on.\n";

/// Pack logs, versions, the configuration without secrets, what doctor finds and facts of the system into one zip, here or
/// over ssh
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    on_box: OnBox,
    /// The zip to write; it must not exist [default: undertone-report-HOST.zip]
    #[arg(long, short, value_name = "FILE.zip")]
    output: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(path) = self.output.as_ref().filter(|path| path.exists()) {
            return Err(exists(path));
        }
        if let Some(path) = &self.output {
            place::must_take(path)?;
        }
        let (report, _) = self.on_box.ask("report")?;
        let host = report["host"].as_str().unwrap_or("box");
        let name = host.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
        let named = || format!("undertone-report-{name}.zip").into();
        let path = self.output.clone().unwrap_or_else(named);
        let names = pack(&report, &path)?;
        let told = json!({
            "ok": true,
            "file": path.display().to_string(),
            "files": names,
            "left_out": report["left_out"],
        });
        print::report(&told, self.on_box.connection.json)
    }
}

fn exists(path: &Path) -> anyhow::Error {
    Failure::error(
        "exists",
        format!("{} exists", path.display()),
        "name another file with -o, or remove this one",
    )
}

/// Writes the zip; the names of what is in it. It is there as a whole or not at all.
fn pack(report: &Value, path: &Path) -> Result<Vec<String>> {
    let files = report["files"].as_object().into_iter().flatten();
    let mut texts = vec![("README.txt", ABOUT)];
    for (name, text) in files {
        let text = text.as_str().unwrap_or_default();
        if !is_plain(name) {
            return Err(Failure::error(
                "odd-report",
                format!("the box sends a file that is called {name:?}"),
                "do not unpack what this box sends; check the box",
            ));
        }
        texts.push((name, text));
    }
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    if texts.len() > MAX_FILES || bytes > MAX_BYTES {
        return Err(Failure::error(
            "odd-report",
            format!(
                "the box sends {} files of {bytes} bytes together",
                texts.len()
            ),
            format!("at most {MAX_FILES} files and {MAX_BYTES} bytes are taken; check the box"),
        ));
    }
    let shown = path.display();
    let file = tempfile::NamedTempFile::new_in(place::folder_of(path))
        .map_err(|error| place::refused(path, &error))?;
    let mut zip = ZipWriter::new(file);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(0o644);
    for (name, text) in &texts {
        zip.start_file(*name, options)
            .map_err(anyhow::Error::from)
            .and_then(|()| Ok(zip.write_all(text.as_bytes())?))
            .with_context(|| format!("cannot write {shown}"))?;
    }
    let file = zip
        .finish()
        .with_context(|| format!("cannot write {shown}"))?;
    file.persist_noclobber(path)
        .map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(path),
            _ => anyhow::Error::from(error.error).context(format!("cannot write {shown}")),
        })?;
    Ok(texts.into_iter().map(|(name, _)| name.to_owned()).collect())
}

/// A name that stays in the folder where the zip is unpacked.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    name.len() <= 200 && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_report_is_one_zip_with_a_file_for_each_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.zip");
        let report =
            json!({"files": {"doctor.txt": "ok\n", "logs/journal.txt": "a\n".repeat(1000)}});
        assert_eq!(
            pack(&report, &path).unwrap(),
            ["README.txt", "doctor.txt", "logs/journal.txt"]
        );
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        let mut text = String::new();
        zip.by_name("logs/journal.txt")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "a\n".repeat(1000));
        let again = pack(&report, &path).unwrap_err();
        assert_eq!(again.downcast_ref::<Failure>().unwrap().code, "exists");
    }

    #[test]
    fn a_box_cannot_write_outside_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "../x", "/etc/x", "a//b", "a/../b", "", ".ssh/x", "a\\b", "a b",
        ] {
            let path = folder.path().join("report.zip");
            let error = pack(&json!({"files": {name: "x"}}), &path).unwrap_err();
            assert_eq!(
                error.downcast_ref::<Failure>().unwrap().code,
                "odd-report",
                "{name}"
            );
            assert!(!path.exists());
        }
    }
}
