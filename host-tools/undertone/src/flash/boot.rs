//! Files of the boot partition, read and written without mounting it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use anyhow::Result;
use fatfs::{FileSystem, FsOptions};

use super::partition::{Slice, Span};
use crate::failure::Failure;
use crate::text;

/// No text file of a boot partition is larger.
const MAX_TEXT: u64 = 1 << 20;

/// The boot partition of a disk or image.
pub(super) struct Boot {
    fat: FileSystem<Slice<File>>,
}

impl Boot {
    pub(super) fn open(disk: &File, span: Span) -> Result<Self> {
        let slice = Slice::new(disk.try_clone()?, span);
        let fat = FileSystem::new(slice, FsOptions::new()).map_err(|error| {
            Failure::error(
                "not-an-image",
                format!("its boot partition cannot be read: {error}"),
                "take an image of Raspberry Pi OS: raspberrypi.com/software/operating-systems",
            )
        })?;
        Ok(Boot { fat })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fat.root_dir().open_file(name).is_ok()
    }

    /// A text file; none when it is not there.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>> {
        let file = match self.fat.root_dir().open_file(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&format!("{name} cannot be read"), &error)),
        };
        let text = text::bounded(file, MAX_TEXT)
            .map_err(|error| unusable(&format!("{name} cannot be read"), &error))?;
        Ok(Some(text))
    }

    /// Bytes that are free.
    pub(super) fn free(&self) -> Result<u64> {
        let stats = self.fat.stats();
        let stats = stats.map_err(|error| unusable("its table cannot be read", &error))?;
        Ok(u64::from(stats.free_clusters()) * u64::from(stats.cluster_size()))
    }

    /// Writes a file of the root folder, in place of one of the same name, and reads it again.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let root = self.fat.root_dir();
        let written = || -> io::Result<Vec<u8>> {
            let mut file = root.create_file(name)?;
            file.truncate()?;
            file.write_all(content)?;
            file.flush()?;
            drop(file);
            let mut found = Vec::with_capacity(content.len());
            root.open_file(name)?.read_to_end(&mut found)?;
            Ok(found)
        };
        let found =
            written().map_err(|error| unusable(&format!("{name} cannot be written"), &error))?;
        if found != content {
            return Err(unusable(
                &format!("{name} cannot be written"),
                &"it reads otherwise",
            ));
        }
        Ok(())
    }

    pub(super) fn close(self) -> Result<()> {
        self.fat
            .unmount()
            .map_err(|error| unusable("it cannot be finished", &error))
    }
}

fn unusable(what: &str, reason: &dyn std::fmt::Display) -> anyhow::Error {
    Failure::error(
        "bad-boot-partition",
        format!("the boot partition: {what}: {reason}"),
        "fetch the image again and pass --sha256; if it is whole, take another card",
    )
}
