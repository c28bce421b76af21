//! What was measured of a model on speakers that it never heard, as `undertone-train report --json` keeps it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::json_files;
use crate::evaluation::metrics::{Figures, Outcome};
use crate::report::ReportError;

/// Bins of the reliability diagram.
const BINS: usize = 10;
/// Points of a risk-coverage curve.
const POINTS: usize = 20;
/// The condition of clips as they are.
pub(super) const CLEAN: &str = "clean";
/// No file of measurements is near this size.
const MAX_BYTES: u64 = 64 << 20;

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
    /// As `evaluation::condition` writes it: `clean`, `noise:10dB`, `telephone`, `reverb`.
    pub condition: String,
    /// Each corpus by itself.
    pub corpora: Vec<CorpusEvidence>,
}

/// Figures of one corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorpusEvidence {
    /// The corpus.
    pub corpus: String,
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
        let known = crate::corpora::Corpus::ALL
            .into_iter()
            .find(|corpus| corpus.key() == self.corpus);
        known.map_or(&self.corpus, |corpus| corpus.name())
    }
}

impl Evidence {
    /// What `folder` holds of the model with this hash: the fullest of its files, with the conditions of another if it has
    /// none; `None` if there is none.
    pub(super) fn find(folder: &Path, content_hash: &str) -> Result<Option<Self>, ReportError> {
        let mut found: Vec<Self> = Vec::new();
        for file in json_files(folder) {
            if fs::metadata(&file).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
                continue;
            }
            // Files of other kinds lie there too.
            let read =
                fs::read(&file).map_err(|source| ReportError::File { path: file, source })?;
            found.extend(
                serde_json::from_slice::<Self>(&read)
                    .ok()
                    .map(Self::completed)
                    .filter(|evidence| {
                        evidence.content_hash == content_hash && evidence.consistent()
                    }),
            );
        }
        found.sort_by_key(|evidence| {
            evidence
                .corpora
                .iter()
                .map(|corpus| corpus.people.len() + corpus.noise.len())
                .sum::<usize>()
        });
        let fullest = found.pop();
        Ok(fullest.map(|fullest| {
            let others = found.into_iter().rev();
            others.fold(fullest, Self::with_conditions_of)
        }))
    }

    /// With the conditions of another measurement of the same model, if it has none itself.
    #[must_use]
    pub(super) fn with_conditions_of(mut self, other: Self) -> Self {
        if self.conditions.is_empty() && self.labels == other.labels {
            self.conditions = other.conditions;
        }
        self
    }

    /// What `evaluate --json` writes has its figures by condition alone: those of the clean one are the corpora's.
    fn completed(mut self) -> Self {
        if self.corpora.is_empty() {
            let clean = self.conditions.iter().find(|one| one.condition == CLEAN);
            self.corpora = clean.map_or_else(Vec::new, |one| one.corpora.clone());
        }
        for corpus in &mut self.corpora {
            let rough = std::mem::take(&mut corpus.figures.risk_coverage);
            if corpus.coverage.is_empty() {
                corpus.coverage = rough;
            }
        }
        self
    }

    /// Whether every list has one entry for each class, as the charts take for granted.
    fn consistent(&self) -> bool {
        let classes = self.labels.len();
        let harder = self.conditions.iter().flat_map(|one| &one.corpora);
        !self.corpora.is_empty()
            && self.corpora.iter().chain(harder).all(|corpus| {
                let figures = &corpus.figures;
                figures.recall.len() == classes
                    && figures.precision.len() == classes
                    && figures.confusion.len() == classes
                    && figures.confusion.iter().all(|row| row.len() == classes)
            })
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

/// Outcomes in bins of equal width by their confidence; empty bins are left out.
pub(super) fn reliability(outcomes: &[Outcome]) -> Vec<Bin> {
    let mut bins = [(0usize, 0usize, 0.0f64); BINS];
    for outcome in outcomes {
        let confidence = f64::from(outcome.confidence());
        let (clips, right, sum) = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *clips += 1;
        *right += usize::from(outcome.predicted() == outcome.target);
        *sum += confidence;
    }
    bins.into_iter()
        .filter(|bin| bin.0 > 0)
        .map(|(clips, right, sum)| Bin {
            confidence: sum / clips as f64,
            accuracy: right as f64 / clips as f64,
            clips,
        })
        .collect()
}

/// Risk when only the most confident are answered, from all of them down to a twentieth.
pub(super) fn coverage(outcomes: &[Outcome]) -> Vec<Coverage> {
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| b.confidence().total_cmp(&a.confidence()));
    (1..=POINTS)
        .rev()
        .filter_map(|point| {
            let answered = sorted
                .get(..(sorted.len() * point).div_ceil(POINTS))
                .filter(|answered| !answered.is_empty())?;
            let wrong = answered
                .iter()
                .filter(|outcome| outcome.predicted() != outcome.target)
                .count();
            Some(Coverage {
                coverage: point as f64 / POINTS as f64,
                risk: wrong as f64 / answered.len() as f64,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(confidence: f32, right: bool) -> Outcome {
        Outcome {
            probabilities: vec![confidence, 1.0 - confidence],
            target: usize::from(!right),
        }
    }

    #[test]
    fn reliability_puts_accuracy_beside_confidence() {
        let outcomes = [
            outcome(0.92, true),
            outcome(0.94, false),
            outcome(0.61, true),
        ];
        let bins = reliability(&outcomes);
        assert_eq!(bins.len(), 2);
        assert!((bins[1].confidence - 0.93).abs() < 1e-6 && (bins[1].accuracy - 0.5).abs() < 1e-9);
        assert_eq!((bins[0].clips, bins[0].accuracy), (1, 1.0));
    }

    #[test]
    fn risk_falls_with_coverage_where_the_confident_are_right() {
        let outcomes: Vec<Outcome> = (0..20u8)
            .map(|i| outcome(0.55 + 0.02 * f32::from(i), i >= 5))
            .collect();
        let curve = coverage(&outcomes);
        assert_eq!(curve.len(), 20);
        assert!((curve[0].risk - 0.25).abs() < 1e-9 && curve[10].risk == 0.0);
        assert!(coverage(&[]).is_empty());
    }

    #[test]
    fn the_fullest_file_about_the_very_model_is_taken_and_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let scores = Scores {
            recall: vec![Some(0.5); 2],
            precision: vec![None; 2],
            confusion: vec![vec![1, 1]; 2],
            ..Scores::default()
        };
        let corpus = CorpusEvidence {
            corpus: "tess".into(),
            speakers: 1,
            chance: 0.5,
            figures: scores,
            reliability: vec![],
            coverage: vec![],
            people: vec![],
            noise: vec![],
        };
        let evidence = Evidence {
            model: "m".into(),
            content_hash: "abc".into(),
            fold: 1,
            labels: vec!["a".into(), "b".into()],
            corpora: vec![corpus],
            conditions: vec![],
        };
        let mut fuller = evidence.clone();
        fuller.corpora[0].people.push(Person {
            speaker: "tess/OAF".into(),
            clips: 3,
            unweighted_accuracy: 0.4,
        });
        let mut broken = fuller.clone();
        broken.corpora[0].figures.confusion.pop();
        broken.corpora[0]
            .people
            .extend(fuller.corpora[0].people.clone());
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write("a.json", serde_json::to_string(&fuller).unwrap());
        write("b.json", serde_json::to_string(&evidence).unwrap());
        write("c.json", serde_json::to_string(&broken).unwrap());
        write("d.json", "{}".into());
        let find = |hash| Evidence::find(folder.path(), hash).unwrap();
        assert_eq!(find("abc"), Some(fuller));
        assert_eq!(find("other"), None);
    }
    #[test]
    fn what_evaluate_writes_is_read_and_lends_its_conditions_to_a_fuller_file() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = |score: f64| {
            serde_json::json!({
                "corpus": "tess", "speakers": 1, "chance": 0.5, "interval": [0.1, 0.9], "speaker_quantiles": [0.1, 0.2, 0.3],
                "figures": {
                    "clips": 2, "unweighted_accuracy": score, "accuracy": score, "macro_f1": score, "f1": [score, score],
                    "recall": [score, null], "precision": [null, score], "calibration_error": 0.1,
                    "unweighted_accuracy_at_75": score, "confusion": [[1, 1], [0, 0]],
                    "risk_coverage": [{ "coverage": 1.0, "risk": 0.25, "unweighted_accuracy": score }],
                },
            })
        };
        let evaluated = serde_json::json!({
            "model": "m", "content_hash": "abc", "fold": 1, "labels": ["a", "b"],
            "conditions": [
                { "condition": "clean", "corpora": [corpus(0.75)] },
                { "condition": "telephone", "corpora": [corpus(0.5)] },
            ],
        });
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write("a.json", evaluated.to_string());
        let found = Evidence::find(folder.path(), "abc").unwrap().unwrap();
        let one = &found.corpora[0];
        assert_eq!(one.figures.unweighted_accuracy, 0.75);
        assert_eq!((one.coverage.len(), one.coverage[0].risk), (1, 0.25));

        let mut fuller = found.clone();
        fuller.conditions.clear();
        fuller.corpora[0].people.push(Person {
            speaker: "tess/OAF".into(),
            clips: 2,
            unweighted_accuracy: 0.75,
        });
        write("b.json", serde_json::to_string(&fuller).unwrap());
        let both = Evidence::find(folder.path(), "abc").unwrap().unwrap();
        assert_eq!(
            (both.corpora, both.conditions),
            (fuller.corpora, found.conditions)
        );
    }
}
