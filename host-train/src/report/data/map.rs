//! Where a trained model puts clips: its pooled statistics, brought down to a plane.

use std::fs::File;
use std::path::Path;

use bhtsne::tSNE;
use rayon::prelude::*;
use undertone_model::{Model, ModelError, NetworkKind, read_bounded};
use undertone_page::chart::{Group, Scatter, Size};
use undertone_page::{Figure, Html, Mood, Section};

use super::survey::Survey;
use crate::corpora::{Clip, select::set_contradictions_apart};
use crate::evaluation::model::listen;
use crate::evaluation::test_side::test_side;
use crate::features::Extractor;
use crate::report::{ReportError, palette};

/// Most clips on the map.
const CLIPS: usize = 1500;
/// Neighbours that a clip is to stay close to, roughly (van der Maaten & Hinton 2008).
const PERPLEXITY: f32 = 30.0;
/// Steps of the descent.
const STEPS: usize = 500;

pub(super) fn section(survey: &Survey, model: Option<&Path>) -> Result<Section, ReportError> {
    let mut section = Section::new("Map of a trained model");
    let Some(path) = model else {
        section.findings([(
            Mood::Note,
            Html::text("No model was given: name one with ")
                .and(Html::code("--model FILE"))
                .and(Html::text(" to see how it tells the clips apart.")),
        )]);
        return Ok(section);
    };
    let failed = |source: ModelError| ReportError::Model {
        path: path.to_owned(),
        source,
    };
    let bytes = File::open(path)
        .and_then(read_bounded)
        .map_err(|source| ReportError::File {
            path: path.to_owned(),
            source,
        })?;
    let model = Model::from_bytes(&bytes).map_err(failed)?;
    let metadata = model.metadata();
    if metadata.network == NetworkKind::Windowed {
        section.findings([(
            Mood::Note,
            Html::code(&path.display().to_string()).and(Html::text(
                " is run on windows and pools nothing that a map could show: name a streaming model.",
            )),
        )]);
        return Ok(section);
    }
    let (clips, strangers) = choose(survey, &model);
    let extractor = Extractor {
        frontend: metadata.frontend.clone(),
        features: metadata.features.clone(),
        cache: None,
    };
    let features = extractor.run(&clips)?;
    let pooled: Vec<Option<Vec<f32>>> = features
        .par_iter()
        .map(|clip| {
            let mut pooled = vec![0.0; 4 * metadata.width];
            let any = listen(&model, clip)?.statistics(&mut pooled)?;
            Ok(any.then_some(pooled))
        })
        .collect::<Result<_, ModelError>>()
        .map_err(failed)?;
    let (clips, vectors): (Vec<&Clip>, Vec<Vec<f32>>) = clips
        .iter()
        .zip(pooled)
        .filter_map(|(clip, vector)| Some((clip, vector?)))
        .unzip();
    if (vectors.len() as f32) < 3.0 * PERPLEXITY + 2.0 {
        section.findings([(
            Mood::Note,
            Html::text(&format!("{} clips are too few for a map.", vectors.len())),
        )]);
        return Ok(section);
    }
    let points = plane(vectors);
    section.text(
        Html::text("What ").and(Html::code(&path.display().to_string())).and(Html::text(&format!(
            " makes of {} clips {}: the statistics that it pools over each (mean, deviation, maximum and attention-weighted mean of its {} features), on a plane by t-SNE. Near means alike to the model; distances across the map and the axes mean nothing.",
            clips.len(),
            if strangers { "of speakers that it never heard" } else { "(it may have been trained on some of the speakers)" },
            metadata.width
        ))),
    );
    let group = |name: &str, ink, of: &dyn Fn(&Clip) -> bool| Group {
        name: name.to_owned(),
        ink,
        points: clips
            .iter()
            .zip(&points)
            .filter(|(clip, _)| of(clip))
            .map(|(_, point)| *point)
            .collect(),
    };
    let emotions = survey
        .emotions()
        .into_iter()
        .map(|emotion| {
            group(emotion.name(), palette::emotion(emotion), &|clip| {
                clip.emotion == emotion
            })
        })
        .collect();
    let corpora = survey
        .corpora()
        .into_iter()
        .map(|corpus| {
            group(corpus.name(), palette::corpus(corpus), &|clip| {
                clip.corpus == corpus
            })
        })
        .collect();
    let size = Size {
        width: 540,
        height: 480,
    };
    section.figures(&[
        Figure::new("By emotion", Scatter { groups: emotions }.draw(size)?, "Colours in clusters of their own are emotions that it tells apart."),
        Figure::new("By corpus", Scatter { groups: corpora }.draw(size)?, "The same points. Corpora in clusters of their own are studios that it tells apart, which it should not."),
    ]);
    Ok(section)
}

/// Clips for the map, of every corpus as many as of the others where there are: of speakers that the model never heard if it
/// was trained on these corpora without some, else of all.
fn choose(survey: &Survey, model: &Model) -> (Vec<Clip>, bool) {
    let (trusted, _) = set_contradictions_apart(survey.import.clips.clone());
    let test = test_side(model.metadata(), &trusted);
    let (clips, strangers) = test.map_or((trusted, false), |(_, test)| (test, true));
    let readable: std::collections::HashSet<_> = survey
        .heard()
        .map(|(clip, _)| (clip.corpus, &clip.id))
        .collect();
    let corpora = survey.corpora();
    let share = CLIPS / corpora.len().max(1);
    let mut chosen = Vec::new();
    for corpus in corpora {
        // By content rather than by name: names go round the emotions, and every n-th of them may meet the same few.
        let mut own: Vec<&Clip> = clips
            .iter()
            .filter(|clip| clip.corpus == corpus && readable.contains(&(clip.corpus, &clip.id)))
            .collect();
        own.sort_by_key(|clip| clip.content);
        chosen.extend(own.into_iter().take(share).cloned());
    }
    (chosen, strangers)
}

