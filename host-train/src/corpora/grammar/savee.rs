//! SAVEE: `DC_a01`, or `a01` in the folder `DC` (Haq & Jackson 2010): four male speakers, an emotion of one or two
//! letters, and a sentence of 15 per emotion, 30 when neutral.

use super::{Parsed, Reading};
use crate::corpora::clip::{Sex, Spoken};
use crate::corpora::labels::Emotion;

pub(super) fn read(stem: &str, folder: Option<&str>) -> Reading {
    let of_folder = folder.and_then(speaker);
    let (speaker, code) = match stem.split_once('_') {
        Some((prefix, code)) => match (speaker(prefix), of_folder) {
            (Some(named), Some(other)) if named != other => {
                return Reading::Wrong(format!("the name says {named}, its folder {other}"));
            }
            (Some(named), _) => (named, code),
            (None, _) => return Reading::Foreign,
        },
        None => match (of_folder, sentence(stem)) {
            (Some(speaker), _) => (speaker, stem),
            (None, Ok(_)) => {
                return Reading::Wrong(
                    "a SAVEE name without its speaker must lie in the folder DC, JE, JK or KL"
                        .into(),
                );
            }
            (None, Err(_)) => return Reading::Foreign,
        },
    };
    match sentence(code) {
        Ok((emotion, number)) => Reading::Clip(Parsed {
            id: format!("{speaker}_{code}"),
            speaker: speaker.to_owned(),
            emotion,
            spoken: Spoken::Sentence(number),
            intensity: None,
            sex: Some(Sex::Male),
            age: None,
        }),
        Err(reason) => Reading::Wrong(reason),
    }
}

fn speaker(text: &str) -> Option<&'static str> {
    ["DC", "JE", "JK", "KL"]
        .into_iter()
        .find(|&known| known == text)
}

/// `sa07` -> sad, 7. The letters are taken whole, so that `sa` and `su` are never read as `s`.
fn sentence(code: &str) -> Result<(Emotion, u8), String> {
    let digits = code
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(code.len());
    let (letters, number) = code.split_at(digits);
    let (emotion, sentences) = match letters {
        "n" => (Emotion::Neutral, 30),
        "h" => (Emotion::Happy, 15),
        "sa" => (Emotion::Sad, 15),
        "a" => (Emotion::Angry, 15),
        "f" => (Emotion::Fear, 15),
        "d" => (Emotion::Disgust, 15),
        "su" => (Emotion::Surprise, 15),
        _ => {
            return Err(format!(
                "emotion `{letters}` is not a, d, f, h, n, sa or su"
            ));
        }
    };
    let number = match number.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => number.parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (1..=sentences).contains(number))
        .map(|number| (emotion, number))
        .ok_or_else(|| format!("sentence of `{code}` is not 01 to {sentences}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_give_the_same_clip() {
        let flat = read("JK_su09", Some("AudioData"));
        assert_eq!(flat, read("su09", Some("JK")));
        assert_eq!(flat, read("JK_su09", Some("JK")));
        match flat {
            Reading::Clip(parsed) => {
                assert_eq!(parsed.id, "JK_su09");
                assert_eq!(parsed.speaker, "JK");
                assert_eq!(parsed.emotion, Emotion::Surprise);
                assert_eq!(parsed.spoken, Spoken::Sentence(9));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_code_is_the_published_emotion() {
        for (code, emotion) in [
            ("n30", Emotion::Neutral),
            ("h15", Emotion::Happy),
            ("sa01", Emotion::Sad),
            ("a01", Emotion::Angry),
            ("f01", Emotion::Fear),
            ("d01", Emotion::Disgust),
            ("su01", Emotion::Surprise),
        ] {
            assert_eq!(sentence(code).unwrap().0, emotion, "{code}");
        }
    }

    #[test]
    fn wrong_names_are_refused() {
        for stem in [
            "DC_s01", "DC_sad01", "DC_a16", "DC_n31", "DC_a00", "DC_a1", "DC_a001", "DC_01",
            "DC_a", "DC_", "DC_A01", "DC_aé",
        ] {
            assert!(matches!(read(stem, None), Reading::Wrong(_)), "{stem}");
        }
        assert!(matches!(read("a01", Some("Music")), Reading::Wrong(_)));
        assert!(matches!(read("notes", Some("DC")), Reading::Wrong(_)));
        assert!(matches!(read("DC_a01", Some("JE")), Reading::Wrong(_)));
    }

    #[test]
    fn unknown_speakers_are_foreign() {
        assert_eq!(read("DX_a01", None), Reading::Foreign);
        assert_eq!(read("notes", None), Reading::Foreign);
    }
}
