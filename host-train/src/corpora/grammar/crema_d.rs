//! CREMA-D: `1001_DFA_ANG_XX` (Cao et al. 2014): actor, sentence, *intended* emotion, level.
//!
//! The release spells one level short (`1040_ITH_SAD_X`); it is read as `XX`, unspecified.

use super::{Parsed, Reading};
use crate::corpora::clip::{Intensity, Spoken};
use crate::corpora::labels::Emotion;

/// The twelve sentences; IEO is the one that was acted at three levels.
const SENTENCES: [&str; 12] = [
    "DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI",
];

pub(super) fn read(stem: &str) -> Reading {
    let parts: Vec<&str> = stem.split('_').collect();
    let [actor, sentence, emotion, level] = parts[..] else {
        return Reading::Foreign;
    };
    let codes_alphabetic = [sentence, emotion]
        .iter()
        .all(|code| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphabetic()));
    if actor.len() != 4 || !actor.bytes().all(|b| b.is_ascii_digit()) || !codes_alphabetic {
        return Reading::Foreign;
    }
    if !actor
        .parse::<u16>()
        .is_ok_and(|number| (1001..=1091).contains(&number))
    {
        return Reading::Wrong(format!("actor {actor} is not 1001 to 1091"));
    }
    if !SENTENCES.contains(&sentence) {
        return Reading::Wrong(format!("sentence {sentence} is none of the twelve"));
    }
    let emotion_code = emotion;
    let emotion = match emotion_code {
        "NEU" => Emotion::Neutral,
        "HAP" => Emotion::Happy,
        "SAD" => Emotion::Sad,
        "ANG" => Emotion::Angry,
        "FEA" => Emotion::Fear,
        "DIS" => Emotion::Disgust,
        _ => {
            return Reading::Wrong(format!(
                "emotion {emotion_code} is not ANG, DIS, FEA, HAP, NEU or SAD"
            ));
        }
    };
    let (level, intensity) = match level {
        "LO" => ("LO", Some(Intensity::Low)),
        "MD" => ("MD", Some(Intensity::Medium)),
        "HI" => ("HI", Some(Intensity::High)),
        "XX" | "X" => ("XX", None),
        _ => return Reading::Wrong(format!("level {level} is not LO, MD, HI or XX")),
    };
    Reading::Clip(Parsed {
        id: format!("{actor}_{sentence}_{emotion_code}_{level}"),
        speaker: actor.to_owned(),
        emotion,
        spoken: Spoken::Code(sentence.to_owned()),
        intensity,
        sex: None,
        age: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(stem: &str) -> Parsed {
        match read(stem) {
            Reading::Clip(parsed) => parsed,
            other => panic!("{stem}: {other:?}"),
        }
    }

    #[test]
    fn every_field_is_read() {
        let parsed = clip("1091_IEO_FEA_HI");
        assert_eq!(parsed.speaker, "1091");
        assert_eq!(parsed.spoken, Spoken::Code("IEO".into()));
        assert_eq!(parsed.emotion, Emotion::Fear);
        assert_eq!(parsed.intensity, Some(Intensity::High));
        assert_eq!(clip("1001_DFA_ANG_XX").intensity, None);
    }

    #[test]
    fn the_six_codes_are_the_published_emotions() {
        for (code, emotion) in [
            ("NEU", Emotion::Neutral),
            ("HAP", Emotion::Happy),
            ("SAD", Emotion::Sad),
            ("ANG", Emotion::Angry),
            ("FEA", Emotion::Fear),
            ("DIS", Emotion::Disgust),
        ] {
            assert_eq!(clip(&format!("1001_DFA_{code}_XX")).emotion, emotion);
        }
    }

    #[test]
    fn the_level_that_the_release_spells_short_is_unspecified() {
        let parsed = clip("1040_ITH_SAD_X");
        assert_eq!(parsed.id, "1040_ITH_SAD_XX");
        assert_eq!(parsed.intensity, None);
    }

    #[test]
    fn wrong_values_are_refused() {
        for stem in [
            "1000_DFA_ANG_XX",
            "1092_DFA_ANG_XX",
            "1001_ABC_ANG_XX",
            "1001_DFA_SUR_XX",
            "1001_DFA_ang_XX",
            "1001_DFA_ANG_XXX",
            "1001_DFA_ANG_",
        ] {
            assert!(matches!(read(stem), Reading::Wrong(_)), "{stem}");
        }
    }

    #[test]
    fn other_shapes_are_foreign() {
        for stem in [
            "1001_DFA_ANG",
            "1001_DFA_ANG_XX_2",
            "101_DFA_ANG_XX",
            "2024_05_01_12",
            "abcd_DFA_ANG_XX",
        ] {
            assert_eq!(read(stem), Reading::Foreign, "{stem}");
        }
    }
}
