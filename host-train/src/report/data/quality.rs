//! How it was recorded: loudness, clipping, silence, rates.

use undertone_page::chart::{Axis, Bars, Ridge, Series, Size};
use undertone_page::{Cell, Figure, Section, Table};

use super::measure::Measured;
use super::median;
use super::survey::Survey;
use crate::corpora::Corpus;
use crate::report::{ReportError, palette};

pub(super) fn section(survey: &Survey) -> Result<Section, ReportError> {
    let mut section = Section::new("Sound quality");
    let mut table = Table::new(
        "How each corpus was recorded; medians over its clips",
        &[
            "corpus",
            "level dBFS",
            "noise floor dBFS",
            "speech above floor dB",
            "silent edges",
            "clips at full scale",
            "samples at full scale",
            "rates Hz",
            "channels",
        ],
    );
    for audio in &survey.audio.corpora {
        let of = |quantity: fn(&Measured) -> f64| {
            median(values(survey, audio.corpus, quantity).into_iter())
        };
        let list = |items: Vec<String>| items.join(", ");
        table.row(vec![
            audio.corpus.name().into(),
            Cell::number(of(|m| m.level_db), 1),
            Cell::number(of(|m| m.floor_db), 1),
            Cell::number(of(|m| m.level_db - m.floor_db), 1),
            Cell::percent(of(|m| m.silence)),
            Cell::percent(audio.full_scale_clips as f64 / audio.clips.max(1) as f64),
            Cell::number(audio.full_scale_samples as f64, 0),
            list(
                audio
                    .sample_rates
                    .iter()
                    .map(|(rate, clips)| format!("{rate} ({clips})"))
                    .collect(),
            )
            .into(),
            list(
                audio
                    .channels
                    .iter()
                    .map(|(count, clips)| format!("{count} ({clips})"))
                    .collect(),
            )
            .into(),
        ]);
    }
    section.table(&table);
    let ridge = |title: &str,
                 axis: &str,
                 range,
                 caption: &str,
                 of: fn(&Measured) -> f64|
     -> Result<Figure, ReportError> {
        let rows = survey
            .corpora()
            .into_iter()
            .map(|corpus| {
                (
                    corpus.name().to_owned(),
                    palette::corpus(corpus),
                    values(survey, corpus, of),
                )
            })
            .collect();
        let chart = Ridge {
            rows,
            title: axis.to_owned(),
            range,
        }
        .draw(440)?;
        Ok(Figure::new(title, chart, caption))
    };
    section.figures(&[
        ridge("Loudness", "level of the spoken part in dBFS", None, "RMS level of the spoken part of each clip. The stroke is the median.", |m| m.level_db)?,
        ridge("Noise floor", "level of the quietest frames in dBFS", None, "The level that 95 % of a clip's frames exceed: room and microphone.", |m| m.floor_db)?,
        ridge("Silence at the edges", "share of the clip in %", Some((0.0, 80.0)), "Before and after the spoken part; training cuts it off, voice activity does on the box.", |m| 100.0 * m.silence)?,
        ridge("Duration", "s", None, "Of whole clips.", |m| m.seconds)?,
        clipping(survey)?,
    ]);
    Ok(section)
}

pub(super) fn values(survey: &Survey, corpus: Corpus, of: fn(&Measured) -> f64) -> Vec<f64> {
    survey
        .heard()
        .filter(|(clip, _)| clip.corpus == corpus)
        .map(|(_, measured)| of(measured))
        .collect()
}

fn clipping(survey: &Survey) -> Result<Figure, ReportError> {
    let kinds: [(&str, u8, std::ops::Range<usize>); 3] = [
        ("1 or 2 samples", 2, 1..3),
        ("3 to 20 samples", 7, 3..21),
        ("more than 20", 4, 21..usize::MAX),
    ];
    let corpora = survey.corpora();
    let share = |corpus: Corpus, range: &std::ops::Range<usize>| {
        let clips: Vec<usize> = survey
            .heard()
            .filter(|(clip, _)| clip.corpus == corpus)
            .map(|(_, m)| m.full_scale)
            .collect();
        clips.iter().filter(|count| range.contains(count)).count() as f64
            / clips.len().max(1) as f64
    };
    let top = corpora
        .iter()
        .map(|&corpus| share(corpus, &(1..usize::MAX)))
        .fold(0.05, f64::max);
    let series = kinds
        .iter()
        .map(|(name, ink, range)| {
            let values = corpora
                .iter()
                .map(|&corpus| Some(share(corpus, range)).filter(|share| *share > 0.0))
                .collect();
            Series::new(name, undertone_page::chart::Ink::Series(*ink), values)
        })
        .collect();
    let names = corpora
        .iter()
        .map(|corpus| corpus.name().to_owned())
        .collect();
    let mut bars = Bars::new(
        names,
        series,
        Axis::percent("share of clips", 0.0..(top * 1.1).min(1.0)),
    );
    bars.stacked = true;
    Ok(Figure::new(
        "Clips that reach full scale",
        bars.draw(Size::HALF)?,
        "By how many of their samples do; a clip with many was cut off when it was recorded.",
    ))
}
