//! Mean and spread of a figure over folds and seeds.

use std::collections::BTreeMap;

/// The mean over the folds of a figure's mean over the seeds, so that a fold that has more of them counts no more, and its standard
/// deviation (of a sample) over the folds, or, of a single fold, over its seeds; none of a single value. `values` are by fold, in any order.
pub fn over_folds<'a>(values: impl Iterator<Item = (&'a str, f64)>) -> (f64, Option<f64>) {
    let mut folds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (fold, value) in values {
        folds.entry(fold).or_default().push(value);
    }
    let means: Vec<f64> = folds.values().map(|seeds| mean(seeds)).collect();
    let among = match folds.into_values().next() {
        Some(seeds) if means.len() == 1 => seeds,
        _ => means,
    };
    (mean(&among), deviation(&among))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_count_alike_however_many_seeds_they_have_and_a_single_one_scatters_by_its_seeds() {
        let of = |values: &[(&'static str, f64)]| over_folds(values.iter().copied());
        let (mean, deviation) = of(&[("1", 0.5), ("2", 0.6), ("1", 0.9)]);
        assert!((mean - 0.65).abs() < 1e-12);
        assert!((deviation.unwrap() - 0.05 * 2f64.sqrt()).abs() < 1e-12);
        let (mean, deviation) = of(&[("1", 0.5), ("1", 0.7)]);
        assert!((mean - 0.6).abs() < 1e-12);
        assert!((deviation.unwrap() - 0.1 * 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(of(&[("1", 0.5)]), (0.5, None));
        assert_eq!(of(&[]), (0.0, None));
    }
}
