//! Learning rate over a run.

use serde::{Deserialize, Serialize};

/// How the learning rate moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// One cycle (Smith & Topin 2018): a cosine rise over the first 30 %, then a cosine fall to 1/1000.
    OneCycle,
    /// Constant, multiplied by 0.4 after two epochs without a better validation score (Keras's
    /// `ReduceLROnPlateau` as the field's notebooks use it).
    Plateau,
}

impl Schedule {
    /// Whether epoch `number` (from 0) of a run of `epochs` may be the one that is kept. Of a one-cycle run the last quarter may: before
    /// that the rate is high and scores of few validation speakers scatter by several points, so that the best of
    /// them all would be a lucky one that is not learnt to its end.
    #[must_use]
    pub fn settled(self, number: usize, epochs: usize) -> bool {
        match self {
            Self::OneCycle => number + (epochs / 4).max(1) >= epochs,
            Self::Plateau => true,
        }
    }
}

/// Share of a one-cycle run in which the rate rises.
const RISE: f64 = 0.3;
/// First and last rate of a cycle, as a share of the peak.
const START: f64 = 1.0 / 25.0;
const END: f64 = 1.0 / 1000.0;

/// Rate of a one-cycle schedule at `progress` (0 to 1) of the run, for a peak of 1.
#[must_use]
pub fn one_cycle(progress: f64) -> f64 {
    let cosine = |from: f64, to: f64, x: f64| {
        to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * x.clamp(0.0, 1.0)).cos())
    };
    if progress < RISE {
        cosine(START, 1.0, progress / RISE)
    } else {
        cosine(1.0, END, (progress - RISE) / (1.0 - RISE))
    }
}

/// State of [`Schedule::Plateau`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    best: f64,
    stale: usize,
    /// Share of the initial rate that is in force.
    pub factor: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            best: f64::NEG_INFINITY,
            stale: 0,
            factor: 1.0,
        }
    }
}

impl Plateau {
    /// Epochs without improvement before the rate falls.
    const PATIENCE: usize = 2;
    /// What the rate is multiplied by.
    const FACTOR: f64 = 0.4;
    /// Least share of the initial rate.
    const FLOOR: f64 = 1e-4;

    /// Takes an epoch's validation score, higher being better.
    pub fn record(&mut self, score: f64) {
        if score > self.best {
            self.best = score;
            self.stale = 0;
            return;
        }
        self.stale += 1;
        if self.stale >= Self::PATIENCE {
            self.stale = 0;
            self.factor = (self.factor * Self::FACTOR).max(Self::FLOOR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_quarter_of_a_cycle_may_be_kept_and_always_its_last_epoch() {
        let first = |schedule: Schedule, epochs: usize| {
            (0..epochs).position(|number| schedule.settled(number, epochs))
        };
        let cycles = [(1, 0), (3, 2), (8, 6), (40, 30)];
        for (epochs, settled) in cycles {
            assert_eq!(first(Schedule::OneCycle, epochs), Some(settled), "{epochs}");
            assert_eq!(first(Schedule::Plateau, epochs), Some(0), "{epochs}");
        }
    }

    #[test]
    fn one_cycle_rises_to_its_peak_at_30_percent_and_falls_to_a_thousandth() {
        assert!((one_cycle(0.0) - 0.04).abs() < 1e-9);
        assert!((one_cycle(0.3) - 1.0).abs() < 1e-9);
        assert!((one_cycle(1.0) - 0.001).abs() < 1e-9);
        assert!(one_cycle(0.1) < one_cycle(0.2) && one_cycle(0.5) > one_cycle(0.6));
    }

    #[test]
    fn a_plateau_lowers_the_rate_only_after_two_epochs_without_a_better_score() {
        let mut plateau = Plateau::default();
        for (score, factor) in [
            (0.5, 1.0),
            (0.6, 1.0),
            (0.6, 1.0),
            (0.59, 0.4),
            (0.58, 0.4),
            (0.61, 0.4),
        ] {
            plateau.record(score);
            assert!((plateau.factor - factor).abs() < 1e-9, "{score}");
        }
    }
}
