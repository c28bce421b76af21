//! What a network is asked to answer for a clip: its class, softened by label smoothing.

/// 1 for class `target`, of which `smoothing` is shared by the other classes that are `known`.
#[must_use]
pub fn goal(target: usize, known: &[bool], smoothing: f32) -> Vec<f32> {
    let others = known.iter().filter(|known| **known).count().max(2) - 1;
    let share = |(class, known): (usize, &bool)| match (class == target, known) {
        (true, _) => 1.0 - smoothing,
        (false, true) => smoothing / others as f32,
        (false, false) => 0.0,
    };
    known.iter().enumerate().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_takes_from_the_target_and_gives_to_the_other_known_classes_alone() {
        let goal = goal(1, &[true, true, true, false], 0.1);
        assert_eq!(goal, [0.05, 0.9, 0.05, 0.0]);
    }
}
