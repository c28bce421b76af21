//! One utterance of two speakers.
//!
//! A network that hears a small corpus often enough knows its speakers, and with them its clips, by heart. A clip
//! whose one part is replaced by that of another speaker, who says something in the same way, has the same label and is
//! nobody's: unlike mixing (Zhang et al. 2018) it asks for nothing between two classes, and every moment of it is real speech.

use rand::{Rng, RngExt};

use crate::features::ClipFeatures;

/// Where clips are cut, as a share of their length.
const CUT: std::ops::Range<f32> = 0.25..0.75;

/// The beginning of `clip` and the end of `mate`, both cut at the same share of their length; in every second case the end first.
/// Gives the cut, too. Both have a frame at least and the same rows.
pub(in crate::training) fn splice(
    clip: &ClipFeatures,
    mate: &ClipFeatures,
    rng: &mut impl Rng,
) -> (ClipFeatures, Cut) {
    let cut = Cut {
        at: rng.random_range(CUT),
        first: rng.random(),
    };
    (cut.join(clip, mate), cut)
}

/// Where two clips are cut, and whose part comes first.
#[derive(Clone, Copy, Debug)]
pub(in crate::training) struct Cut {
    at: f32,
    first: bool,
}

impl Cut {
    /// The parts of `clip` and `mate`; also of what goes along with both of them at another rate.
    pub(in crate::training) fn join(
        self,
        clip: &ClipFeatures,
        mate: &ClipFeatures,
    ) -> ClipFeatures {
        let place = |clip: &ClipFeatures| (clip.frames() as f32 * self.at) as usize * clip.rows;
        let start = &clip.values[..place(clip).max(clip.rows)];
        let end = &mate.values[place(mate)..];
        let values = if self.first {
            [start, end].concat()
        } else {
            [end, start].concat()
        };
        ClipFeatures {
            rows: clip.rows,
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn clip(first: f32, frames: usize) -> ClipFeatures {
        ClipFeatures {
            rows: 2,
            values: (0..2 * frames).map(|i| first + (i / 2) as f32).collect(),
        }
    }

    #[test]
    fn both_have_their_part_whole_and_in_either_order() {
        let (here, there) = (clip(0.0, 100), clip(1000.0, 60));
        let mut orders = [0, 0];
        for seed in 0..100 {
            let (spliced, _) = splice(&here, &there, &mut StdRng::seed_from_u64(seed));
            let frames: Vec<f32> = spliced.values.iter().step_by(2).copied().collect();
            let (own, strange): (Vec<f32>, Vec<f32>) = frames.iter().partition(|&&at| at < 1000.0);
            // The beginning of one and the end of the other, frame after frame.
            assert_eq!((own[0], strange[strange.len() - 1]), (0.0, 1059.0));
            assert_eq!(own[own.len() - 1], own.len() as f32 - 1.0);
            assert_eq!(strange[0], 1060.0 - strange.len() as f32);
            assert!((25..75).contains(&own.len()), "{}", own.len());
            assert!((15..=45).contains(&strange.len()), "{}", strange.len());
            assert_eq!(frames.len(), own.len() + strange.len());
            orders[usize::from(frames[0] >= 1000.0)] += 1;
        }
        assert!(orders.iter().all(|&times| times > 30), "{orders:?}");
    }

    #[test]
    fn what_goes_along_with_both_clips_is_cut_at_the_same_place_and_in_the_same_order() {
        for seed in 0..20 {
            let mut rng = StdRng::seed_from_u64(seed);
            let (spliced, cut) = splice(&clip(0.0, 160), &clip(1000.0, 80), &mut rng);
            let along = cut.join(&clip(0.0, 20), &clip(1000.0, 10));
            assert!(along.frames().abs_diff(spliced.frames() / 8) <= 1);
            let strange = |clip: &ClipFeatures, at: usize| clip.values[2 * at] >= 1000.0;
            assert_eq!(strange(&along, 0), strange(&spliced, 0), "{seed}");
            let ends = [along.frames() - 1, spliced.frames() - 1];
            assert_eq!(
                strange(&along, ends[0]),
                strange(&spliced, ends[1]),
                "{seed}"
            );
        }
    }

    #[test]
    fn clips_of_one_frame_give_a_clip() {
        let mut rng = StdRng::seed_from_u64(1);
        let (spliced, _) = splice(&clip(0.0, 1), &clip(9.0, 1), &mut rng);
        assert_eq!(spliced.frames(), 2);
    }
}
