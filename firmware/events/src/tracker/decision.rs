//! Which label a distribution stands for, and which one contests another.

use crate::event::Label;

/// The label with the highest score, the first of equals.
pub(super) fn best(scores: &[f32]) -> (usize, f32) {
    scores
        .iter()
        .copied()
        .enumerate()
        .fold(
            (0, 0.0),
            |best, (index, score)| if score > best.1 { (index, score) } else { best },
        )
}

/// The threshold of a label.
fn of(thresholds: &[f32], label: usize) -> f32 {
    thresholds.get(label).copied().unwrap_or(0.0)
}

pub(super) fn decide(scores: &[f32], thresholds: &[f32]) -> Label {
    let (index, score) = best(scores);
    if score >= of(thresholds, index) {
        Label::Known(index)
    } else {
        Label::Unknown
    }
}

/// Who contests `current`, if anyone does.
pub(super) fn challenger(
    scores: &[f32],
    current: Label,
    margin: f32,
    thresholds: &[f32],
) -> Option<Label> {
    let wanted = decide(scores, thresholds);
    let Label::Known(index) = current else {
        return (wanted != current).then_some(wanted);
    };
    let (top, top_score) = best(scores);
    let own = scores.get(index).copied().unwrap_or(0.0);
    if top != index && top_score - own >= margin {
        Some(wanted)
    } else {
        (own < of(thresholds, index)).then_some(Label::Unknown)
    }
}
