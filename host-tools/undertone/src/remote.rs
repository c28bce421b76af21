//! A box at the other end of the system's ssh and scp.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::failure::Failure;
use crate::text::quoted;

/// The program on a box, which asks nobody for a password.
const UNDERTONED: &str = "sudo -n undertoned";

/// What ssh and scp exit with where the connection, and not the command, failed: ssh(1).
const NO_CONNECTION: i32 = 255;

/// The code of a box that cannot be reached, or was lost.
pub(crate) const UNREACHABLE: &str = "unreachable";

/// How to reach a box.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// Port of its ssh server [default: what ssh's configuration says]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Private key to log in with [default: what ssh's configuration says]
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Configuration of ssh instead of ~/.ssh/config
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// The program on the box, and what to begin its command with [default: sudo -n undertoned]
    #[arg(long, value_name = "COMMAND")]
    remote_command: Option<String>,
    /// Never ask for a password or about an unknown host: fail instead
    #[arg(long)]
    non_interactive: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Connection {
    /// What to begin the command of the box's program with, where that was said.
    pub(crate) fn command(&self) -> Option<&str> {
        self.remote_command.as_deref()
    }

    /// Without the key that was named, ssh would try others, and ask for a password in the end.
    fn must_be_there(&self) -> Result<()> {
        let named = [&self.identity, &self.ssh_config];
        for path in named.into_iter().flatten() {
            crate::bundle::open(path)?;
        }
        Ok(())
    }
}

/// A box.
pub(crate) struct Remote<'a> {
    target: &'a str,
    connection: &'a Connection,
}

impl<'a> Remote<'a> {
    pub(crate) fn new(target: &'a str, connection: &'a Connection) -> Self {
        Remote { target, connection }
    }

    fn options(&self, command: &mut Command, port: &str) {
        let Connection {
            port: number,
            identity,
            ssh_config,
            non_interactive,
            ..
        } = self.connection;
        command.args(["-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"]);
        if *non_interactive {
            command.args(["-o", "BatchMode=yes"]);
        }
        if let Some(file) = ssh_config {
            command.arg("-F").arg(file);
        }
        if let Some(file) = identity {
            command.args(["-o", "IdentitiesOnly=yes", "-i"]).arg(file);
        }
        if let Some(number) = number {
            command.args([port, &number.to_string()]);
        }
    }

    /// A target that begins with `-` would be an option of ssh.
    fn target(&self) -> Result<&str> {
        if self.target.starts_with('-') || self.target.is_empty() {
            return Err(Failure::error(
                "bad-target",
                format!("{:?} is not a box", self.target),
                "name it as user@host, or as ~/.ssh/config does",
            ));
        }
        Ok(self.target)
    }

