//! The first boot: what is put onto the boot partition, so that a card that nobody logged into becomes a box.
//!
//! Raspberry Pi OS has two mechanisms, told apart by what the image brings: cloud-init (files `user-data`, `network-config`
//! and `meta-data`; since the images of Debian 13) and, before, a script `firstrun.sh` that the kernel's command line names.

mod cloud_init;
mod firstrun;
mod package;
mod payload;
mod setup;

use std::path::Path;

use anyhow::Result;

use setup::Setup;

use super::boot::Boot;
use crate::failure::Failure;

/// How an image is set up at its first boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FirstBoot {
    /// Images that bring `user-data`
    CloudInit,
    /// Older images
    Firstrun,
}

impl FirstBoot {
    /// What the image understands.
    pub(super) fn of(boot: &Boot) -> Result<Self> {
        if boot.has("user-data") && boot.has("meta-data") {
            return Ok(Self::CloudInit);
        }
        if boot.has("cmdline.txt") {
            return Ok(Self::Firstrun);
        }
        Err(Failure::error(
            "not-an-image",
            "its boot partition has neither user-data nor cmdline.txt",
            "take an image of Raspberry Pi OS, or flash without --setup",
        ))
    }
}

/// What a card is to become, with everything that it needs read and checked before anything is written.
pub(super) struct Provision {
    setup: Setup,
    payload: Vec<(String, Vec<u8>)>,
    /// Lines for config.txt.
    overlay: Option<Vec<String>>,
}

impl Provision {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let setup = Setup::read(path)?;
        Ok(Provision {
            payload: payload::files(&setup)?,
            overlay: setup.overlay()?,
            setup,
        })
    }

    /// Every file that goes to the boot partition, by name; existing ones are replaced.
    pub(super) fn files(
        &self,
        boot: &Boot,
        first_boot: FirstBoot,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = self.payload.clone();
        match first_boot {
            FirstBoot::CloudInit => files.extend(cloud_init::files(&self.setup)?),
            FirstBoot::Firstrun => {
                let line = boot.read("cmdline.txt")?.unwrap_or_default();
                files.extend(firstrun::files(&self.setup, &line)?);
            }
        }
        if let Some(lines) = &self.overlay {
            let config = boot.read("config.txt")?.unwrap_or_default();
            files.push(("config.txt".into(), with_lines(&config, lines).into_bytes()));
        }
        must_fit(&files, boot)?;
        Ok(files)
    }
}

fn must_fit(files: &[(String, Vec<u8>)], boot: &Boot) -> Result<()> {
    let needed: usize = files.iter().map(|(_, content)| content.len()).sum();
    let free = boot.free()?;
    // Each file may leave most of a cluster unused.
    if needed as u64 + files.len() as u64 * 32_768 > free {
        return Err(Failure::error(
            "no-room",
            format!("the boot partition has {free} bytes free, and {needed} are needed"),
            "leave out the package, and install it later with undertone deploy",
        ));
    }
    Ok(())
}

/// Lines for every model of board, once, at the end of config.txt.
fn with_lines(config: &str, lines: &[String]) -> String {
    let mut text = config.to_owned();
    let missing: Vec<&String> = lines
        .iter()
        .filter(|line| !config.lines().any(|own| own.trim() == line.as_str()))
        .collect();
    if missing.is_empty() {
        return text;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("\n[all]\n");
    for line in missing {
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_to_config_txt_once() {
        let lines = ["dtoverlay=googlevoicehat-soundcard".to_owned()];
        let once = with_lines("arm_64bit=1", &lines);
        assert_eq!(
            once,
            "arm_64bit=1\n\n[all]\ndtoverlay=googlevoicehat-soundcard\n"
        );
        assert_eq!(with_lines(&once, &lines), once);
    }
}
