//! Whether to trust it in noise, over a telephone line, in a room.

use undertone_page::{Html, Mood};

use super::percent;
use crate::report::result::evidence::{CLEAN, Evidence};
use crate::report::result::{conditions, noise};

/// Points of mean recall that noise at 10 dB may cost before one has to look, and before it must not be trusted.
const NOISE_LOSS: [f64; 2] = [0.05, 0.15];

pub(super) fn in_noise(evidence: &Evidence) -> (Mood, Html) {
    // In pink noise, or in that of machines and streets if that alone was measured.
    let pink = noise::mean_at(evidence, None).zip(noise::mean_at(evidence, Some(10.0)));
    let measured = pink.or_else(|| {
        let mean = |condition| Some(conditions::mean(evidence, condition)?.0);
        mean(CLEAN).zip(mean("noise:10dB"))
    });
    let Some((clean, noisy)) = measured else {
        return (
            Mood::Bad,
            Html::stressed("In noise: ", "not measured, so do not trust it there", "."),
        );
    };
    let loss = clean - noisy;
    let chance = evidence.chance();
    let (mood, verdict) = match loss {
        loss if loss <= NOISE_LOSS[0] => (Mood::Good, "it can be trusted as far as in quiet"),
        loss if loss <= NOISE_LOSS[1] => (Mood::Warn, "trust it less than in quiet"),
        _ => (Mood::Bad, "do not trust it there"),
    };
    // The quietest noise that already costs more than a third of what it knows beyond guessing.
    let limit = noise::ratios(evidence).into_iter().find(|ratio| {
        noise::mean_at(evidence, Some(*ratio))
            .is_some_and(|at| at - chance < (clean - chance) * 2.0 / 3.0)
    });
    let limit = limit.map_or_else(String::new, |limit| {
        format!(" From {limit:.0} dB down, more than a third of what it knows is gone.")
    });
    (
        mood,
        Html::stressed(
            "In noise: ",
            verdict,
            &format!(
                ". At a signal-to-noise ratio of 10 dB (a busy street) mean recall falls from {} to {}.{limit}",
                percent(clean),
                percent(noisy)
            ),
        ),
    )
}

/// Over a telephone line, in a room.
pub(super) fn elsewhere(evidence: &Evidence) -> Option<(Mood, Html)> {
    let clean = conditions::mean(evidence, CLEAN)?.0;
    let places: Vec<_> = conditions::harder(evidence)
        .filter(|one| {
            !["noise:", "level:"]
                .iter()
                .any(|kind| one.condition.starts_with(kind))
        })
        .filter_map(|one| {
            let kept = conditions::kept(evidence, &one.condition)?;
            let (mean, _) = conditions::mean(evidence, &one.condition)?;
            let place = match one.condition.as_str() {
                "telephone" => "over a telephone line".to_owned(),
                "reverb" => "in a room from 6 m away".to_owned(),
                other => format!("with {other}"),
            };
            Some((place, mean, kept))
        })
        .collect();
    let worst = places.iter().map(|place| place.2).reduce(f64::min)?;
    let told: Vec<String> = places
        .iter()
        .map(|(place, mean, kept)| {
            let verdict = match kept {
                kept if *kept < 0.5 => "of no use",
                kept if *kept < 0.8 => "much worse",
                _ => "nearly as good",
            };
            format!("{verdict} {place} ({})", percent(*mean))
        })
        .collect();
    let mood = match worst {
        worst if worst < 0.5 => Mood::Bad,
        worst if worst < 0.8 => Mood::Warn,
        _ => Mood::Good,
    };
    let text = Html::stressed(
        &format!(
            "Where {} are recognised as recorded, it is ",
            percent(clean)
        ),
        &told.join(", "),
        ".",
    );
    Some((mood, text))
}
