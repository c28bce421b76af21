//! Folders to clips: recognises which corpus a file belongs to by its name, whatever the folders are called.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::clip::{Clip, ContentHash, Corpus, SpeakerId, lossy_path};
use super::error::CorpusError;
use super::grammar::{self, Parsed, Reading};
use super::tables::CremaDTables;
use super::walk::{Tree, walk};

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

/// What the names below one folder say.
#[derive(Default)]
struct Names {
    clips: Vec<(PathBuf, (Corpus, Parsed))>,
    songs: usize,
    refused: Vec<Refused>,
}

impl Names {
    fn read(root: &Path, files: &[PathBuf]) -> Self {
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
fn found(root: &Path, tree: &Tree, names: &Names) -> String {
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

/// SHA-256 of the file, or why it cannot be a clip.
fn content(path: &Path) -> Result<ContentHash, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    let mut first = true;
    loop {
        let read = match file.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            outcome => outcome.map_err(unreadable)?,
        };
        if first && read == 0 {
            return Err("is empty".to_owned());
        }
        if first && block[..read].starts_with(b"version https://git-lfs") {
            return Err("is a Git LFS pointer, no audio: run `git lfs pull` there".to_owned());
        }
        if read == 0 {
            return Ok(ContentHash(hash.finalize().into()));
        }
        hash.update(&block[..read]);
        first = false;
    }
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

/// One clip per id, in order, and the other files.
fn set_copies_apart(mut clips: Vec<Clip>) -> (Vec<Clip>, Vec<SecondCopy>) {
    clips.sort_by(|a, b| {
        (a.corpus, &a.id, Reverse(is_lossless(&a.path)), &a.path).cmp(&(
            b.corpus,
            &b.id,
            Reverse(is_lossless(&b.path)),
            &b.path,
        ))
    });
    let mut kept: Vec<Clip> = Vec::with_capacity(clips.len());
    let mut copies = Vec::new();
    for clip in clips {
        match kept.last() {
            Some(used) if used.corpus == clip.corpus && used.id == clip.id => {
                // The same file, reached through two of the folders given, is no second copy.
                if real(&used.path) != real(&clip.path) {
                    copies.push(SecondCopy {
                        path: clip.path,
                        used: used.path.clone(),
                        same_bytes: used.content == clip.content,
                    });
                }
            }
            _ => kept.push(clip),
        }
    }
    copies.sort();
    (kept, copies)
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn is_lossless(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        ["wav", "flac"]
            .iter()
            .any(|l| ending.eq_ignore_ascii_case(l))
    })
}
