//! Folders to clips: recognises which corpus a file belongs to by its name, whatever the folders are called.

mod content;
mod copies;
mod names;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::clip::{Clip, ContentHash, Corpus, SpeakerId, lossy_path};
use super::error::CorpusError;
use super::grammar::Parsed;
use super::tables::CremaDTables;
use super::walk::walk;
use content::content;
use copies::set_copies_apart;
use names::{Names, found};

/// A file or folder that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refused {
    /// The file or folder.
    #[serde(serialize_with = "lossy_path")]
    pub path: PathBuf,
    /// Why it is not used, to follow the path in a sentence.
    pub reason: String,
}

impl Refused {
    pub(crate) const fn new(path: PathBuf, reason: String) -> Self {
        Self { path, reason }
    }
}

/// A second file for a clip that is there already, such as CREMA-D's `AudioMP3` beside `AudioWAV`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SecondCopy {
    /// The file that is not used.
    #[serde(serialize_with = "lossy_path")]
    pub path: PathBuf,
    /// The file used instead.
    #[serde(serialize_with = "lossy_path")]
    pub used: PathBuf,
    /// Whether both are the same bytes.
    pub same_bytes: bool,
}

/// Everything found below the folders given.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The clips, sorted by corpus and id; each id once per corpus.
    pub clips: Vec<Clip>,
    /// Second files of clips.
    pub copies: Vec<SecondCopy>,
    /// Files of RAVDESS's song subset, which is not used.
    pub songs: usize,
    /// Files and folders that are not used although they look as if they should be.
    pub refused: Vec<Refused>,
    /// Number of files that are no audio, and of hidden entries.
    pub ignored: usize,
}

/// Imports every corpus below `folders`; a folder may be one corpus or hold several.
///
/// The order of the clips depends on neither the folders' order nor the file system's. Every clip file is read once,
/// for its hash. When a clip is there more than once, a lossless file is preferred, then the first path.
///
/// # Errors
/// If no folder is given, one cannot be read, or one holds not a single clip of a known corpus.
pub fn import<P: AsRef<Path>>(folders: &[P]) -> Result<Import, CorpusError> {
    if folders.is_empty() {
        return Err(CorpusError::NoFolder);
    }
    let mut import = Import::default();
    let mut tables = CremaDTables::default();
    let mut named = BTreeMap::new();
    for folder in folders {
        let folder = folder.as_ref();
        let tree = walk(folder)?;
        let reading = Names::read(folder, &tree.audio);
        if reading.clips.is_empty() {
            return Err(CorpusError::NoCorpus {
                path: folder.to_owned(),
                found: found(folder, &tree, &reading),
            });
        }
        for (path, clip) in reading.clips {
            named.insert(path, clip);
        }
        import.songs += reading.songs;
        import.ignored += tree.ignored;
        import.refused.extend(tree.refused);
        import.refused.extend(reading.refused);
        for table in &tree.tables {
            if let Err(refused) = tables.add(table) {
                import.refused.push(refused);
            }
        }
    }

    let hashed: Vec<_> = named
        .into_par_iter()
        .map(|(path, named)| match content(&path) {
            Ok(content) => Ok(clip(path, named, content, &tables)),
            Err(reason) => Err(Refused::new(path, reason)),
        })
        .collect();
    let mut clips = Vec::new();
    for outcome in hashed {
        match outcome {
            Ok(clip) => clips.push(clip),
            Err(refused) => import.refused.push(refused),
        }
    }
    (import.clips, import.copies) = set_copies_apart(clips);
    import.refused.sort();
    import.refused.dedup();
    Ok(import)
}

fn clip(
    path: PathBuf,
    (corpus, parsed): (Corpus, Parsed),
    content: ContentHash,
    tables: &CremaDTables,
) -> Clip {
    let mut clip = Clip {
        corpus,
        id: parsed.id,
        path,
        speaker: SpeakerId::new(corpus, parsed.speaker),
        emotion: parsed.emotion,
        label: parsed.emotion.label(),
        spoken: parsed.spoken,
        intensity: parsed.intensity,
        sex: parsed.sex,
        age: parsed.age,
        votes: None,
        content,
    };
    if corpus == Corpus::CremaD {
        clip.votes = tables.votes.get(&clip.id).copied();
        if let Some((age, sex)) = tables.people.get(&clip.speaker.name) {
            clip.age = Some(*age);
            clip.sex = Some(*sex);
        }
    }
    clip
}
