//! The recordings that paths amount to.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::shard::Shard;
use crate::failure::Failure;

/// Endings by which a folder's recordings are known; a file that is named itself is tried whatever it is called.
const ENDINGS: [&str; 5] = ["wav", "flac", "mp3", "ogg", "oga"];

/// Something to analyse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its size in bytes; 0 when that cannot be said.
    pub(super) bytes: u64,
    /// Why it cannot even be tried: a folder that cannot be searched.
    pub(super) refused: Option<String>,
}

impl Input {
    /// The name under which it is told.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// All recordings, the largest first, so that the last core does not begin the longest one when the others are done.
#[derive(Debug)]
pub(super) struct Inputs(Vec<Input>);

impl Inputs {
    /// Searches `paths`, and keeps what is in the shard: by the path below the folder that was named, so that it
    /// does not matter where that folder is mounted.
    ///
    /// # Errors
    /// When there is nothing at all.
    pub(super) fn find(paths: &[PathBuf], shard: Option<Shard>) -> Result<Self> {
        let (mut inputs, mut others) = (Vec::new(), 0);
        for path in paths {
            if path.is_dir() {
                search(path, path, &mut inputs, &mut others);
            } else {
                let bytes = fs::metadata(path).map_or(0, |about| about.len());
                inputs.push((
                    path.clone(),
                    Input {
                        path: path.clone(),
                        bytes,
                        refused: None,
                    },
                ));
            }
        }
        let named: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        if inputs.is_empty() {
            return Err(Failure::error(
                "no-recordings",
                format!("no recording is in {}", named.join(", ")),
                format!(
                    "name files, or folders with files that end in .{}",
                    ENDINGS.join(" .")
                ),
            ));
        }
        if others > 0 {
            eprintln!("{others} file(s) of other kinds in the folders are left out");
        }
        let mut seen = HashSet::new();
        inputs.retain(|(_, input)| seen.insert(input.path.clone()));
        inputs.retain(|(name, _)| shard.is_none_or(|shard| shard.holds(name)));
        let mut inputs: Vec<Input> = inputs.into_iter().map(|(_, input)| input).collect();
        inputs.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        Ok(Inputs(inputs))
    }

    /// Those that are not complete yet, and how many are.
    pub(super) fn without(self, complete: &HashSet<String>) -> (Vec<Input>, usize) {
        let all = self.0.len();
        let wanted: Vec<Input> = self
            .0
            .into_iter()
            .filter(|input| !complete.contains(&input.name()))
            .collect();
        let skipped = all - wanted.len();
        (wanted, skipped)
    }
}

/// Adds what is below `folder`, each with its path below `root`. Links to folders are not followed: they may lead back.
fn search(root: &Path, folder: &Path, inputs: &mut Vec<(PathBuf, Input)>, others: &mut usize) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                let refused = Some(format!(
                    "the folder cannot be searched: {error}; check who may read it"
                ));
                inputs.push((
                    folder.clone(),
                    Input {
                        path: folder,
                        bytes: 0,
                        refused,
                    },
                ));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if !is_recording(&path) || is_something_else(&path) {
                *others += 1;
            } else {
                let below = path.strip_prefix(root).unwrap_or(&path).to_owned();
                let bytes = fs::metadata(&path).map_or(0, |about| about.len());
                inputs.push((
                    below,
                    Input {
                        path,
                        bytes,
                        refused: None,
                    },
                ));
            }
        }
    }
}

/// A folder behind a link, or a pipe or device, which could be waited for without end.
fn is_something_else(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| !about.is_file())
}

fn is_recording(path: &Path) -> bool {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("a.wav", 10),
            ("deep/er/b.FLAC", 30),
            ("deep/c.mp3", 20),
            ("notes.txt", 5),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![0; bytes]).unwrap();
        }
        folder
    }

    fn names(inputs: &[Input], root: &Path) -> Vec<String> {
        let below = |input: &Input| input.path.strip_prefix(root).unwrap().display().to_string();
        inputs.iter().map(below).collect()
    }

    #[test]
    fn folders_are_searched_to_the_bottom_and_the_largest_recording_comes_first() {
        let folder = folder();
        let paths = [folder.path().to_owned(), folder.path().join("a.wav")];
        let (inputs, skipped) = Inputs::find(&paths, None).unwrap().without(&HashSet::new());
        assert_eq!(
            names(&inputs, folder.path()),
            ["deep/er/b.FLAC", "deep/c.mp3", "a.wav"]
        );
        assert_eq!(skipped, 0);
        let done = HashSet::from([inputs[0].name()]);
        let (inputs, skipped) = Inputs::find(&paths, None).unwrap().without(&done);
        assert_eq!((inputs.len(), skipped), (2, 1));
    }

    #[test]
    fn parts_do_not_depend_on_where_the_folder_is() {
        let (here, there) = (folder(), folder());
        let mut all = 0;
        for part in ["1/3", "2/3", "3/3"] {
            let of = |folder: &Path| {
                let found =
                    Inputs::find(&[folder.to_owned()], Some(part.parse().unwrap())).unwrap();
                names(&found.without(&HashSet::new()).0, folder)
            };
            assert_eq!(of(here.path()), of(there.path()));
            all += of(here.path()).len();
        }
        assert_eq!(all, 3);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_links_that_lead_back_are_left_out() {
        let folder = folder();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again.wav")).unwrap();
        let _socket =
            std::os::unix::net::UnixListener::bind(folder.path().join("live.wav")).unwrap();
        let found = Inputs::find(&[folder.path().to_owned()], None).unwrap();
        let (inputs, _) = found.without(&HashSet::new());
        assert_eq!(
            names(&inputs, folder.path()),
            ["deep/er/b.FLAC", "deep/c.mp3", "a.wav"]
        );
    }

    #[test]
    fn a_folder_without_recordings_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Inputs::find(&[folder.path().to_owned()], None).unwrap_err();
        let Failure { cause, next, .. } = error.downcast_ref().unwrap();
        let place = folder.path().display().to_string();
        assert!(cause.contains(&place), "{cause}");
        assert!(next.contains(".wav"), "{next}");
    }
}
