//! What listeners chose.

use serde::Serialize;

use crate::corpora::labels::Emotion;

/// What listeners, hearing the voice alone, chose for one CREMA-D clip: the number of votes per emotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[allow(missing_docs)] // the names say it
pub struct Votes {
    pub neutral: u16,
    pub happy: u16,
    pub sad: u16,
    pub angry: u16,
    pub fear: u16,
    pub disgust: u16,
}

impl Votes {
    /// Votes for `emotion`; zero for the emotions that listeners could not choose.
    #[must_use]
    pub const fn of(&self, emotion: Emotion) -> u16 {
        match emotion {
            Emotion::Neutral => self.neutral,
            Emotion::Happy => self.happy,
            Emotion::Sad => self.sad,
            Emotion::Angry => self.angry,
            Emotion::Fear => self.fear,
            Emotion::Disgust => self.disgust,
            Emotion::Calm | Emotion::Surprise => 0,
        }
    }

    /// All votes.
    #[must_use]
    pub fn total(&self) -> u32 {
        Emotion::ALL.iter().map(|&e| u32::from(self.of(e))).sum()
    }

    /// The emotion with the most votes; `None` on a tie or without votes.
    #[must_use]
    pub fn majority(&self) -> Option<Emotion> {
        let most = Emotion::ALL.iter().map(|&e| self.of(e)).max()?;
        let mut winners = Emotion::ALL.into_iter().filter(|&e| self.of(e) == most);
        let winner = winners.next()?;
        (most > 0 && winners.next().is_none()).then_some(winner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_needs_more_votes_than_any_other_emotion() {
        let votes = Votes {
            sad: 4,
            neutral: 3,
            ..Votes::default()
        };
        assert_eq!(votes.majority(), Some(Emotion::Sad));
        assert_eq!(votes.total(), 7);
        let tie = Votes {
            sad: 4,
            fear: 4,
            ..Votes::default()
        };
        assert_eq!(tie.majority(), None);
        assert_eq!(Votes::default().majority(), None);
    }
}
