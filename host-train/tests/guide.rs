//! A guide is read from what is published, hears as the reference does, and is refused where it is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, f16};
use safetensors::serialize;
use safetensors::tensor::{Dtype, TensorView};
use undertone_train::guide::Guide;
use undertone_train::training::prepare::guide_says;
use undertone_train::training::recipe::Recipe;

const WIDTH: usize = 64;
const BANDS: usize = 80;
const POSITIONS: usize = 100;

/// Names and shapes of an encoder of two small layers.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let (square, row) = (vec![WIDTH, WIDTH], vec![WIDTH]);
    let mut all = vec![
        ("conv1.weight".to_owned(), vec![WIDTH, BANDS, 3]),
        ("conv1.bias".to_owned(), row.clone()),
        ("conv2.weight".to_owned(), vec![WIDTH, WIDTH, 3]),
        ("conv2.bias".to_owned(), row.clone()),
        ("embed_positions.weight".to_owned(), vec![POSITIONS, WIDTH]),
    ];
    for layer in 0..2 {
        for (part, shape) in [
            ("self_attn_layer_norm.weight", &row),
            ("self_attn_layer_norm.bias", &row),
            ("self_attn.q_proj.weight", &square),
            ("self_attn.q_proj.bias", &row),
            ("self_attn.k_proj.weight", &square),
            ("self_attn.v_proj.weight", &square),
            ("self_attn.v_proj.bias", &row),
            ("self_attn.out_proj.weight", &square),
            ("self_attn.out_proj.bias", &row),
            ("final_layer_norm.weight", &row),
            ("final_layer_norm.bias", &row),
            ("fc1.weight", &vec![4 * WIDTH, WIDTH]),
            ("fc1.bias", &vec![4 * WIDTH]),
            ("fc2.weight", &vec![WIDTH, 4 * WIDTH]),
            ("fc2.bias", &row),
        ] {
            all.push((format!("layers.{layer}.{part}"), shape.clone()));
        }
    }
    all.into_iter()
        .map(|(name, shape)| (format!("model.encoder.{name}"), shape))
        .collect()
}

/// Values that anyone can compute: a sine of the index, scaled as weights are.
fn values(name: &str, shape: &[usize]) -> Vec<f16> {
    let count: usize = shape.iter().product();
    let value = |index: usize| {
        let wave = (index as f64 * 0.7 + name.len() as f64).sin();
        let value = match shape {
            _ if name.ends_with("norm.weight") => 1.0 + 0.1 * wave,
            [_] => 0.1 * wave,
            [outputs, ..] => wave / ((count / outputs) as f64).sqrt(),
            [] => 0.0,
        };
        f16::from_f64(value)
    };
    (0..count).map(value).collect()
}

/// Writes what [`tensors`] names, less what `keep` refuses, as `f16` or `f32`.
fn write(path: &Path, single: bool, keep: impl Fn(&str) -> bool) -> PathBuf {
    let all: Vec<(String, Vec<usize>, Vec<u8>)> = tensors()
        .into_iter()
        .filter(|(name, _)| keep(name))
        .map(|(name, shape)| {
            let values = values(&name, &shape);
            let bytes = match single {
                true => values
                    .iter()
                    .flat_map(|v| v.to_f32().to_le_bytes())
                    .collect(),
                false => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            };
            (name, shape, bytes)
        })
        .collect();
    let kind = if single { Dtype::F32 } else { Dtype::F16 };
    let views = all.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(kind, shape.clone(), bytes).unwrap();
        (name.clone(), view)
    });
    fs::write(path, serialize(views, None).unwrap()).unwrap();
    path.to_owned()
}

fn sound(samples: usize) -> Vec<f32> {
    let sample = |index: usize| {
        let t = index as f64 / 16_000.0;
        (0.3 * (TAU * 220.0 * t).sin() + 0.1 * (TAU * (500.0 + 300.0 * t) * t).sin()) as f32
    };
    (0..samples).map(sample).collect()
}