    /// Runs words on the box, each quoted for its shell; standard error comes through.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Output> {
        let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        self.line(&line.join(" "))
    }

    fn line(&self, line: &str) -> Result<Output> {
        self.connection.must_be_there()?;
        let mut ssh = Command::new("ssh");
        self.options(&mut ssh, "-p");
        ssh.arg(self.target()?).arg("--").arg(line);
        ssh.stderr(Stdio::inherit());
        if self.connection.non_interactive {
            ssh.stdin(Stdio::null());
        }
        let output = ssh.output().map_err(|error| cannot_start("ssh", &error))?;
        if output.status.code() == Some(NO_CONNECTION) {
            return Err(self.unreachable("ssh"));
        }
        Ok(output)
    }

    fn unreachable(&self, program: &str) -> anyhow::Error {
        Failure::error(
            UNREACHABLE,
            format!(
                "{program} cannot reach {}, or lost it; see its output above",
                self.target
            ),
            format!(
                "ssh {} true; with --non-interactive, keys and known_hosts must be set up",
                self.target
            ),
        )
    }

    /// `undertoned ...` on the box, and the line that was run there.
    pub(crate) fn undertoned(&self, words: &[&str]) -> Result<(Output, String)> {
        let mut line = self.connection.command().unwrap_or(UNDERTONED).to_owned();
        for word in words {
            line.push(' ');
            line.push_str(&quoted(word));
        }
        Ok((self.line(&line)?, line))
    }

    /// `undertoned slot ...` on the box: its report.
    pub(crate) fn slot(&self, words: &[&str]) -> Result<Value> {
        let (output, line) = self.undertoned(&[&["slot", "--json"], words].concat())?;
        let report = report_in(&output.stdout);
        let field = |name: &str| {
            let report = report.as_ref()?;
            Some(report[name].as_str()?.to_owned())
        };
        match report {
            Some(report) if report["ok"] == true => Ok(report),
            Some(_) => Err(Failure::error(
                field("code").unwrap_or_else(|| "refused".into()),
                format!("{}: {}", self.target, field("cause").unwrap_or_default()),
                format!("on the box: {}", field("next").unwrap_or_default()),
            )),
            None => Err(Failure::error(
                "no-undertoned",
                format!(
                    "`{line}` did not answer on {} (exit code {})",
                    self.target,
                    output.status.code().unwrap_or(-1)
                ),
                "install the package on the box, and let this user run it: see docs/deploy.md",
            )),
        }
    }

    /// A folder of its own on the box, that nobody else can look into.
    pub(crate) fn make_folder(&self) -> Result<String> {
        let output = self.run(&["mktemp", "-d", "/tmp/undertone.XXXXXXXX"])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let folder = text.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
        if !output.status.success()
            || !folder.starts_with("/tmp/undertone.")
            || !folder.bytes().all(plain)
        {
            return Err(Failure::error(
                "no-folder",
                format!("{} has no place for the bundle in /tmp", self.target),
                format!("ssh {} df -h /tmp", self.target),
            ));
        }
        Ok(folder.to_owned())
    }

    /// Refuses what would fill up the box in the middle of the way; a box that does not tell may have room.
    fn must_have_room(&self, file: &Path, folder: &str) -> Result<()> {
        let output = self.run(&["df", "-Pk", folder])?;
        let free = free_in(&String::from_utf8_lossy(&output.stdout));
        let bytes = std::fs::metadata(file).map_or(0, |about| about.len());
        match free {
            Some(free) if free < bytes => Err(Failure::error(
                "no-space",
                format!(
                    "the bundle has {bytes} bytes, and /tmp of {} only {free} free",
                    self.target
                ),
                format!("make room there: ssh {} df -h", self.target),
            )),
            _ => Ok(()),
        }
    }

    /// Copies a file into a folder of the box, where there is room for it.
    pub(crate) fn upload(&self, file: &Path, folder: &str, name: &str) -> Result<()> {
        self.connection.must_be_there()?;
        self.must_have_room(file, folder)?;
        let to = format!("{folder}/{name}");
        let mut scp = Command::new("scp");
        self.options(&mut scp, "-P");
        // A name with a colon would be a host.
        let file = std::path::absolute(file).context("cannot find the bundle")?;
        scp.arg("-q")
            .arg(file)
            .arg(format!("{}:{to}", self.target()?));
        scp.stdout(Stdio::null());
        if self.connection.non_interactive {
            scp.stdin(Stdio::null());
        }
        let status = scp.status().map_err(|error| cannot_start("scp", &error))?;
        match status.code() {
            Some(0) => Ok(()),
            Some(NO_CONNECTION) => Err(self.unreachable("scp")),
            _ => Err(Failure::error(
                "copy-failed",
                format!(
                    "scp could not copy the bundle to {}; see its output above",
                    self.target
                ),
                format!("ssh {} df -h /tmp", self.target),
            )),
        }
    }
}

fn cannot_start(program: &str, reason: &std::io::Error) -> anyhow::Error {
    Failure::error(
        "no-ssh",
        format!("cannot start {program}: {reason}"),
        "install it: apt-get install openssh-client",
    )
}

/// The bytes that are free, in what `df -Pk` prints (POSIX): 1024-byte blocks in the fourth column of the last line.
fn free_in(output: &str) -> Option<u64> {
    let line = output.lines().skip(1).last()?;
    let blocks: u64 = line.split_whitespace().nth(3)?.parse().ok()?;
    blocks.checked_mul(1024)
}

/// The report in what a program printed: the last line that is JSON.
pub(crate) fn report_in(output: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(output);
    let mut lines = text.lines().rev();
    lines.find_map(|line| serde_json::from_str(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_on_a_box_is_read_from_what_df_prints() {
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\ntmpfs 948256 12 948244 1% /tmp\n";
        assert_eq!(free_in(text), Some(948_244 * 1024));
        for other in ["", "df: not found\n", "Filesystem\ntmpfs - - -\n"] {
            assert_eq!(free_in(other), None, "{other:?}");
        }
    }
}
