//! TESS: `OAF_<word>_<emotion>` (Pichora-Fuller & Dupuis 2020). OAF is the older actress, 64, YAF the younger, 26.
//!
//! The release's folders are spelt unevenly (`OAF_Fear`, `YAF_pleasant_surprised`), so a folder is only held against
//! its file where it can be read. One file is misspelt: `OA_bite_neutral`.

use super::{Parsed, Reading};
use crate::corpora::clip::{Sex, Spoken};
use crate::corpora::labels::Emotion;

const MISSPELT: &str = "OA_bite_neutral";

pub(super) fn read(stem: &str, folder: Option<&str>) -> Reading {
    let Some((prefix, rest)) = stem.split_once('_') else {
        return Reading::Foreign;
    };
    let (speaker, age) = match prefix {
        "OAF" => ("OAF", 64),
        "YAF" => ("YAF", 26),
        "OA" if stem == MISSPELT => ("OAF", 64),
        "OA" => {
            return Reading::Wrong(format!(
                "speaker OA is only known from the misspelt {MISSPELT}"
            ));
        }
        _ => return Reading::Foreign,
    };
    let Some((word, tail)) = rest.split_once('_') else {
        return Reading::Wrong("has no emotion after the word".into());
    };
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return Reading::Wrong(format!("`{word}` is not a word in lower-case letters"));
    }
    let emotion = match tail {
        "neutral" => Emotion::Neutral,
        "happy" => Emotion::Happy,
        "sad" => Emotion::Sad,
        "angry" => Emotion::Angry,
        "fear" => Emotion::Fear,
        "disgust" => Emotion::Disgust,
        "ps" => Emotion::Surprise,
        _ => {
            return Reading::Wrong(format!(
                "emotion `{tail}` is not angry, disgust, fear, happy, neutral, ps or sad"
            ));
        }
    };
    if let Some((of_folder, folder_emotion)) = folder.and_then(read_folder)
        && (of_folder != speaker || folder_emotion != emotion)
    {
        return Reading::Wrong(format!(
            "the name says {speaker} {emotion}, its folder {of_folder} {folder_emotion}"
        ));
    }
    Reading::Clip(Parsed {
        id: stem.to_owned(),
        speaker: speaker.to_owned(),
        emotion,
        spoken: Spoken::Word(word.to_owned()),
        intensity: None,
        sex: Some(Sex::Female),
        age: Some(age),
    })
}

/// `OAF_Pleasant_surprise` -> OAF, surprise.
fn read_folder(folder: &str) -> Option<(&'static str, Emotion)> {
    let lower = folder.to_ascii_lowercase();
    let (prefix, emotion) = lower.split_once('_')?;
    let speaker = match prefix {
        "oaf" => "OAF",
        "yaf" => "YAF",
        _ => return None,
    };
    let emotion = match emotion {
        "neutral" => Emotion::Neutral,
        "happy" => Emotion::Happy,
        "sad" => Emotion::Sad,
        "angry" => Emotion::Angry,
        "fear" => Emotion::Fear,
        "disgust" => Emotion::Disgust,
        "pleasant_surprise" | "pleasant_surprised" | "ps" => Emotion::Surprise,
        _ => return None,
    };
    Some((speaker, emotion))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaker_word_and_emotion_are_read() {
        for (stem, folder, speaker, age, emotion) in [
            ("OAF_back_fear", "OAF_Fear", "OAF", 64, Emotion::Fear),
            (
                "OAF_food_ps",
                "OAF_Pleasant_surprise",
                "OAF",
                64,
                Emotion::Surprise,
            ),
            (
                "YAF_youth_ps",
                "YAF_pleasant_surprised",
                "YAF",
                26,
                Emotion::Surprise,
            ),
            ("YAF_dog_disgust", "flat", "YAF", 26, Emotion::Disgust),
            (
                "OA_bite_neutral",
                "OAF_neutral",
                "OAF",
                64,
                Emotion::Neutral,
            ),
        ] {
            match read(stem, Some(folder)) {
                Reading::Clip(parsed) => {
                    assert_eq!(parsed.id, stem);
                    assert_eq!(parsed.speaker, speaker);
                    assert_eq!(parsed.age, Some(age));
                    assert_eq!(parsed.emotion, emotion);
                    assert_eq!(
                        parsed.spoken,
                        Spoken::Word(stem.split('_').nth(1).unwrap().into())
                    );
                }
                other => panic!("{stem}: {other:?}"),
            }
        }
    }

    #[test]
    fn wrong_names_are_refused() {
        for stem in [
            "OAF_back",
            "OAF__fear",
            "OAF_back_joy",
            "OAF_back_pleasant_surprise",
            "OAF_back_fear_2",
            "OAF_Back_fear",
            "OA_back_neutral",
            "YAF_",
        ] {
            assert!(matches!(read(stem, None), Reading::Wrong(_)), "{stem}");
        }
        assert_eq!(read("MAF_back_fear", None), Reading::Foreign);
    }

    #[test]
    fn a_file_in_another_emotions_or_speakers_folder_is_wrong() {
        for folder in ["OAF_Sad", "YAF_fear"] {
            assert!(
                matches!(read("OAF_back_fear", Some(folder)), Reading::Wrong(_)),
                "{folder}"
            );
        }
        assert!(matches!(
            read("OAF_back_fear", Some("OAF_misc")),
            Reading::Clip(_)
        ));
    }
}
