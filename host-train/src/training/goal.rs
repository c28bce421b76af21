//! What a network is asked to answer for a clip: its class, softened by label smoothing.

/// The distribution of one class.
#[must_use]
pub fn certain(target: usize, classes: usize) -> Vec<f32> {
    let mut goal = vec![0.0; classes];
    goal[target] = 1.0;
    goal
}

/// `smoothing` of what a class is given, shared by the other classes that are `known`.
pub fn smooth(goal: &mut [f32], known: &[bool], smoothing: f32) {
    let others = known.iter().filter(|known| **known).count().max(2) - 1;
    for (goal, _) in goal.iter_mut().zip(known).filter(|(_, known)| **known) {
        *goal = *goal * (1.0 - smoothing) + (1.0 - *goal) * smoothing / others as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_takes_from_the_target_and_gives_to_the_other_known_classes_alone() {
        let mut goal = certain(1, 4);
        smooth(&mut goal, &[true, true, true, false], 0.1);
        assert_eq!(goal, [0.05, 0.9, 0.05, 0.0]);
    }
}
