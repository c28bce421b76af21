//! A model file fitted to a few clips.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use undertone_model::Model;
use undertone_train::adapt::{AdaptError, Adapted, Way, adapt, new_head};
use undertone_train::evaluation::model::logits;
use undertone_train::features::ClipFeatures;

const SHIPPED: &[u8] = include_bytes!("../../models/undertone-research.onnx");

/// Clips of two made-up voices: one hums low, one hisses.
fn clips(labels: [usize; 2], each: usize) -> Vec<(ClipFeatures, usize)> {
    let clip = |index: usize| {
        let kind = index % 2;
        let value = |i: usize| {
            let (t, band) = (i / 64, i % 64);
            let low = if kind == 0 { 10 } else { 45 };
            let near = -(band as f32 - low as f32).abs();
            -40.0 + near + ((t * 7 + index * 13) % 10) as f32
        };
        let features = ClipFeatures {
            rows: 64,
            values: (0..80 * 64).map(value).collect(),
        };
        (features, labels[kind])
    };
    (0..2 * each).map(clip).collect()
}

#[test]
fn an_adapted_file_says_what_it_is_knows_its_clips_and_can_be_adapted_again() {
    let given = Model::from_bytes(SHIPPED).unwrap();
    let clips = clips([3, 5], 4);
    let Adapted {
        bytes,
        verdict,
        way,
    } = adapt(SHIPPED, &clips, "0123abcd").unwrap();
    assert!(matches!(way, Way::Moved { .. }), "two classes of seven");
    let [before, after] = [verdict.before, verdict.after].map(|one| one.unweighted_accuracy);
    assert!(verdict.accepts() && after > before, "{verdict:?}");
    let model = Model::from_bytes(&bytes).unwrap();
    let (metadata, first) = (model.metadata(), given.metadata());
    let adapted = metadata.provenance.adapted.as_ref().unwrap();
    assert_eq!((&adapted.from, adapted.clips), (&first.content_hash, 8));
    assert_ne!(metadata.content_hash, first.content_hash);
    assert_eq!(metadata.provenance.corpora, first.provenance.corpora);
    assert_eq!(metadata.provenance.licence, first.provenance.licence);
    assert_eq!(metadata.temperature, first.temperature);

    let again = adapt(&bytes, &clips, "4567").unwrap();
    let again = Model::from_bytes(&again.bytes).unwrap();
    let twice = again.metadata().provenance.adapted.clone().unwrap();
    assert_eq!(twice.from, metadata.content_hash);
}

#[test]
fn a_new_head_tells_its_classes_apart_and_is_smaller_than_the_two_layers_before() {
    let clips = clips([3, 5], 100);
    let bytes = new_head(SHIPPED, &clips, "0123abcd").unwrap();
    assert!(bytes.len() < SHIPPED.len());
    let model = Model::from_bytes(&bytes).unwrap();
    for (clip, target) in &clips[..20] {
        let logits = logits(&model, clip).unwrap();
        let best = (0..7).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        assert_eq!(best, Some(*target), "{logits:?}");
        assert!(logits[0] < logits[*target] - 20.0, "{logits:?}");
    }
    // And can be replaced like any other.
    let again = Model::from_bytes(&new_head(&bytes, &clips, "89").unwrap()).unwrap();
    let adapted = again.metadata().provenance.adapted.as_ref();
    let from = adapted.map(|adapted| adapted.from.as_str());
    assert_eq!(from, Some(model.metadata().content_hash.as_str()));
}

#[test]
fn many_clips_of_every_class_get_a_new_head_where_held_back_ones_are_for_it() {
    let clips: Vec<(ClipFeatures, usize)> = (0..7 * 60)
        .map(|index| {
            let class = index % 7;
            let value = |i: usize| {
                let (t, band) = (i / 64, i % 64);
                let near = -((band as f32) - 9.0 * class as f32).abs();
                -40.0 + near + ((t * 7 + index * 13 + band) % 10) as f32
            };
            let values = (0..60 * 64).map(value).collect();
            (ClipFeatures { rows: 64, values }, class)
        })
        .collect();
    let adapted = adapt(SHIPPED, &clips, "").unwrap();
    assert!(adapted.verdict.after.unweighted_accuracy > 0.9);
    let model = Model::from_bytes(&adapted.bytes).unwrap();
    let right = clips.iter().filter(|(clip, class)| {
        let logits = logits(&model, clip).unwrap();
        (0..7).max_by(|&a, &b| logits[a].total_cmp(&logits[b])) == Some(*class)
    });
    assert!(right.count() > 7 * 54);
    assert_eq!(adapted.way, Way::Regressed);
}

#[test]
fn too_few_clips_and_a_file_that_is_no_model_give_no_file() {
    let mut clips = clips([3, 5], 2);
    clips.pop();
    let few = adapt(SHIPPED, &clips, "");
    assert!(matches!(few, Err(AdaptError::Few { found: 1, .. })));
    assert!(matches!(
        adapt(SHIPPED, &clips[..1], ""),
        Err(AdaptError::OneClass(1))
    ));
    let mut short = self::clips([3, 5], 2);
    short[1].0.values.truncate(64 * 3);
    let short = adapt(SHIPPED, &short, "");
    assert!(matches!(short, Err(AdaptError::Short { number: 2 })));
    assert!(matches!(
        adapt(b"nonsense", &clips, ""),
        Err(AdaptError::Model(_))
    ));
}
