//! What was measured of a model on speakers that it never heard, as `undertone-train report --json` keeps it.

mod confidence;
mod stored;

use serde::{Deserialize, Serialize};

use crate::corpora::Corpus;
use crate::evaluation::metrics::Figures;

pub(super) use confidence::{coverage, reliability};

/// The condition of clips as they are.
pub(super) const CLEAN: &str = "clean";

/// A share for each corpus, by its name.
pub(super) type ByCorpus<'a> = Vec<(&'a str, f64)>;

/// Figures of one model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The model file.
    pub model: String,
    /// What it held.
    pub content_hash: String,
    /// The fold whose speakers it never heard.
    pub fold: u8,
    /// Its classes.
    pub labels: Vec<String>,
    /// Each corpus by itself.
    #[serde(default)]
    pub corpora: Vec<CorpusEvidence>,
    /// The same in harder listening, as `evaluate --condition` measures it; the clean one is among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionEvidence>,
}

/// Figures in one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionEvidence {
    /// As `evaluation::condition` writes it: `clean`, `noise:10dB`, `level:-20dB`, `telephone`, `reverb`.
    pub condition: String,
    /// Each corpus by itself.
    pub corpora: Vec<CorpusEvidence>,
}

/// Figures of one corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorpusEvidence {
    /// The corpus.
    pub corpus: String,
    /// Whether the model has heard nothing of it, and not only of these speakers.
    #[serde(default)]
    pub unheard: bool,
    /// Number of speakers.
    #[serde(default)]
    pub speakers: usize,
    /// What guessing scores.
    pub chance: f64,
    /// The figures.
    pub figures: Scores,
    /// Confidence against how often it is right.
    #[serde(default)]
    pub reliability: Vec<Bin>,
    /// What is won by answering less.
    #[serde(default)]
    pub coverage: Vec<Coverage>,
    /// Each speaker by himself.
    #[serde(default)]
    pub people: Vec<Person>,
    /// The same clips with noise.
    #[serde(default)]
    pub noise: Vec<Noisy>,
}

/// Figures of merit; shares are 0 to 1. What a file has beyond these is left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `metrics::Figures`.
pub struct Scores {
    pub clips: usize,
    pub unweighted_accuracy: f64,
    pub accuracy: f64,
    pub macro_f1: f64,
    pub recall: Vec<Option<f64>>,
    pub precision: Vec<Option<f64>>,
    pub calibration_error: f64,
    pub unweighted_accuracy_at_75: f64,
    pub confusion: Vec<Vec<usize>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risk_coverage: Vec<Coverage>,
}

/// Answers of about the same confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Mean confidence.
    pub confidence: f64,
    /// Share that is right.
    pub accuracy: f64,
    /// Number of clips.
    pub clips: usize,
}

/// Figures when the least confident clips are not answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Share of clips that are answered.
    pub coverage: f64,
    /// Share of these that is wrong.
    pub risk: f64,
}

/// One speaker's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// As `corpus/name`.
    pub speaker: String,
    /// Number of clips.
    pub clips: usize,
    /// Mean recall of the classes that the speaker has.
    pub unweighted_accuracy: f64,
}

/// Figures at one signal-to-noise ratio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noisy {
    /// In dB; `None` without noise, on the same clips.
    pub snr_db: Option<f64>,
    /// Number of clips.
    pub clips: usize,
    /// Mean recall.
    pub unweighted_accuracy: f64,
}

impl From<Figures> for Scores {
    fn from(figures: Figures) -> Self {
        Self {
            clips: figures.clips,
            unweighted_accuracy: figures.unweighted_accuracy,
            accuracy: figures.accuracy,
            macro_f1: figures.macro_f1,
            recall: figures.recall,
            precision: figures.precision,
            calibration_error: figures.calibration_error,
            unweighted_accuracy_at_75: figures.unweighted_accuracy_at_75,
            confusion: figures.confusion,
            // The curve of [`coverage`] is finer.
            risk_coverage: Vec::new(),
        }
    }
}

impl CorpusEvidence {
    /// Speakers tested on.
    #[must_use]
    pub fn speaker_count(&self) -> usize {
        self.speakers.max(self.people.len())
    }

    /// The corpus's name as published, or as the file has it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.known().map_or(&self.corpus, |corpus| corpus.name())
    }

    /// Mean of a figure over `corpora`; 0 without any.
    pub(super) fn mean(corpora: &[Self], of: impl Fn(&Self) -> f64) -> f64 {
        corpora.iter().map(of).sum::<f64>() / corpora.len().max(1) as f64
    }

    /// The corpus, if it is one that this program knows.
    pub(super) fn known(&self) -> Option<Corpus> {
        Corpus::of_key(&self.corpus)
    }
}

impl Evidence {
    /// Mean over the corpora of what guessing scores.
    pub(super) fn chance(&self) -> f64 {
        CorpusEvidence::mean(&self.corpora, |corpus| corpus.chance)
    }

    /// Mean recall of a class over the corpora that have it, and the least and greatest of them with their corpus.
    pub(super) fn recall(&self, class: usize) -> Option<(f64, ByCorpus<'_>)> {
        let mut by_corpus: ByCorpus<'_> = self
            .corpora
            .iter()
            .filter_map(|corpus| {
                Some((
                    corpus.name(),
                    corpus.figures.recall.get(class).copied().flatten()?,
                ))
            })
            .collect();
        by_corpus.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mean = by_corpus.iter().map(|recall| recall.1).sum::<f64>() / by_corpus.len() as f64;
        (!by_corpus.is_empty()).then_some((mean, by_corpus))
    }
}
