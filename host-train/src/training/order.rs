//! Which clips are in an epoch: all of them, corpora evened out, or no more of one speaker than allowed.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::batch::Example;

/// Indices of as many examples as there are, with `balance` of the way to equal shares of the groups; an example comes again
/// only when all of its group have come.
pub(super) fn balanced(examples: &[Example], balance: f32, rng: &mut StdRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..examples.len()).collect();
    if balance == 0.0 {
        return order;
    }
    let groups = examples
        .iter()
        .map(|example| example.group)
        .max()
        .unwrap_or(0)
        + 1;
    let mut members = vec![Vec::new(); groups];
    for (index, example) in examples.iter().enumerate() {
        members[example.group].push(index);
    }
    members.retain(|group| !group.is_empty());
    let weights: Vec<f32> = members
        .iter()
        .map(|group| (group.len() as f32).powf(1.0 - balance))
        .collect();
    let all: f32 = weights.iter().sum();
    order.clear();
    for (mut group, weight) in members.into_iter().zip(weights) {
        let mut wanted = (examples.len() as f32 * weight / all).round() as usize;
        while wanted > 0 {
            group.shuffle(rng);
            let now = wanted.min(group.len());
            order.extend_from_slice(&group[..now]);
            wanted -= now;
        }
    }
    order
}

/// Keeps the first `most` of each speaker's clips.
pub(super) fn limit(order: &mut Vec<usize>, examples: &[Example], most: usize) {
    let mut taken = HashMap::new();
    order.retain(|&index| {
        let taken = taken.entry(examples[index].speaker).or_insert(0);
        *taken += 1;
        *taken <= most
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn balance_evens_out_the_corpora_and_repeats_no_clip_before_its_corpus_is_through() {
        let examples: Vec<Example> = (0..100)
            .map(|index| Example {
                group: usize::from(index >= 90),
                ..Example::default()
            })
            .collect();
        let mut rng = StdRng::seed_from_u64(1);
        for (balance, rare) in [(0.0, 10), (1.0, 50), (0.5, 25)] {
            let order = balanced(&examples, balance, &mut rng);
            let counts = (0..100).map(|i| order.iter().filter(|&&one| one == i).count());
            let counts: Vec<usize> = counts.collect();
            assert_eq!(order.len(), 100, "{balance}");
            assert_eq!(counts[90..].iter().sum::<usize>(), rare, "{balance}");
            for group in [&counts[..90], &counts[90..]] {
                let (least, most) = (group.iter().min(), group.iter().max());
                assert!(most.unwrap() - least.unwrap() <= 1, "{balance}");
            }
        }
    }
}
