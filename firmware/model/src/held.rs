//! The beginning of an utterance, held back until it is known how loud it is.

use undertone_dsp::{Depths, Floor};

use crate::error::ModelError;

/// Puts a [`Floor`] under the frames of one utterance, as [`Floor::raise_all`] does for a whole one.
#[derive(Debug)]
pub(crate) struct Held {
    depths: Depths,
    rows: usize,
    /// Values that are held back at most.
    most: usize,
    /// Frames held back, one after the other; afterwards room for one.
    frames: Vec<f32>,
    loudest: f32,
    holding: bool,
}

impl Held {
    /// `floor` has been checked.
    pub(crate) fn new(floor: Floor, rows: usize) -> Self {
        let most = floor.hold * rows;
        Self {
            depths: floor.depths(rows),
            rows,
            most,
            frames: Vec::with_capacity(most),
            loudest: f32::NEG_INFINITY,
            holding: true,
        }
    }

    /// Whether there are frames that the network has not heard yet.
    pub(crate) fn is_holding(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Takes a frame and gives those that are ready to `take`.
    pub(crate) fn push(
        &mut self,
        frame: &[f32],
        take: impl FnMut(&[f32]) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        if self.holding {
            self.loudest = self.depths.louder(self.loudest, frame);
        } else {
            self.loudest = self.depths.next(self.loudest, frame);
        }
        self.frames.extend_from_slice(frame);
        if self.holding && self.frames.len() < self.most {
            return Ok(());
        }
        self.holding = false;
        let outcome = self.give(take);
        self.frames.clear();
        outcome
    }

    /// Gives what is held back as if the utterance ended here, and goes on holding it back: raised once more later, when it is known to
    /// have been louder, a frame is what it would have been.
    pub(crate) fn give(
        &mut self,
        mut take: impl FnMut(&[f32]) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let mut outcome = Ok(());
        for frame in self.frames.chunks_exact_mut(self.rows) {
            self.depths.raise(frame, self.loudest);
            outcome = outcome.and(take(frame));
        }
        outcome
    }

    /// Forgets the utterance.
    pub(crate) fn reset(&mut self) {
        self.frames.clear();
        self.loudest = f32::NEG_INFINITY;
        self.holding = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Floor = Floor {
        low_db: 20.0,
        high_db: 40.0,
        hold: 3,
        release_db: 0.5,
    };

    fn utterance() -> Vec<f32> {
        let levels = [-90.0, -80.0, -10.0, -60.0, 5.0, -100.0, -3.0];
        levels
            .iter()
            .flat_map(|level| [*level, level - 50.0])
            .collect()
    }

    fn pushed(held: &mut Held, frames: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        for frame in frames.chunks_exact(2) {
            held.push(frame, |frame| {
                out.extend_from_slice(frame);
                Ok(())
            })
            .unwrap();
        }
        out
    }

    #[test]
    fn frames_one_by_one_are_raised_as_a_whole_utterance_is_and_again_after_a_reset() {
        let mut expected = utterance();
        FLOOR.raise_all(&mut expected, 2);
        let mut held = Held::new(FLOOR, 2);
        for _ in 0..2 {
            let (first, rest) = (&utterance()[..4], &utterance()[4..]);
            assert_eq!(
                pushed(&mut held, first),
                [0.0; 0],
                "the beginning is not held back"
            );
            assert!(held.is_holding());
            assert_eq!(pushed(&mut held, rest), expected);
            assert!(!held.is_holding());
            held.reset();
        }
    }

    #[test]
    fn what_is_held_back_can_be_had_before_and_is_held_back_all_the_same() {
        let mut whole = utterance();
        FLOOR.raise_all(&mut whole, 2);
        let mut start = utterance()[..4].to_vec();
        FLOOR.raise_all(&mut start, 2);
        let mut held = Held::new(FLOOR, 2);
        pushed(&mut held, &utterance()[..4]);
        for _ in 0..2 {
            let mut found = Vec::new();
            held.give(|frame| {
                found.extend_from_slice(frame);
                Ok(())
            })
            .unwrap();
            assert_eq!(found, start);
        }
        assert_eq!(pushed(&mut held, &utterance()[4..]), whole);
    }

    #[test]
    fn room_for_the_held_frames_is_made_once() {
        let mut held = Held::new(FLOOR, 2);
        let room = held.frames.capacity();
        for _ in 0..3 {
            pushed(&mut held, &utterance());
            held.reset();
        }
        assert_eq!(held.frames.capacity(), room);
    }
}
