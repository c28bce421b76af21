//! The commands that a box answers with a report about itself: `undertoned WORD --json`, here or over ssh.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;
use serde_json::Value;

use crate::failure::Failure;
use crate::remote::{Connection, Remote, report_in};
use crate::text::quoted;

/// Which box, and what its `undertoned` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct OnBox {
    /// The box, as ssh knows it: user@host, or a name of ~/.ssh/config [default: this machine]
    target: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// For undertoned on the box, after --: for instance -- --config FILE
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

impl OnBox {
    /// Asks; the report, and the exit code of the box's program.
    pub(crate) fn ask(&self, word: &str) -> Result<(Value, i32)> {
        let mut words = vec![word, "--json"];
        words.extend(self.arguments.iter().map(String::as_str));
        let (output, line, wherever) = match &self.target {
            Some(target) => {
                let remote = Remote::new(target, &self.connection);
                let (output, line) = remote.undertoned(&words)?;
                (output, line, target.clone())
            }
            None => {
                let (mut command, line) = self.here(&words);
                command.stderr(Stdio::inherit());
                let output = command.output().map_err(|error| {
                    Failure::error(
                        "no-undertoned",
                        format!("cannot run {line}: {error}"),
                        "install the package undertoned here, or name a box: user@host",
                    )
                })?;
                (output, line, "this machine".to_owned())
            }
        };
        let code = output.status.code().unwrap_or(-1);
        match report_in(&output.stdout) {
            Some(report) if report["ok"].is_boolean() => Ok((report, code)),
            // What clap says of a wrong command line, and only that.
            _ if code == 2 => Err(Failure::error(
                "bad-arguments",
                format!("`{line}` was not understood on {wherever}; see its output above"),
                format!("see what it takes there: undertoned {word} --help"),
            )),
            _ => Err(Failure::error(
                "no-undertoned",
                format!("`{line}` gave no report on {wherever} (exit code {code})"),
                "install the package there, of this version or later, and let this user run it (docs/doctor.md); or \
                 --remote-command undertoned, without sudo",
            )),
        }
    }

    fn here(&self, words: &[&str]) -> (Command, String) {
        if let Some(begin) = self.connection.command() {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            let line = format!("{begin} {}", words.join(" "));
            let mut command = Command::new("sh");
            command.args(["-c", &line]);
            return (command, line);
        }
        let program = beside().unwrap_or_else(|| "undertoned".into());
        let line = format!("{} {}", program.display(), words.join(" "));
        let mut command = Command::new(program);
        command.args(words);
        (command, line)
    }
}

/// The daemon that was installed or built with this program.
fn beside() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    Some(own.with_file_name("undertoned")).filter(|path| path.is_file())
}
