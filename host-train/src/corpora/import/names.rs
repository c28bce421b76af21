//! What the names of files below one folder say, and what to say of a folder that is no corpus.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::Refused;
use crate::corpora::clip::Corpus;
use crate::corpora::grammar::{self, Parsed, Reading};
use crate::corpora::walk::Tree;

/// What the names below one folder say.
#[derive(Default)]
pub(super) struct Names {
    pub(super) clips: Vec<(PathBuf, (Corpus, Parsed))>,
    pub(super) songs: usize,
    pub(super) refused: Vec<Refused>,
}

impl Names {
    pub(super) fn read(root: &Path, files: &[PathBuf]) -> Self {
        let mut names = Self::default();
        let mut strays = Vec::new();
        let mut corpora_of: HashMap<PathBuf, BTreeSet<Corpus>> = HashMap::new();
        let root_name = fs::canonicalize(root)
            .ok()
            .and_then(|real| Some(real.file_name()?.to_str()?.to_owned()));
        for path in files {
            let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else {
                let reason = "has a name that is not UTF-8".to_owned();
                names.refused.push(Refused::new(path.clone(), reason));
                continue;
            };
            let parent = path.parent().unwrap_or(root);
            let folder = if parent == root {
                root_name.as_deref()
            } else {
                parent.file_name().and_then(|name| name.to_str())
            };
            match grammar::read(stem, folder) {
                Some((corpus, Reading::Clip(parsed))) => {
                    corpora_of
                        .entry(parent.to_owned())
                        .or_default()
                        .insert(corpus);
                    names.clips.push((path.clone(), (corpus, parsed)));
                }
                Some((_, Reading::Song)) => names.songs += 1,
                Some((corpus, Reading::Wrong(reason))) => names.refused.push(Refused::new(
                    path.clone(),
                    format!("does not fit {corpus}: {reason}"),
                )),
                Some((_, Reading::Foreign)) | None => strays.push((path, parent)),
            }
        }
        for (path, parent) in strays {
            let reason = match corpora_of.get(parent).map(|c| c.iter().collect::<Vec<_>>()) {
                Some(only) if only.len() == 1 => {
                    format!("does not fit {}: not {}", only[0], grammar::shape(*only[0]))
                }
                _ => "is not named as in RAVDESS, TESS, SAVEE or CREMA-D".to_owned(),
            };
            names.refused.push(Refused::new(path.clone(), reason));
        }
        names.refused.sort();
        names
    }
}

/// For the message about a folder that is no corpus.
pub(super) fn found(root: &Path, tree: &Tree, names: &Names) -> String {
    let others = tree.ignored + tree.tables.len();
    let mut parts = Vec::new();
    if names.songs > 0 {
        parts.push(format!(
            "{} clips of RAVDESS's song subset, which is not used",
            names.songs
        ));
    }
    if let Some(first) = names.refused.first() {
        parts.push(format!(
            "{} of other names (the first, {}, {})",
            counted(names.refused.len(), "audio file"),
            first
                .path
                .strip_prefix(root)
                .unwrap_or(&first.path)
                .display(),
            first.reason
        ));
    }
    if let Some(first) = tree.refused.first() {
        parts.push(format!(
            "{} that cannot be read (the first, {}: {})",
            tree.refused.len(),
            first.path.display(),
            first.reason
        ));
    }
    if parts.is_empty() {
        parts.push("no audio files".to_owned());
    }
    parts.push(format!(
        "{} of other kinds, {}",
        counted(others, "file"),
        counted(tree.folders, "folder")
    ));
    parts.join(", ")
}

/// `1 file`, `2 files`.
fn counted(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}
