//! The clips that a model file may be scored on as it is: those of the speakers whom it never heard.

use undertone_model::Metadata;

use crate::corpora::{Clip, CorpusError};
use crate::training::TrainingError;
use crate::training::kept_out::KeptOut;
use crate::training::prepare::hash;
use crate::training::split::split;

/// Why there are no clips that a model file may be scored on.
#[derive(Debug, thiserror::Error)]
pub enum NobodyUnheard {
    /// Everybody was trained on.
    #[error("was trained on every speaker, so that nobody is left to test on")]
    Everybody,
    /// What it never heard is no fold of every corpus.
    #[error(
        "kept {kept_out} out, no fold of every corpus: name it {kept_out}-seed-{seed}.onnx, and give its folder to `evaluate --protocol` \
         as `--models`"
    )]
    NoFold {
        /// Who was kept out.
        kept_out: KeptOut,
        /// Seed of the run.
        seed: u64,
    },
    /// The clips are others.
    #[error(
        "was not trained without exactly the {clips} clips of fold {fold} here: give exactly the corpora that it was trained on"
    )]
    OtherClips {
        /// The fold.
        fold: u8,
        /// Clips of it here.
        clips: usize,
    },
    /// The clips cannot be split.
    #[error(transparent)]
    Split(#[from] CorpusError),
    /// The file names speakers that are not known.
    #[error(transparent)]
    Provenance(#[from] TrainingError),
}

/// The fold of every corpus that a model file was trained without.
///
/// # Errors
/// [`NobodyUnheard`], by the file alone.
pub fn test_fold(about: &Metadata) -> Result<u8, NobodyUnheard> {
    match KeptOut::of(&about.provenance)? {
        KeptOut::Fold(fold) => Ok(fold),
        KeptOut::Nobody => Err(NobodyUnheard::Everybody),
        other => Err(NobodyUnheard::NoFold {
            seed: about.provenance.seed,
            kept_out: other,
        }),
    }
}

/// That fold, and its clips, of all `clips` of the corpora that the file was trained on. An adapted file may have been fitted to some
/// since.
///
/// # Errors
/// [`NobodyUnheard`].
pub fn test_side(about: &Metadata, clips: &[Clip]) -> Result<(u8, Vec<Clip>), NobodyUnheard> {
    let fold = test_fold(about)?;
    let test = split(clips, KeptOut::Fold(fold), about.provenance.seed)?.test;
    if about.provenance.clips.last() == Some(&hash(&test)) {
        Ok((fold, test))
    } else {
        let clips = test.len();
        Err(NobodyUnheard::OtherClips { fold, clips })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpora::{Corpus, Emotion};
    use undertone_model::Model;

    #[test]
    fn a_file_is_scored_on_exactly_the_clips_of_the_fold_that_it_never_heard() {
        let file = include_bytes!("../../../models/undertone-research.onnx");
        let mut about = Model::from_bytes(file).unwrap().metadata().clone();
        let clips: Vec<Clip> = ["DC", "JE", "JK", "KL"]
            .into_iter()
            .zip(1..)
            .map(|(name, content)| Clip::example(Corpus::Savee, name, Emotion::Sad, content))
            .collect();
        let refused = |about: &Metadata| test_side(about, &clips).unwrap_err().to_string();
        assert!(refused(&about).contains("exactly the 1 clips of fold 1"));
        let own = split(&clips, KeptOut::Fold(1), 1).unwrap().test;
        assert_eq!(own.len(), 1);
        about.provenance.clips[2] = hash(&own);
        assert_eq!(test_side(&about, &clips).unwrap(), (1, own));
        about.provenance.fold = None;
        assert!(refused(&about).contains("every speaker"));
        about.provenance.kept_out = Some("savee".to_owned());
        assert!(refused(&about).contains("savee-seed-1.onnx"));
        about.provenance.kept_out = Some("somebody".to_owned());
        assert!(refused(&about).contains("kept_out is somebody"));
    }
}
