//! `undertone completions` and `undertone man`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man as Page;

use crate::cli::Cli;
use crate::print;

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell; for bash: undertone completions bash > ~/.local/share/bash-completion/completions/undertone
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<()> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "undertone", &mut text);
        print::text(&String::from_utf8_lossy(&text))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Writes undertone.1 and a page for each subcommand there, instead of printing the first
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self) -> Result<()> {
        let mut command = Cli::command();
        command.build();
        match &self.output {
            None => print::text(&String::from_utf8_lossy(&page(&command)?)),
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make {}", folder.display()))?;
                write(&command, "undertone", folder)
            }
        }
    }
}

fn page(command: &Command) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    Page::new(command.clone())
        .render(&mut text)
        .context("cannot make a manual page")?;
    Ok(text)
}

/// A page of this command, and of every one below it.
fn write(command: &Command, name: &str, folder: &Path) -> Result<()> {
    let path = folder.join(format!("{name}.1"));
    std::fs::write(&path, page(command)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    for below in command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
    {
        write(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_commands_is_consistent() {
        Cli::command().debug_assert();
    }
}
