//! Distributions of the classic features, by emotion and by corpus.

use undertone_page::chart::Ridge;
use undertone_page::{Figure, Section};

use super::measure::QUANTITIES;
use super::survey::Survey;
use crate::report::{ReportError, palette};

pub(super) fn section(survey: &Survey) -> Result<Section, ReportError> {
    let mut section = Section::new("Features by emotion and by corpus");
    section.text("Means over the spoken part of each clip. Above by emotion, all corpora together; below by corpus, all emotions together, on the same axis: where the lower ridges lie further apart than the upper ones, the studio says more than the emotion.");
    let mut figures = Vec::new();
    for quantity in QUANTITIES {
        let values: Vec<_> = survey
            .heard()
            .map(|(clip, measured)| (clip.emotion, clip.corpus, (quantity.of)(measured)))
            .collect();
        let emotions: Vec<_> = survey
            .emotions()
            .into_iter()
            .map(|emotion| {
                (
                    emotion.name().to_owned(),
                    palette::emotion(emotion),
                    values
                        .iter()
                        .filter(|v| v.0 == emotion)
                        .map(|v| v.2)
                        .collect(),
                )
            })
            .collect();
        let corpora: Vec<_> = survey
            .corpora()
            .into_iter()
            .map(|corpus| {
                (
                    corpus.name().to_owned(),
                    palette::corpus(corpus),
                    values
                        .iter()
                        .filter(|v| v.1 == corpus)
                        .map(|v| v.2)
                        .collect(),
                )
            })
            .collect();
        let range = Some(span(values.iter().map(|v| v.2)));
        let above = Ridge {
            rows: emotions,
            title: String::new(),
            range,
        }
        .draw(440)?;
        let below = Ridge {
            rows: corpora,
            title: quantity.axis.to_owned(),
            range,
        }
        .draw(440)?;
        figures.push(Figure::new(quantity.name, above, "").above(below));
    }
    section.figures(&figures);
    Ok(section)
}

/// Where all but the outermost hundredth of the values lie.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        values
            .get((share * values.len().saturating_sub(1) as f64) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    let (low, high) = (at(0.005), at(0.995));
    let room = 0.06 * (high - low);
    (low - room, high + room)
}
