//! Who speaks, and how much there is.

use std::collections::BTreeMap;

use undertone_page::chart::{Axis, Bars, Series, Size};
use undertone_page::{Cell, Figure, Section, Table};

use super::survey::Survey;
use super::{grouped, median};
use crate::corpora::{Completeness, Sex, SpeakerId};
use crate::report::{ReportError, palette};

/// One speaker's clips.
#[derive(Default)]
struct Speaker {
    sex: Option<Sex>,
    age: Option<u8>,
    clips: usize,
    seconds: f64,
    levels: Vec<f64>,
    floors: Vec<f64>,
}

pub(super) fn section(survey: &Survey) -> Result<Section, ReportError> {
    let mut section = Section::new("Corpora and speakers");
    let mut table = Table::new(
        "Corpora, against their published releases",
        &[
            "corpus",
            "clips",
            "of",
            "state",
            "speakers",
            "female",
            "male",
            "ages",
            "minutes",
            "median s",
            "shortest s",
            "longest s",
        ],
    );
    let speakers = speakers(survey);
    for corpus in &survey.scan.corpora {
        let audio = survey
            .audio
            .corpora
            .iter()
            .find(|audio| audio.corpus == corpus.corpus);
        let own = || speakers.iter().filter(|(id, _)| id.corpus == corpus.corpus);
        let of = |sex| {
            own()
                .filter(|(_, speaker)| speaker.sex == Some(sex))
                .count()
        };
        let ages: Vec<u8> = own().filter_map(|(_, speaker)| speaker.age).collect();
        let ages = match (ages.iter().min(), ages.iter().max()) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            _ => "not stated".into(),
        };
        let state = match corpus.completeness {
            Completeness::Complete => "complete".to_owned(),
            Completeness::Missing(clips) => format!("{} missing", grouped(clips)),
            Completeness::More(clips) => format!("{} more than published", grouped(clips)),
        };
        let seconds = survey
            .heard()
            .filter(|(clip, _)| clip.corpus == corpus.corpus)
            .map(|(_, m)| m.seconds);
        let number = |value: Option<f64>, decimals| {
            value.map_or_else(Cell::none, |value| Cell::number(value, decimals))
        };
        table.row(vec![
            corpus.corpus.name().into(),
            Cell::count(corpus.clips),
            Cell::count(corpus.published),
            state.into(),
            Cell::count(corpus.speakers),
            Cell::count(of(Sex::Female)),
            Cell::count(of(Sex::Male)),
            ages.into(),
            number(audio.map(|a| a.seconds / 60.0), 1),
            Cell::number(median(seconds), 2),
            number(audio.map(|a| a.shortest), 2),
            number(audio.map(|a| a.longest), 2),
        ]);
    }
    section.table(&table);
    section.figures(&[
        people(survey, &speakers)?,
        ages(&speakers)?,
        minutes(&speakers)?,
    ]);

    let mut all = Table::new(
        "Speakers; level and noise floor are medians over their clips",
        &[
            "speaker",
            "sex",
            "age",
            "clips",
            "minutes",
            "level dBFS",
            "noise floor dBFS",
        ],
    );
    for (id, speaker) in &speakers {
        all.row(vec![
            id.to_string().into(),
            sex(speaker.sex).into(),
            speaker
                .age
                .map_or_else(Cell::none, |age| Cell::count(age.into())),
            Cell::count(speaker.clips),
            Cell::number(speaker.seconds / 60.0, 1),
            Cell::number(median(speaker.levels.iter().copied()), 1),
            Cell::number(median(speaker.floors.iter().copied()), 1),
        ]);
    }
    let mut inner = Section::new("");
    inner.table(&all);
    section.details(&format!("All {} speakers", speakers.len()), &inner);
    Ok(section)
}

fn sex(sex: Option<Sex>) -> &'static str {
    match sex {
        Some(Sex::Female) => "female",
        Some(Sex::Male) => "male",
        None => "not stated",
    }
}

fn speakers(survey: &Survey) -> BTreeMap<SpeakerId, Speaker> {
    let mut speakers: BTreeMap<SpeakerId, Speaker> = BTreeMap::new();
    for clip in &survey.import.clips {
        let speaker = speakers.entry(clip.speaker.clone()).or_default();
        speaker.sex = speaker.sex.or(clip.sex);
        speaker.age = speaker.age.or(clip.age);
        speaker.clips += 1;
    }
    for (clip, measured) in survey.heard() {
        if let Some(speaker) = speakers.get_mut(&clip.speaker) {
            speaker.seconds += measured.seconds;
            speaker.levels.push(measured.level_db);
            speaker.floors.push(measured.floor_db);
        }
    }
    speakers
}

