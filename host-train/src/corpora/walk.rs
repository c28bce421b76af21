//! Finds every file below a folder that could be a clip or a table of a corpus.
//!
//! Follows symbolic links, visits every real folder once (so that a loop ends), and turns what it cannot read into
//! a refusal instead of an error.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::CorpusError;
use super::import::Refused;

/// The most files and folders that are looked at below one folder: sixteen times all four corpora together.
const MAX_ENTRIES: usize = 200_000;

/// The endings of audio files, compared without case.
const AUDIO: [&str; 4] = ["wav", "flac", "mp3", "ogg"];

/// What lies below a folder.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Plain files with an audio ending, in path order.
    pub(crate) audio: Vec<PathBuf>,
    /// CSV files, in path order.
    pub(crate) tables: Vec<PathBuf>,
    /// What could not be read.
    pub(crate) refused: Vec<Refused>,
    /// Files of other kinds and hidden entries.
    pub(crate) ignored: usize,
    /// Folders visited, the first included.
    pub(crate) folders: usize,
}

/// Walks `root`.
///
/// # Errors
/// If `root` is no readable folder, or holds more than any corpus does.
pub(crate) fn walk(root: &Path) -> Result<Tree, CorpusError> {
    let unreadable = |source| CorpusError::Unreadable {
        path: root.to_owned(),
        source,
    };
    if !fs::metadata(root).map_err(unreadable)?.is_dir() {
        return Err(CorpusError::NotAFolder {
            path: root.to_owned(),
        });
    }
    fs::read_dir(root).map_err(unreadable)?;

    let mut tree = Tree::default();
    let mut visited = HashSet::new();
    let mut waiting = vec![root.to_owned()];
    let mut entries = 0;
    while let Some(folder) = waiting.pop() {
        let listing = fs::canonicalize(&folder).and_then(|real| Ok((real, fs::read_dir(&folder)?)));
        let listing = match listing {
            Ok((real, listing)) if visited.insert(real.clone()) => listing,
            Ok(_) => continue,
            Err(error) => {
                tree.refused.push(Refused::new(
                    folder,
                    format!("folder cannot be read: {error}"),
                ));
                continue;
            }
        };
        tree.folders += 1;
        for entry in listing {
            entries += 1;
            if entries > MAX_ENTRIES {
                return Err(CorpusError::TooManyEntries {
                    path: root.to_owned(),
                    limit: MAX_ENTRIES,
                });
            }
            match entry {
                Ok(entry) => tree.add(entry.path(), &mut waiting),
                Err(error) => tree.refused.push(Refused::new(
                    folder.clone(),
                    format!("folder cannot be read to its end: {error}"),
                )),
            }
        }
    }
    tree.audio.sort();
    tree.tables.sort();
    Ok(tree)
}

impl Tree {
    fn add(&mut self, path: PathBuf, waiting: &mut Vec<PathBuf>) {
        if is_hidden(&path) {
            self.ignored += 1;
            return;
        }
        let audio = has_ending(&path, &AUDIO);
        let table = has_ending(&path, &["csv"]);
        match fs::metadata(&path) {
            Ok(kind) if kind.is_dir() => waiting.push(path),
            Ok(kind) if kind.is_file() && audio => self.audio.push(path),
            Ok(kind) if kind.is_file() && table => self.tables.push(path),
            Ok(_) if audio => {
                let reason = "is neither a plain file nor a folder".to_owned();
                self.refused.push(Refused::new(path, reason));
            }
            Err(error) if audio => {
                let reason = format!("cannot be looked at: {error}");
                self.refused.push(Refused::new(path, reason));
            }
            _ => self.ignored += 1,
        }
    }
}

/// Dot files (also macOS's `._DC_a01.wav`, which is no audio) and the folder that macOS adds to archives.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        name.as_encoded_bytes().starts_with(b".") || name.as_encoded_bytes() == b"__MACOSX"
    })
}

/// Whether the name ends in one of `endings`; works on bytes, so that a name need not be UTF-8.
fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|ending| {
        endings
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_symlink_loop_ends_and_each_file_is_seen_once() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("x.WAV"), b"").unwrap();
        symlink(dir.path(), inner.join("again")).unwrap();
        symlink("self", dir.path().join("self")).unwrap();
        let tree = walk(dir.path()).unwrap();
        assert_eq!(tree.audio, [inner.join("x.WAV")]);
        assert_eq!(tree.folders, 3);
    }

    #[test]
    fn a_broken_link_with_an_audio_name_is_refused_and_other_files_are_ignored() {
        let dir = tempfile::tempdir().unwrap();
        symlink("nowhere", dir.path().join("gone.flac")).unwrap();
        fs::write(dir.path().join("README.pdf"), b"").unwrap();
        fs::write(dir.path().join("._x.wav"), b"").unwrap();
        let tree = walk(dir.path()).unwrap();
        assert_eq!(tree.refused.len(), 1);
        assert_eq!(tree.ignored, 2);
        assert!(tree.audio.is_empty());
    }

    #[test]
    fn names_that_are_no_utf8_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let name = OsStr::from_bytes(b"\xff\xfe.mp3");
        fs::write(dir.path().join(name), b"").unwrap();
        assert_eq!(walk(dir.path()).unwrap().audio.len(), 1);
    }

    #[test]
    fn a_file_or_nothing_is_no_folder() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.wav");
        fs::write(&file, b"").unwrap();
        assert!(matches!(walk(&file), Err(CorpusError::NotAFolder { .. })));
        assert!(matches!(
            walk(&dir.path().join("none")),
            Err(CorpusError::Unreadable { .. })
        ));
    }
}
