//! A clip that is there more than once.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use super::SecondCopy;
use crate::corpora::clip::Clip;

/// One clip per id, in order, and the other files.
pub(super) fn set_copies_apart(mut clips: Vec<Clip>) -> (Vec<Clip>, Vec<SecondCopy>) {
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