fn people(survey: &Survey, speakers: &BTreeMap<SpeakerId, Speaker>) -> Result<Figure, ReportError> {
    let corpora = survey.corpora();
    let groups = corpora
        .iter()
        .map(|corpus| corpus.name().to_owned())
        .collect();
    let mut most = 1.0f64;
    let series = [(Some(Sex::Female), 5), (Some(Sex::Male), 3), (None, 0)]
        .into_iter()
        .map(|(kind, ink)| {
            let counts: Vec<Option<f64>> = corpora
                .iter()
                .map(|corpus| {
                    Some(
                        speakers
                            .iter()
                            .filter(|(id, s)| id.corpus == *corpus && s.sex == kind)
                            .count() as f64,
                    )
                    .filter(|n| *n > 0.0)
                })
                .collect();
            most = counts.iter().flatten().copied().fold(most, f64::max);
            Series::new(sex(kind), undertone_page::chart::Ink::Series(ink), counts)
        })
        .filter(|series| series.values.iter().any(Option::is_some))
        .collect();
    let bars = Bars::new(groups, series, Axis::numbers("speakers", 0.0..most * 1.05));
    Ok(Figure::new(
        "Speakers by sex",
        bars.draw(Size::HALF)?,
        "As the corpora state it.",
    ))
}

fn ages(speakers: &BTreeMap<SpeakerId, Speaker>) -> Result<Figure, ReportError> {
    let decades: Vec<u8> = (1..9).map(|decade| decade * 10).collect();
    let groups = decades
        .iter()
        .map(|age| format!("{age}–{}", age + 9))
        .collect();
    let mut series = Vec::new();
    let mut tops = vec![0.0; decades.len()];
    let mut corpora: Vec<_> = speakers.keys().map(|id| id.corpus).collect();
    corpora.dedup();
    for corpus in corpora {
        let counts: Vec<f64> = decades
            .iter()
            .map(|low| {
                speakers
                    .iter()
                    .filter(|(id, s)| {
                        id.corpus == corpus
                            && s.age.is_some_and(|age| (*low..low + 10).contains(&age))
                    })
                    .count() as f64
            })
            .collect();
        if counts.iter().sum::<f64>() > 0.0 {
            tops.iter_mut()
                .zip(&counts)
                .for_each(|(top, count)| *top += count);
            series.push(Series::new(
                corpus.name(),
                palette::corpus(corpus),
                counts
                    .into_iter()
                    .map(|n| Some(n).filter(|n| *n > 0.0))
                    .collect(),
            ));
        }
    }
    let unknown = speakers
        .values()
        .filter(|speaker| speaker.age.is_none())
        .count();
    let mut bars = Bars::new(
        groups,
        series,
        Axis::numbers(
            "speakers",
            0.0..tops.iter().copied().fold(1.0, f64::max) * 1.05,
        ),
    );
    bars.stacked = true;
    let caption = format!("In years. {unknown} speakers have no stated age.");
    Ok(Figure::new(
        "Speakers by age",
        bars.draw(Size::HALF)?,
        caption,
    ))
}

fn minutes(speakers: &BTreeMap<SpeakerId, Speaker>) -> Result<Figure, ReportError> {
    let mut sorted: Vec<_> = speakers.iter().collect();
    sorted.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    let inks = sorted
        .iter()
        .map(|(id, _)| palette::corpus(id.corpus))
        .collect();
    let top = sorted
        .first()
        .map_or(1.0, |(_, speaker)| speaker.seconds / 60.0);
    let series = Series::new(
        "",
        palette::corpus(crate::corpora::Corpus::Ravdess),
        sorted.iter().map(|(_, s)| Some(s.seconds / 60.0)).collect(),
    );
    let mut bars = Bars::new(
        sorted.iter().map(|(id, _)| id.to_string()).collect(),
        vec![series],
        Axis::numbers("minutes", 0.0..top * 1.05),
    );
    bars.inks = inks;
    bars.unnamed = true;
    Ok(Figure::new(
        "How much each speaker says",
        bars.draw(Size::HALF)?,
        "One bar a speaker, in the colour of the corpus; rest the pointer on one for the name.",
    ))
}
