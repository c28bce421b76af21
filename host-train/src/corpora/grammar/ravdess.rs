//! RAVDESS: `MM-VC-EE-II-SS-RR-AA` (Livingstone & Russo 2018): modality, vocal channel, emotion, intensity,
//! statement, repetition, actor; two digits each. Actors with odd numbers are male.

use super::{Parsed, Reading};
use crate::corpora::clip::{Intensity, Sex, Spoken};
use crate::corpora::labels::Emotion;

const ACTORS: u8 = 24;
const FIELDS: usize = 7;

pub(super) fn read(stem: &str, folder: Option<&str>) -> Reading {
    let Some(
        [
            modality,
            channel,
            emotion,
            intensity,
            statement,
            repetition,
            actor,
        ],
    ) = fields(stem)
    else {
        return Reading::Foreign;
    };
    let wrong = |what: &str, value: u8, known: &str| {
        Reading::Wrong(format!("{what} {value:02} is not {known}"))
    };
    if modality != 3 {
        return wrong("modality", modality, "03 (audio only)");
    }
    if !(1..=2).contains(&channel) {
        return wrong("vocal channel", channel, "01 (speech) or 02 (song)");
    }
    let song = channel == 2;
    let emotion = match emotion {
        1 => Emotion::Neutral,
        2 => Emotion::Calm,
        3 => Emotion::Happy,
        4 => Emotion::Sad,
        5 => Emotion::Angry,
        6 => Emotion::Fear,
        7 if !song => Emotion::Disgust,
        8 if !song => Emotion::Surprise,
        _ if song => return wrong("emotion", emotion, "01 to 06, the emotions sung"),
        _ => return wrong("emotion", emotion, "01 to 08"),
    };
    let intensity = match intensity {
        1 => Intensity::Normal,
        2 if emotion == Emotion::Neutral => {
            return Reading::Wrong(
                "neutral has no strong intensity (02) in the published release".into(),
            );
        }
        2 => Intensity::Strong,
        _ => return wrong("intensity", intensity, "01 (normal) or 02 (strong)"),
    };
    if !(1..=2).contains(&statement) {
        return wrong("statement", statement, "01 or 02");
    }
    if !(1..=2).contains(&repetition) {
        return wrong("repetition", repetition, "01 or 02");
    }
    if !(1..=ACTORS).contains(&actor) {
        return wrong("actor", actor, "01 to 24");
    }
    if let Some(of_folder) = folder.and_then(actor_of_folder)
        && of_folder != actor
    {
        return Reading::Wrong(format!(
            "the name says actor {actor:02}, its folder actor {of_folder:02}"
        ));
    }
    if song {
        return Reading::Song;
    }
    Reading::Clip(Parsed {
        id: stem.to_owned(),
        speaker: format!("{actor:02}"),
        emotion,
        spoken: Spoken::Statement(statement),
        intensity: Some(intensity),
        sex: Some(if actor % 2 == 1 {
            Sex::Male
        } else {
            Sex::Female
        }),
        age: None,
    })
}

/// The seven fields, if every one is two digits.
fn fields(stem: &str) -> Option<[u8; FIELDS]> {
    let mut values = [0; FIELDS];
    let mut parts = stem.split('-');
    for value in &mut values {
        *value = two_digits(parts.next()?)?;
    }
    parts.next().is_none().then_some(values)
}

fn two_digits(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

/// `Actor_12` -> 12.
fn actor_of_folder(folder: &str) -> Option<u8> {
    let (word, number) = folder.split_once('_')?;
    word.eq_ignore_ascii_case("actor")
        .then(|| two_digits(number))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(stem: &str) -> Parsed {
        match read(stem, None) {
            Reading::Clip(parsed) => parsed,
            other => panic!("{stem}: {other:?}"),
        }
    }

    #[test]
    fn every_field_is_read() {
        let parsed = clip("03-01-06-02-02-01-11");
        assert_eq!(parsed.emotion, Emotion::Fear);
        assert_eq!(parsed.intensity, Some(Intensity::Strong));
        assert_eq!(parsed.spoken, Spoken::Statement(2));
        assert_eq!(parsed.speaker, "11");
        assert_eq!(parsed.sex, Some(Sex::Male));
        assert_eq!(clip("03-01-01-01-01-01-02").sex, Some(Sex::Female));
    }

    #[test]
    fn the_eight_codes_are_the_published_emotions() {
        for (code, emotion) in Emotion::ALL.into_iter().enumerate() {
            let stem = format!("03-01-{:02}-01-01-01-01", code + 1);
            assert_eq!(clip(&stem).emotion, emotion);
        }
    }

    #[test]
    fn songs_are_told_from_speech() {
        assert_eq!(read("03-02-06-02-01-01-11", None), Reading::Song);
        assert!(matches!(
            read("03-02-07-01-01-01-11", None),
            Reading::Wrong(_)
        ));
    }

    #[test]
    fn values_outside_the_release_are_wrong_and_named() {
        for (stem, named) in [
            ("01-01-05-01-01-01-01", "modality 01"),
            ("03-03-05-01-01-01-01", "vocal channel 03"),
            ("03-01-09-01-01-01-01", "emotion 09"),
            ("03-01-00-01-01-01-01", "emotion 00"),
            ("03-01-05-03-01-01-01", "intensity 03"),
            ("03-01-01-02-01-01-01", "neutral"),
            ("03-01-05-01-03-01-01", "statement 03"),
            ("03-01-05-01-01-03-01", "repetition 03"),
            ("03-01-05-01-01-01-25", "actor 25"),
            ("03-01-05-01-01-01-00", "actor 00"),
        ] {
            match read(stem, None) {
                Reading::Wrong(reason) => assert!(reason.contains(named), "{stem}: {reason}"),
                other => panic!("{stem}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_file_in_another_actors_folder_is_wrong() {
        let stem = "03-01-05-01-01-01-07";
        assert!(matches!(read(stem, Some("Actor_08")), Reading::Wrong(_)));
        assert!(matches!(read(stem, Some("actor_07")), Reading::Clip(_)));
        assert!(matches!(read(stem, Some("flat")), Reading::Clip(_)));
    }

    #[test]
    fn other_shapes_are_foreign() {
        for stem in [
            "03-01-05-01-01-01",
            "03-01-05-01-01-01-01-01",
            "3-1-5-1-1-1-1",
            "03-01-05-01-01-01-0x",
            "03_01_05_01_01_01_01",
            "03-01-05-01-01-01-٠١",
        ] {
            assert_eq!(read(stem, None), Reading::Foreign, "{stem}");
        }
    }
}
