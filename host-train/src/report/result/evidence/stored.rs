//! Finding what was measured before of a model, in files of this program and of `evaluate --json`.

use std::fs;
use std::path::Path;

use super::{CLEAN, Evidence};
use crate::report::ReportError;
use crate::report::result::json_files;

/// No file of measurements is near this size.
const MAX_BYTES: u64 = 64 << 20;

impl Evidence {
    /// What `folder` holds of the model with this hash: the fullest of its files, with the conditions of the others that it
    /// lacks; `None` if there is none.
    pub(in crate::report::result) fn find(
        folder: &Path,
        content_hash: &str,
    ) -> Result<Option<Self>, ReportError> {
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

    /// With the conditions of another measurement of the same model that it lacks.
    #[must_use]
    pub(in crate::report::result) fn with_conditions_of(mut self, other: Self) -> Self {
        if self.labels == other.labels {
            for one in other.conditions {
                if self
                    .conditions
                    .iter()
                    .all(|own| own.condition != one.condition)
                {
                    self.conditions.push(one);
                }
            }
            self.conditions.sort_by_key(|one| place(&one.condition));
        }
        self
    }

    /// What `evaluate --json` writes has its figures by condition alone: those of the clean one are the corpora's.
    fn completed(mut self) -> Self {
        if self.corpora.is_empty() {
            let clean = self.conditions.iter().find(|one| one.condition == CLEAN);
            self.corpora = clean.map_or_else(Vec::new, |one| one.corpora.clone());
        }
        // A page is about strangers of the corpora that the model was trained on; other corpora would hide them in every mean.
        let conditions = self.conditions.iter_mut().map(|one| &mut one.corpora);
        for corpora in conditions.chain([&mut self.corpora]) {
            corpora.retain(|corpus| !corpus.unheard);
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
}

/// Where a condition stands among others, whichever file it is of.
fn place(condition: &str) -> usize {
    let kinds = [CLEAN, "noise:", "telephone", "reverb", "level:"];
    let found = kinds.iter().position(|kind| condition.starts_with(kind));
    found.unwrap_or(kinds.len())
}

#[cfg(test)]
mod tests {
    use super::super::{CorpusEvidence, Person, Scores};
    use super::*;

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
            unheard: false,
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
        let corpus = |score: f64, unheard: bool| {
            serde_json::json!({
                "corpus": "tess", "unheard": unheard, "speakers": 1, "chance": 0.5, "interval": [0.1, 0.9], "speaker_quantiles": [0.1, 0.2, 0.3],
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
                { "condition": "clean", "corpora": [corpus(0.25, true), corpus(0.75, false)] },
                { "condition": "telephone", "corpora": [corpus(0.5, false), corpus(0.25, true)] },
            ],
        });
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write("a.json", evaluated.to_string());
        let found = Evidence::find(folder.path(), "abc").unwrap().unwrap();
        let counts = [
            &found.corpora,
            &found.conditions[0].corpora,
            &found.conditions[1].corpora,
        ]
        .map(Vec::len);
        assert_eq!(
            counts, [1; 3],
            "a corpus that was never heard is among its strangers"
        );
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
            (both.corpora, &both.conditions),
            (fuller.corpora, &found.conditions)
        );

        let mut others = evaluated;
        let mut softer = others["conditions"][1].clone();
        softer["condition"] = "level:-20dB".into();
        others["conditions"][1]["condition"] = "noise:10dB".into();
        others["conditions"].as_array_mut().unwrap().push(softer);
        write("c.json", others.to_string());
        let all = Evidence::find(folder.path(), "abc").unwrap().unwrap();
        let names: Vec<&str> = all
            .conditions
            .iter()
            .map(|one| one.condition.as_str())
            .collect();
        assert_eq!(names, ["clean", "noise:10dB", "telephone", "level:-20dB"]);
    }
}