/// t-SNE from the first two principal components on, so that the same clips give the same map.
fn plane(mut vectors: Vec<Vec<f32>>) -> Vec<(f64, f64)> {
    standardise(&mut vectors);
    let (first, second) = components(&vectors);
    let spread = |values: &[f32]| {
        (values.iter().map(|v| v * v).sum::<f32>() / values.len().max(1) as f32)
            .sqrt()
            .max(1e-9)
    };
    let scale = 1e-4 / spread(&first);
    let start: Vec<f32> = first
        .iter()
        .zip(&second)
        .flat_map(|(a, b)| [a * scale, b * scale])
        .collect();
    let rows: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
    let mut tsne: tSNE<'_, f32, &[f32], 2> = tSNE::new(&rows);
    tsne.perplexity(PERPLEXITY)
        .epochs(STEPS)
        .initial_embedding(start)
        .barnes_hut(0.5, |a, b| {
            a.iter()
                .zip(b.iter())
                .map(|(a, b)| (a - b).powi(2))
                .sum::<f32>()
                .sqrt()
        });
    tsne.embedding()
        .chunks_exact(2)
        .map(|point| (f64::from(point[0]), f64::from(point[1])))
        .collect()
}

/// Every value to mean 0 and deviation 1 over the clips.
fn standardise(vectors: &mut [Vec<f32>]) {
    let count = vectors.len().max(1) as f32;
    for index in 0..vectors.first().map_or(0, Vec::len) {
        let mean = vectors.iter().map(|v| v[index]).sum::<f32>() / count;
        let deviation = (vectors
            .iter()
            .map(|v| (v[index] - mean).powi(2))
            .sum::<f32>()
            / count)
            .sqrt();
        for vector in vectors.iter_mut() {
            vector[index] = if deviation > 1e-6 {
                (vector[index] - mean) / deviation
            } else {
                0.0
            };
        }
    }
}

/// The first two principal components of centred vectors, by power iteration.
fn components(vectors: &[Vec<f32>]) -> (Vec<f32>, Vec<f32>) {
    let width = vectors.first().map_or(0, Vec::len);
    let project = |axis: &[f32]| -> Vec<f32> {
        vectors
            .iter()
            .map(|v| v.iter().zip(axis).map(|(a, b)| a * b).sum())
            .collect()
    };
    let mut axes: Vec<Vec<f32>> = Vec::new();
    for number in 0..2usize {
        let mut axis: Vec<f32> = (0..width)
            .map(|i| if i % 2 == number { 1.0 } else { -0.5 })
            .collect();
        for _ in 0..40 {
            let along = project(&axis);
            let mut next = vec![0.0f32; width];
            for (vector, weight) in vectors.iter().zip(&along) {
                next.iter_mut()
                    .zip(vector)
                    .for_each(|(next, value)| *next += weight * value);
            }
            for found in &axes {
                let share: f32 = next.iter().zip(found).map(|(a, b)| a * b).sum();
                next.iter_mut()
                    .zip(found)
                    .for_each(|(next, found)| *next -= share * found);
            }
            let length = next.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
            next.iter_mut().for_each(|value| *value /= length);
            axis = next;
        }
        axes.push(axis);
    }
    (project(&axes[0]), project(&axes[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_that_lie_apart_stay_apart_and_the_map_is_the_same_every_time() {
        let vectors: Vec<Vec<f32>> = (0..200)
            .map(|i| {
                let far = if i % 2 == 0 { 0.0 } else { 8.0 };
                (0..12)
                    .map(|k| far + ((i * 31 + k * 17) % 23) as f32 * 0.05)
                    .collect()
            })
            .collect();
        let points = plane(vectors.clone());
        assert!(points.iter().all(|(x, y)| x.is_finite() && y.is_finite()));
        let center = |side: usize| {
            let own: Vec<_> = points.iter().skip(side).step_by(2).collect();
            let mean = |of: fn(&(f64, f64)) -> f64| {
                own.iter().map(|p| of(p)).sum::<f64>() / own.len() as f64
            };
            (mean(|p| p.0), mean(|p| p.1))
        };
        let (a, b) = (center(0), center(1));
        let apart = (a.0 - b.0).hypot(a.1 - b.1);
        let nearer = points.iter().enumerate().filter(|(i, p)| {
            let own = if i % 2 == 0 { a } else { b };
            (p.0 - own.0).hypot(p.1 - own.1) < apart / 2.0
        });
        assert!(nearer.count() > 190, "{apart}");
    }

    #[test]
    fn the_first_component_is_the_direction_in_which_vectors_differ_most() {
        let vectors: Vec<Vec<f32>> = (-20..=20)
            .map(|i| vec![i as f32, i as f32, 0.1 * ((i * i) % 7) as f32 - 0.3])
            .collect();
        let (first, second) = components(&vectors);
        assert!((first[40] - first[0]).abs() > 50.0);
        assert!(second.iter().all(|value| value.abs() < 2.0));
    }
}
