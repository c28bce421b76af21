//! The sentences on top: how good, which class is weakest, how far speakers differ, whether to trust it in noise and its
//! confidence. All of them are computed; what was not measured is said.

mod classes;
mod places;

use undertone_page::{Html, Mood};

use super::evidence::{CorpusEvidence, Evidence};
use super::{people, protocols};
use classes::weakest;
use places::{elsewhere, in_noise};

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
    let mean = |of: fn(&CorpusEvidence) -> f64| CorpusEvidence::mean(&evidence.corpora, of);
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
