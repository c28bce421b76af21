//! Which runs answer which protocols: a run that keeps fold 2 of every corpus out is scored by all that ask for a fold 2.

use std::path::{Path, PathBuf};

use super::protocol::{Fold, Protocol};
use crate::training::classes::Classes;
use crate::training::kept_out::KeptOut;

/// One network to train, and what it is scored on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Who is kept out.
    pub kept_out: KeptOut,
    /// Seed of the run.
    pub seed: u64,
    /// The folds that it is scored on.
    pub folds: Vec<Fold>,
}

impl Run {
    /// Name of its folder, and, with `.onnx`, of its model file.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-seed-{}", self.kept_out, self.seed)
    }

    /// Its model file among those in `folder`.
    #[must_use]
    pub fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.onnx", self.name()))
    }

    /// What its network tells apart: calm too where RAVDESS's own folds may ask for it. Zero-shot asks for no calm, and there
    /// the classes are those that ship, in which calm is neutral.
    #[must_use]
    pub fn classes(&self) -> Classes {
        match self.kept_out {
            KeptOut::Corpus(_) => Classes::Product,
            _ => Classes::CalmApart,
        }
    }
}

/// The fewest runs for these protocols; the first seed of all of them first, so that an early stop leaves whole protocols.
#[must_use]
pub fn plan(protocols: &[Protocol], seeds: &[u64]) -> Vec<Run> {
    let mut folds: Vec<Fold> = protocols.iter().flat_map(|one| one.folds()).collect();
    folds.sort_by_key(|fold| (fold.kept_out, fold.protocol));
    folds.dedup();
    let shared: Vec<&[Fold]> = folds.chunk_by(|a, b| a.kept_out == b.kept_out).collect();
    let of = |seed: u64| {
        shared.iter().map(move |folds| Run {
            kept_out: folds[0].kept_out,
            seed,
            folds: folds.to_vec(),
        })
    };
    seeds.iter().flat_map(|&seed| of(seed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::corpora::{Clip, Corpus, Emotion, SpeakerId};
    use crate::training::split::split;

    const SPEAKER_PROTOCOLS: [Protocol; 6] = [
        Protocol::CremaD,
        Protocol::RavdessEmobox,
        Protocol::RavdessLuna,
        Protocol::Savee,
        Protocol::Tess,
        Protocol::ZeroShot,
    ];

    /// Three clips of every published speaker, no two the same.
    fn everybody() -> Vec<Clip> {
        let names = Corpus::ALL.map(|corpus| -> Vec<String> {
            match corpus {
                Corpus::Ravdess => (1..=24).map(|n| format!("{n:02}")).collect(),
                Corpus::Tess => ["OAF", "YAF"].map(str::to_owned).to_vec(),
                Corpus::Savee => ["DC", "JE", "JK", "KL"].map(str::to_owned).to_vec(),
                Corpus::CremaD => (1001..=1091).map(|n| n.to_string()).collect(),
            }
        });
        let mut clips = Vec::new();
        for (corpus, names) in Corpus::ALL.into_iter().zip(names) {
            for name in names {
                for emotion in [Emotion::Sad, Emotion::Happy, Emotion::Angry] {
                    let mut clip = Clip::example(corpus, &name, emotion, 0);
                    let number = clips.len() as u64;
                    clip.content.0[..8].copy_from_slice(&number.to_le_bytes());
                    clips.push(clip);
                }
            }
        }
        clips
    }

    #[test]
    fn fifteen_runs_a_seed_answer_all_protocols_and_a_shared_run_several() {
        let runs = plan(&SPEAKER_PROTOCOLS, &[1, 2, 3]);
        assert_eq!(runs.len(), 45);
        let first = runs
            .iter()
            .find(|run| run.kept_out == KeptOut::Fold(2))
            .unwrap();
        let asked: Vec<Protocol> = first.folds.iter().map(|fold| fold.protocol).collect();
        use Protocol::{CremaD, RavdessEmobox, Savee, Tess};
        assert_eq!(asked, [CremaD, RavdessEmobox, Savee, Tess]);
        assert!(runs[..15].iter().all(|run| run.seed == 1));
        for run in &runs {
            let mut tasks = run.folds.iter().flat_map(|fold| &fold.tasks);
            let names = run.classes().names();
            let told = |emotion: &Emotion| names.iter().any(|name| name == emotion.name());
            assert!(
                tasks.all(|task| task.emotions.iter().all(told)),
                "{}",
                run.name()
            );
        }
        assert_eq!(plan(&[Protocol::Leaky], &[1]).len(), 0);
    }

    #[test]
    fn no_run_hears_a_speaker_or_a_clip_that_it_is_scored_on() {
        let clips = everybody();
        for run in plan(&SPEAKER_PROTOCOLS, &[1, 2]) {
            let sides = split(&clips, run.kept_out, run.seed).unwrap();
            let heard = || sides.train.iter().chain(&sides.validation);
            let speakers: BTreeSet<&SpeakerId> = heard().map(|clip| &clip.speaker).collect();
            let contents: BTreeSet<_> = heard().map(|clip| clip.content).collect();
            let all = heard().count() + sides.test.len();
            assert_eq!(all, clips.len(), "{}", run.name());
            for fold in &run.folds {
                let tested = || sides.test.iter().filter(|clip| clip.corpus == fold.corpus);
                assert!(tested().count() > 0, "{} {}", run.name(), fold.protocol);
                for clip in tested() {
                    assert!(!speakers.contains(&clip.speaker), "{}", clip.speaker);
                    assert!(!contents.contains(&clip.content), "{}", clip.speaker);
                }
            }
        }
    }

    #[test]
    fn every_speaker_of_a_protocol_is_tested_exactly_once() {
        let clips = everybody();
        for protocol in SPEAKER_PROTOCOLS {
            let mut tested: Vec<Clip> = Vec::new();
            for fold in protocol.folds() {
                let sides = split(&clips, fold.kept_out, 1).unwrap();
                tested.extend(
                    sides
                        .test
                        .into_iter()
                        .filter(|clip| clip.corpus == fold.corpus),
                );
            }
            let speakers: BTreeSet<_> = tested.iter().map(|clip| &clip.speaker).collect();
            assert_eq!(tested.len(), 3 * speakers.len(), "{protocol}");
            let corpora: BTreeSet<Corpus> = tested.iter().map(|clip| clip.corpus).collect();
            let all: usize = corpora.iter().map(|one| one.published_speakers()).sum();
            assert_eq!(speakers.len(), all, "{protocol}");
        }
    }

    #[test]
    fn a_recording_that_lies_on_both_sides_stops_the_run() {
        let mut clips = everybody();
        let fold = &Protocol::CremaD.folds()[0];
        let sides = split(&clips, fold.kept_out, 1).unwrap();
        let (heard, tested) = (sides.train[0].content, sides.test[0].content);
        for clip in clips.iter_mut().filter(|clip| clip.content == tested) {
            clip.content = heard;
        }
        assert!(split(&clips, fold.kept_out, 1).is_err());
    }
}
