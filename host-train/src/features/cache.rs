//! Computed features on disk, so that runs over the same clips compute them once.
//!
//! A file is named by a hash of everything its content depends on: the front end, the rows, and every clip's content
//! hash, in order. Layout: [`MAGIC`], rows, number of clips (`u32`), frames of each clip (`u32`), then the values
//! (`f32`), all little-endian. A file that does not fit is computed anew.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ClipFeatures;
use crate::corpora::Clip;
use crate::digest;

const MAGIC: &[u8; 8] = b"UTFEAT01";

/// The cache file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("feature cache {}: cannot be written; free space, or name another folder with `--cache`", path.display())]
pub struct CacheError {
    path: PathBuf,
    source: io::Error,
}

/// Where the features of `clips` are kept below `dir`; `description` names everything else that they depend on.
pub(super) fn path(dir: &Path, description: &str, clips: &[Clip]) -> PathBuf {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(description);
    for clip in clips {
        hash.update(clip.content.0);
    }
    dir.join(format!("{}.features", digest::short(hash, 12)))
}

/// Reads a cache file; `None` if it is missing or does not fit.
pub(super) fn read(file: &Path, rows: usize, clips: usize) -> Option<Vec<ClipFeatures>> {
    let file = File::open(file).ok()?;
    let size = usize::try_from(file.metadata().ok()?.len()).ok()?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut magic = [0; 8];
    reader.read_exact(&mut magic).ok()?;
    let mut number = || {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    if &magic != MAGIC || number()? != rows || number()? != clips {
        return None;
    }
    let frames = (0..clips).map(|_| number()).collect::<Option<Vec<_>>>()?;
    let values: usize = frames.iter().sum::<usize>().checked_mul(rows)?;
    if size != 16 + 4 * clips + 4 * values {
        return None;
    }
    frames
        .into_iter()
        .map(|frames| {
            let mut bytes = vec![0; frames * rows * 4];
            reader.read_exact(&mut bytes).ok()?;
            let values = bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect();
            Some(ClipFeatures { rows, values })
        })
        .collect()
}

/// Writes a cache file beside its name and moves it there, so that a reader never sees a part of it.
pub(super) fn write(file: &Path, clips: &[ClipFeatures]) -> Result<(), CacheError> {
    let partial = file.with_extension(format!("partial{}", std::process::id()));
    let failed = |source| CacheError {
        path: file.to_owned(),
        source,
    };
    (|| {
        fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
        let mut writer = BufWriter::with_capacity(1 << 20, File::create(&partial)?);
        writer.write_all(MAGIC)?;
        let rows = clips.first().map_or(0, |clip| clip.rows);
        for number in [rows, clips.len()]
            .into_iter()
            .chain(clips.iter().map(ClipFeatures::frames))
        {
            let number = u32::try_from(number).map_err(io::Error::other)?;
            writer.write_all(&number.to_le_bytes())?;
        }
        for value in clips.iter().flat_map(|clip| &clip.values) {
            writer.write_all(&value.to_le_bytes())?;
        }
        writer.into_inner()?.sync_all()?;
        fs::rename(&partial, file)
    })()
    .map_err(failed)
}
