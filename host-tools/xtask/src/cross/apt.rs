//! Packages of two architectures without a change to the system: apt with lists and a cache of its own, `dpkg -x`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::command;

/// What the sources do not give today, and how to do without; a fault of the project is none of it.
#[derive(Debug)]
pub(crate) struct Unavailable(String);

impl Unavailable {
    /// Its exit code: EX_TEMPFAIL of sysexits.h.
    pub(crate) const EXIT: u8 = 75;

    /// An error that says `text`.
    pub(crate) fn error(text: impl Into<String>) -> anyhow::Error {
        Self(text.into()).into()
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// apt that knows the system's sources and keys, and keeps everything else in a folder.
pub(crate) struct Apt {
    configuration: PathBuf,
}

impl Apt {
    /// Reads the lists of this machine's architecture and of another one.
    ///
    /// # Errors
    /// When apt is not there, or none of its sources can be read.
    pub(crate) fn update(folder: &Path, own: &str, other: &str) -> Result<Self> {
        for part in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))
                .with_context(|| format!("cannot make {}", folder.join(part).display()))?;
        }
        // An empty status file: nothing is installed as far as this apt knows.
        fs::write(folder.join("status"), "")?;
        let configuration = folder.join("apt.conf");
        fs::write(&configuration, settings(folder, own, other))?;
        let apt = Self { configuration };
        let mut update = apt.command("apt-get");
        update.args(["update", "-qq"]);
        // apt calls it a success when no source could be reached; the C library is in every system's sources.
        if !command::succeeds(&mut update)? || apt.candidate("libc6")?.is_none() {
            return Err(Unavailable::error(format!(
                "the package lists for {other} cannot be read; see apt's output above. Needed: the network, and \
                 Debian's or Ubuntu's sources below /etc/apt. Without them: rustup target add, cross (docs/cross-compiling.md)"
            )));
        }
        Ok(apt)
    }

    /// The version that would be installed; `None` when no source has the package.
    pub(crate) fn candidate(&self, package: &str) -> Result<Option<String>> {
        Ok(candidate(&self.answer(&["policy", package])?))
    }

    /// The first dependency of a package whose name begins with `prefix`.
    ///
    /// # Errors
    /// When there is none: names with versions in them change, and nothing is guessed.
    pub(crate) fn dependency(&self, package: &str, prefix: &str) -> Result<String> {
        let text = self.answer(&["depends", "--important", package])?;
        dependency(&text, prefix).with_context(|| {
            format!("{package} depends on no {prefix}*; this system's packages are not those that this command knows (docs/cross-compiling.md)")
        })
    }

    /// Unpacks packages into a folder, and notes there which they were.
    ///
    /// # Errors
    /// When one of them is not to be had, or cannot be unpacked.
    pub(crate) fn unpack(&self, packages: &[String], into: &Path) -> Result<()> {
        let archives = into.with_extension("packages");
        for folder in [&archives, into] {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
            fs::create_dir_all(folder)?;
        }
        let mut download = self.command("apt-get");
        download
            .args(["download", "-qq"])
            .args(packages)
            .current_dir(&archives);
        if !command::succeeds(&mut download)? {
            return Err(Unavailable::error(
                "the packages cannot be downloaded; see apt's output above. Is the network there? Then try again",
            ));
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&archives)? {
            let archive = entry?.path();
            let mut unpack = Command::new("dpkg-deb");
            unpack.arg("--extract").arg(&archive).arg(into);
            if !unpack.status().is_ok_and(|status| status.success()) {
                bail!(
                    "{} cannot be unpacked; is the disk full?",
                    archive.display()
                );
            }
            names.extend(
                archive
                    .file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
        if names.len() != packages.len() {
            bail!("of {} packages {} came", packages.len(), names.len());
        }
        names.sort();
        fs::write(into.join("packages.txt"), names.join("\n") + "\n")?;
        fs::remove_dir_all(&archives)?;
        Ok(())
    }

    fn answer(&self, words: &[&str]) -> Result<String> {
        let output = self
            .command("apt-cache")
            .args(words)
            .stdout(Stdio::piped())
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", &self.configuration)
            .env("LC_ALL", "C")
            .stdout(Stdio::from(io::stderr()));
        command
    }
}

fn settings(folder: &Path, own: &str, other: &str) -> String {
    let folder = folder.display();
    format!(
        "Dir::State \"{folder}/state\";\nDir::State::status \"{folder}/status\";\nDir::Cache \"{folder}/cache\";\n\
         APT::Architecture \"{own}\";\nAPT::Architectures {{ \"{own}\"; \"{other}\"; }};\n\
         APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::Retries \"3\";\n"
    )
}

/// From what `apt-cache policy` prints.
fn candidate(policy: &str) -> Option<String> {
    let mut lines = policy.lines().map(str::trim);
    let version = lines.find_map(|line| line.strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

/// From what `apt-cache depends` prints; alternatives begin with `|`, virtual packages stand in angle brackets.
fn dependency(depends: &str, prefix: &str) -> Option<String> {
    let names = depends.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches('|');
        Some(
            line.strip_prefix("Depends: ")?
                .trim_matches(['<', '>'])
                .to_owned(),
        )
    });
    names.into_iter().find(|name| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sources_do_not_give_is_told_from_a_fault_whatever_is_said_on_top() {
        let error = Unavailable::error("no lists").context("cannot build for arm64");
        assert!(error.downcast_ref::<Unavailable>().is_some());
        assert_eq!(format!("{error:#}"), "cannot build for arm64: no lists");
        let fault = anyhow::anyhow!("the two daemons differ");
        assert!(fault.downcast_ref::<Unavailable>().is_none());
    }

    #[test]
    fn names_with_versions_are_read_from_apt() {
        let text = "libstd-rust-web-1.96\n  Depends: libc6\n |Depends: libllvm22\n  Depends: <libllvm21>\n  Conflicts: <rustup>\n";
        assert_eq!(dependency(text, "libllvm").as_deref(), Some("libllvm22"));
        assert_eq!(dependency(text, "rustup"), None);
        let data = "libasound2:arm64\n  Depends: <libasound2-data:arm64>\n    libasound2-data\n";
        assert_eq!(
            dependency(data, "libasound2-data").as_deref(),
            Some("libasound2-data:arm64")
        );
    }

    #[test]
    fn a_package_without_a_candidate_is_told_from_one_with() {
        let text = "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1~deb12u2\n  Version table:\n";
        assert_eq!(candidate(text).as_deref(), Some("1.96.0+dfsg1-1~deb12u2"));
        assert_eq!(candidate("x:\n  Candidate: (none)\n"), None);
        assert_eq!(candidate(""), None);
    }
}
