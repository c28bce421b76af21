//! How far speakers differ.

use undertone_page::chart::{Axis, Bars, Chart, Ink, Series, Size};
use undertone_page::{Cell, Figure, Html, Mood, Section, Table};

use super::evidence::{Evidence, Person};
use crate::corpora::Corpus;
use crate::report::{ReportError, palette};

/// All speakers, the one who is understood best first.
pub(super) fn sorted(evidence: &Evidence) -> Vec<&Person> {
    let mut people: Vec<&Person> = evidence
        .corpora
        .iter()
        .flat_map(|corpus| &corpus.people)
        .collect();
    people.sort_by(|a, b| b.unweighted_accuracy.total_cmp(&a.unweighted_accuracy));
    people
}

fn corpus_of(person: &Person) -> Option<Corpus> {
    let key = person.speaker.split('/').next()?;
    Corpus::of_key(key)
}

pub(super) fn section(evidence: Option<&Evidence>) -> Result<Section, ReportError> {
    let mut section = Section::new("From speaker to speaker");
    let Some(evidence) = evidence.filter(|evidence| {
        evidence
            .corpora
            .iter()
            .any(|corpus| !corpus.people.is_empty())
    }) else {
        section.findings([(Mood::Warn, Html::text("How far speakers differ has not been measured. Give the corpora that it was trained on with ").and(Html::code("--corpora")).and(Html::text(".")))]);
        return Ok(section);
    };
    let people = sorted(evidence);
    section.figure(&Figure::new("Mean recall of each speaker", chart(evidence)?, "One bar a speaker whom training never heard, in the colour of the corpus; rest the pointer on one for the name."));
    let mut table = Table::new("Speakers", &["speaker", "clips", "mean recall"]);
    for person in people {
        table.row(vec![
            person.speaker.as_str().into(),
            Cell::count(person.clips),
            Cell::percent(person.unweighted_accuracy),
        ]);
    }
    let mut inner = Section::new("");
    inner.table(&table);
    section.details("All speakers", &inner);
    Ok(section)
}

/// Mean recall of every speaker, sorted.
pub(super) fn chart(evidence: &Evidence) -> Result<Chart, ReportError> {
    let people = sorted(evidence);
    let values = people
        .iter()
        .map(|person| Some(person.unweighted_accuracy))
        .collect();
    let series = Series::new("", Ink::Accent, values);
    let mut bars = Bars::new(
        people.iter().map(|person| person.speaker.clone()).collect(),
        vec![series],
        Axis::percent("mean recall", 0.0..1.0),
    );
    bars.inks = people
        .iter()
        .map(|person| corpus_of(person).map_or(Ink::Accent, palette::corpus))
        .collect();
    bars.unnamed = true;
    bars.legend = Corpus::ALL
        .into_iter()
        .filter(|corpus| {
            people
                .iter()
                .any(|person| corpus_of(person) == Some(*corpus))
        })
        .map(|corpus| (corpus.name().to_owned(), palette::corpus(corpus)))
        .collect();
    let chance = evidence.chance();
    bars.level = Some((chance, "guessing".into()));
    Ok(bars.draw(Size::WIDE)?)
}
