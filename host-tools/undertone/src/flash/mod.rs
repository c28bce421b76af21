//! `undertone flash`: an image of Raspberry Pi OS onto a card or into a file, set up for its first boot.
//!
//! Everything that can be refused is refused before a byte is written: the image is read to its end first.

mod boot;
mod disk;
mod image;
mod partition;
mod progress;
mod provision;
mod sum;
mod system;
mod target;
mod write;

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::print;
use boot::Boot;
use image::{Image, Packing};
use progress::Bar;
use provision::{FirstBoot, Provision};
use system::System;
use target::Target;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The image: .img, or packed as .xz, .gz or .zst
    image: PathBuf,
    /// The card's device, such as /dev/sdb, or a file that does not exist yet
    target: PathBuf,
    /// What the card is to become (TOML, see docs/flash.md); none: the image as it is
    #[arg(long, value_name = "FILE")]
    setup: Option<PathBuf>,
    /// SHA-256 of the image file as downloaded [default: that of IMAGE.sha256, if it is there]
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// How the image is set up at its first boot [default: what it brings]
    #[arg(long, value_enum)]
    first_boot: Option<FirstBoot>,
    /// Check everything and say what would be done, without writing
    #[arg(long)]
    dry_run: bool,
    /// Erase the device without asking
    #[arg(long)]
    yes: bool,
    /// Never ask: without --yes, a device is not erased
    #[arg(long)]
    non_interactive: bool,
    /// Take devices larger than a card too
    #[arg(long)]
    large_disk: bool,
    /// Do not read back what was written
    #[arg(long)]
    no_verify: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        // From what is quickly found out to what takes minutes.
        let setup = self.setup.as_deref().map(Provision::read).transpose()?;
        let expected = self.expected_sum()?;
        let system = System::default();
        let target = Target::examine(&system, &self.target, self.large_disk)?;
        let image = Image::open(&self.image)?;
        if image.packing == Packing::Plain {
            target.must_hold(image.file_bytes)?;
        }
        if let Some(expected) = &expected {
            self.check_sum(&image, expected)?;
        }
        let (length, measured) = self.measure(&image)?;
        target.must_hold(length)?;
        let rehearsed = match &setup {
            Some(setup) => Some(self.rehearse(&image, setup, length)?),
            None => None,
        };
        let mut report = json!({
            "image": self.image.display().to_string(),
            "image_bytes": length,
            "checksum": if expected.is_some() { "as expected" } else { "none was given" },
            "target": target.report(),
        });
        if self.dry_run {
            report["dry_run"] = true.into();
            if let Some(rehearsed) = rehearsed {
                report["setup"] = rehearsed;
            }
            return print::report(&report, self.json);
        }
        target.consent(self.yes, self.non_interactive)?;
        let mut writing = target.open(&system)?;
        let bar = Bar::new("writing", length);
        // What is written must be what was checked, or read before.
        let sum = expected.as_ref().unwrap_or(&measured);
        let hash = write::copy(&image, length, sum, writing.file(), |done| bar.at(done))?;
        bar.done();
        if !self.no_verify {
            let bar = Bar::new("verifying", length);
            write::verify(writing.file(), length, &hash, |done| bar.at(done))?;
            bar.done();
        }
        report["verified"] = (!self.no_verify).into();
        if let Some(setup) = &setup {
            report["setup"] = self.provision(writing.file(), length, setup, true)?;
            writing
                .file()
                .sync_all()
                .map_err(|error| write::unwritten(length, &error))?;
        }
        writing.finish()?;
        print::report(&report, self.json)
    }

    /// The sum to compare with, if one was given.
    fn expected_sum(&self) -> Result<Option<String>> {
        let expected = match &self.sha256 {
            Some(text) => Some(sum::given(text)?),
            None => sum::beside(&self.image)?,
        };
        if expected.is_none() {
            eprintln!("no --sha256 was given: whether the download is complete is not known");
        }
        Ok(expected)
    }

    fn check_sum(&self, image: &Image, expected: &str) -> Result<()> {
        let bar = Bar::new("checking", image.file_bytes);
        let found = image.hash(|done| bar.at(done))?;
        bar.done();
        if found != expected {
            return Err(Failure::error(
                "wrong-sum",
                format!(
                    "the SHA-256 of {} is {found}, not {expected}",
                    self.image.display()
                ),
                "download the image again",
            ));
        }
        Ok(())
    }

    /// Reads the image once to its end: it must be whole, and have a boot partition. Its length, and the SHA-256 of its
    /// file.
    fn measure(&self, image: &Image) -> Result<(u64, String)> {
        let bar = Bar::new("reading", image.file_bytes);
        let (mut bytes, account) = image.unpacked()?;
        let length = write::measure(&mut bytes, || bar.at(account.bytes()))?;
        let sum = image.sum(&account)?;
        bar.done();
        // The front of it is enough to find the boot partition.
        let front = front(image, 8 << 20)?;
        match partition::boot(&mut std::io::Cursor::new(front), length) {
            Ok(_) => Ok((length, sum)),
            // The boot partition's first sector may lie farther back.
            Err(_) => {
                let front = self::front(image, 64 << 20)?;
                partition::boot(&mut std::io::Cursor::new(front), length).map(|_| (length, sum))
            }
        }
    }

    /// What would be written to the boot partition, found out on a copy of the image's front.
    fn rehearse(&self, image: &Image, setup: &Provision, length: u64) -> Result<Value> {
        let no_room = |error: std::io::Error| {
            Failure::error(
                "no-space",
                format!("the boot partition cannot be tried out in the temporary folder: {error}"),
                "make room there, or name another place: TMPDIR=/var/tmp undertone flash ...",
            )
        };
        let mut copy = tempfile::tempfile().map_err(no_room)?;
        let front = front(image, 64 << 20)?;
        let span = partition::boot(&mut std::io::Cursor::new(front), length)?;
        // Only now: one open file has one position, whoever reads it.
        let (mut bytes, _) = image.unpacked()?;
        std::io::copy(
            &mut std::io::Read::take(&mut bytes, span.start + span.bytes),
            &mut copy,
        )
        .map_err(no_room)?;
        self.provision(&mut copy, length, setup, false)
    }

    fn provision(
        &self,
        disk: &mut std::fs::File,
        length: u64,
        setup: &Provision,
        write: bool,
    ) -> Result<Value> {
        let span = partition::boot(disk, length)?;
        let boot = Boot::open(disk, span)?;
        let first_boot = match self.first_boot {
            Some(first_boot) => first_boot,
            None => FirstBoot::of(&boot)?,
        };
        let files = setup.files(&boot, first_boot)?;
        if write {
            for (name, content) in &files {
                boot.write(name, content)?;
            }
        }
        boot.close()?;
        let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
        let mechanism = match first_boot {
            FirstBoot::CloudInit => "cloud-init",
            FirstBoot::Firstrun => "firstrun",
        };
        Ok(json!({"first_boot": mechanism, "files": names}))
    }
}

fn front(image: &Image, most: u64) -> Result<Vec<u8>> {
    let (bytes, _) = image.unpacked()?;
    let mut front = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(bytes, most), &mut front)
        .map_err(|error| image::damaged(&error))?;
    Ok(front)
}
