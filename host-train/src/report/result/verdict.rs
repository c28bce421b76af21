//! The sentences on top: how good, which class is weakest, how far speakers differ, whether to trust it in noise and its
//! confidence. All of them are computed; what was not measured is said.

use undertone_page::{Html, Mood};

use super::evidence::{CLEAN, CorpusEvidence, Evidence};
use super::{conditions, noise, people, protocols};

/// Points of mean recall that noise at 10 dB may cost before one has to look, and before it must not be trusted.
const NOISE_LOSS: [f64; 2] = [0.05, 0.15];
/// Calibration error from which on the confidence misleads.
const MISLEADING: f64 = 0.10;
/// Points between the tenth of speakers understood worst and best from which on they differ much.
const SPREAD: f64 = 0.20;

pub(super) fn findings(
    evidence: Option<&Evidence>,
    measured: &[protocols::Protocol],
) -> Vec<(Mood, Html)> {
    let Some(evidence) = evidence.filter(|evidence| !evidence.corpora.is_empty()) else {
        return vec![(
            Mood::Bad,
            Html::stressed(
                "",
                "Nothing has been measured of this model on speakers that it never heard",
                ": neither which class is weakest, nor how far speakers differ, nor what noise does to it. Do not trust it.",
            ),
        )];
    };
    let mut findings = vec![strangers(evidence)];
    findings.extend(weakest(evidence));
    findings.push(speakers(evidence));
    findings.push(in_noise(evidence));
    findings.extend(elsewhere(evidence));
    findings.push(confidence(evidence));
    findings.extend(leaky(measured));
    findings
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn strangers(evidence: &Evidence) -> (Mood, Html) {
    let each: Vec<String> = evidence
        .corpora
        .iter()
        .map(|corpus| {
            format!(
                "{} on {} (guessing: {})",
                percent(corpus.figures.unweighted_accuracy),
                corpus.name(),
                percent(corpus.chance)
            )
        })
        .collect();
    let worst = evidence
        .corpora
        .iter()
        .map(|corpus| corpus.figures.unweighted_accuracy / corpus.chance.max(1e-9))
        .fold(f64::INFINITY, f64::min);
    let mood = if worst > 2.0 { Mood::Note } else { Mood::Bad };
    (
        mood,
        Html::stressed(
            "Strangers' emotions are recognised in ",
            &each.join(", "),
            ": the mean of the classes, on acted speech of speakers that training never heard.",
        ),
    )
}

fn weakest(evidence: &Evidence) -> Option<(Mood, Html)> {
    let mut classes: Vec<_> = (0..evidence.labels.len())
        .filter_map(|class| {
            evidence
                .recall(class)
                .map(|(mean, each)| (class, mean, each))
        })
        .collect();
    classes.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (weakest, best) = (classes.first()?, classes.last()?);
    let label = &evidence.labels[weakest.0];
    let (low, high) = (weakest.2.first()?, weakest.2.last()?);
    let spread = if weakest.2.len() > 1 {
        format!(
            " (from {} on {} to {} on {})",
            percent(low.1),
            low.0,
            percent(high.1),
            high.0
        )
    } else {
        String::new()
    };
    let text = Html::stressed(
        "The weakest class is ",
        &format!(
            "{label}: {} of its clips are recognised",
            percent(weakest.1)
        ),
        &format!(
            "{spread}{}. The strongest is {} with {}.",
            mistaken(evidence, weakest.0),
            evidence.labels[best.0],
            percent(best.1)
        ),
    );
    Some((
        if weakest.1 < 0.5 {
            Mood::Bad
        } else {
            Mood::Warn
        },
        text,
    ))
}

/// What a class is most often taken for, all corpora together, each with the same weight.
fn mistaken(evidence: &Evidence, class: usize) -> String {
    let share = |other: usize| -> f64 {
        evidence
            .corpora
            .iter()
            .map(|corpus| {
                let row = &corpus.figures.confusion[class];
                row[other] as f64 / row.iter().sum::<usize>().max(1) as f64
            })
            .sum()
    };
    let most = (0..evidence.labels.len())
        .filter(|other| *other != class)
        .max_by(|a, b| share(*a).total_cmp(&share(*b)));
    most.filter(|other| share(*other) > 0.0)
        .map_or_else(String::new, |other| {
            format!(
                ", and it is most often taken for {}",
                evidence.labels[other]
            )
        })
}

fn speakers(evidence: &Evidence) -> (Mood, Html) {
    let people = people::sorted(evidence);
    let (Some(best), Some(worst)) = (people.first(), people.last()) else {
        return (
            Mood::Warn,
            Html::stressed("How far speakers differ ", "has not been measured", "."),
        );
    };
    let at = |share: f64| {
        people[(share * (people.len() - 1) as f64).round() as usize].unweighted_accuracy
    };
    let (upper, middle, lower) = (at(0.1), at(0.5), at(0.9));
    let mood = if upper - lower >= SPREAD {
        Mood::Warn
    } else {
        Mood::Good
    };
    let text = Html::stressed(
        "Speakers differ: ",
        &format!(
            "one in ten is recognised in {} or less, the middle one in {}, one in ten in {} or more",
            percent(lower),
            percent(middle),
            percent(upper)
        ),
        &format!(
            " (of {}; worst {} with {}, best {} with {}).",
            people.len(),
            worst.speaker,
            percent(worst.unweighted_accuracy),
            best.speaker,
            percent(best.unweighted_accuracy)
        ),
    );
    (mood, text)
}

fn in_noise(evidence: &Evidence) -> (Mood, Html) {
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
    let chance = evidence
        .corpora
        .iter()
        .map(|corpus| corpus.chance)
        .sum::<f64>()
        / evidence.corpora.len().max(1) as f64;
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
fn elsewhere(evidence: &Evidence) -> Option<(Mood, Html)> {
    let clean = conditions::mean(evidence, CLEAN)?.0;
    let places: Vec<_> = conditions::harder(evidence)
        .filter(|one| !one.condition.starts_with("noise:"))
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

fn confidence(evidence: &Evidence) -> (Mood, Html) {
    let worst = |a: &&CorpusEvidence, b: &&CorpusEvidence| {
        a.figures
            .calibration_error
            .total_cmp(&b.figures.calibration_error)
    };
    let (Some(best), Some(worst)) = (
        evidence.corpora.iter().min_by(worst),
        evidence.corpora.iter().max_by(worst),
    ) else {
        return (Mood::Warn, Html::text("Calibration has not been measured."));
    };
    let mean = |of: fn(&CorpusEvidence) -> f64| {
        evidence.corpora.iter().map(of).sum::<f64>() / evidence.corpora.len() as f64
    };
    let gain = mean(|corpus| corpus.figures.unweighted_accuracy_at_75)
        - mean(|corpus| corpus.figures.unweighted_accuracy);
    let misleading = worst.figures.calibration_error >= MISLEADING;
    let text = Html::stressed(
        "Its confidence is off by ",
        &format!(
            "{} on {} and {} on {}",
            percent(best.figures.calibration_error),
            best.name(),
            percent(worst.figures.calibration_error),
            worst.name()
        ),
        &format!(
            " on average.{} Answering only the most confident three quarters changes the mean recall by {:+.0} points.",
            if misleading {
                " For voices like the latter, do not read it as a probability."
            } else {
                ""
            },
            100.0 * gain
        ),
    );
    (if misleading { Mood::Warn } else { Mood::Good }, text)
}

fn leaky(measured: &[protocols::Protocol]) -> Option<(Mood, Html)> {
    let rows = protocols::rows(measured);
    let own: Vec<f64> = rows
        .iter()
        .filter(|row| row.protocol == "leaky")
        .map(|row| row.mean)
        .collect();
    let (least, most) = (
        own.iter().copied().reduce(f64::min)?,
        own.iter().copied().reduce(f64::max)?,
    );
    Some((
        Mood::Note,
        Html::stressed(
            "A leaky split would have promised ",
            &percent(most),
            &format!(
                " where the same network reaches {} on speakers that it never heard.",
                percent(least)
            ),
        ),
    ))
}