#[test]
fn steps_are_those_of_the_reference_and_files_of_either_precision_are_one_guide() {
    let dir = tempfile::tempdir().unwrap();
    let device = Device::flex().autodiff();
    let [half, single] = [false, true].map(|single| {
        let path = write(&dir.path().join("model.safetensors"), single, |_| true);
        Guide::open(&path, 2, &device).unwrap()
    });
    assert_eq!(half.hash(), single.hash());
    let heard = single.listen(&sound(16_000), 1280).unwrap();
    assert_eq!((heard.rows, heard.frames()), (WIDTH, 13));
    // PyTorch's stft, conv1d, layer_norm, softmax and gelu with the same weights, in f32.
    let last = heard.values.len() - 4;
    for (at, expected) in [
        (0, [0.923_97, 4.002_7, 1.962_06, 1.618_85]),
        (6 * WIDTH + 30, [1.737_75, 0.950_6, 2.786_96, -0.374_55]),
        (last, [-0.923_49, 1.014_05, -0.276_96, 0.937_71]),
    ] {
        for (found, expected) in heard.values[at..].iter().zip(expected) {
            assert!((found - expected).abs() < 2e-3, "{at}: {found}, {expected}");
        }
    }
    let one = Guide::open(&write(&dir.path().join("m"), false, |_| true), 1, &device).unwrap();
    assert_ne!(one.hash(), half.hash());
    // A recipe that names one of them is not trained with the other.
    let mut recipe = Recipe::default();
    recipe.guide.encoder = Some(half.hash().to_owned());
    assert!(guide_says(Some(&single), &[], &recipe, None).is_ok());
    let refused = guide_says(Some(&one), &[], &recipe, None).unwrap_err();
    assert!(refused.to_string().contains(one.hash()), "{refused}");
}

#[test]
fn a_clip_of_any_length_gives_a_step_for_each_that_it_begins_up_to_what_the_encoder_can_hear() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir.path().join("model.safetensors"), false, |_| true);
    let guide = Guide::open(&path, 2, &Device::flex()).unwrap();
    for (samples, steps) in [
        (0, 1),
        (1, 1),
        (1280, 1),
        (1281, 2),
        (16_000, 13),
        (99_999, 25),
    ] {
        let heard = guide.listen(&sound(samples), 1280).unwrap();
        assert_eq!(heard.frames(), steps, "{samples}");
        assert!(
            heard.values.iter().all(|value| value.is_finite()),
            "{samples}"
        );
    }
}

#[test]
fn what_is_no_guide_is_refused_with_the_tensor_and_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let refused = |layers| {
        let device = Device::flex();
        Guide::open(&path, layers, &device).unwrap_err().to_string()
    };
    assert!(refused(2).contains("cannot be read"));
    for bytes in [&b"RIFF"[..], &[0xFF; 64], &[]] {
        fs::write(&path, bytes).unwrap();
        let error = refused(2);
        assert!(error.contains("is not the `model.safetensors`"), "{error}");
        assert!(error.contains("model.safetensors:"), "{error}");
    }
    write(&path, true, |name| !name.contains("conv1"));
    assert!(refused(2).contains("encoder.conv1.weight is missing"));
    write(&path, true, |name| !name.contains("layers.1.fc2.bias"));
    let error = refused(2);
    assert!(error.contains("layers.1.fc2.bias is missing"), "{error}");
    Guide::open(&path, 1, &Device::flex()).unwrap();
    assert!(refused(3).contains("layers.1.fc2.bias is missing"));
    write(&path, true, |_| true);
    assert!(refused(3).contains("layers.2."), "{}", refused(3));
    // A kernel of another shape, and of a kind that no weight has.
    let zeros = vec![0; 4 * WIDTH * BANDS * 5];
    for (kind, width, kernel, positions, reason) in [
        (Dtype::F32, WIDTH, 5, POSITIONS, "has the shape"),
        (Dtype::I32, WIDTH, 3, POSITIONS, "is I32"),
        (Dtype::F32, 50, 3, POSITIONS, "has 50 channels"),
        (Dtype::F32, 0, 3, POSITIONS, "has 0 channels"),
        (Dtype::F32, WIDTH, 3, 0, "has 0 positions"),
    ] {
        let bytes = &zeros[..4 * width * BANDS * kernel];
        let first = TensorView::new(kind, vec![width, BANDS, kernel], bytes).unwrap();
        let bytes = &zeros[..4 * positions * WIDTH];
        let second = TensorView::new(Dtype::F32, vec![positions, WIDTH], bytes).unwrap();
        let both = [
            ("encoder.conv1.weight", first),
            ("encoder.embed_positions.weight", second),
        ];
        fs::write(&path, serialize(both, None).unwrap()).unwrap();
        let error = refused(1);
        assert!(error.contains(reason), "{error}");
    }
}
