//! Which channels of a source leave the capture thread.

use undertone_deployment::{Role, Subjects};

use super::{CaptureError, Pick};

/// Frames that are picked at once.
const BLOCK: usize = 512;

/// The channels of a source that are analysed. The others are dropped before the ring: nothing is computed from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    source_channels: usize,
    /// `None` takes every channel as it is.
    picked: Option<Box<[usize]>>,
    roles: Vec<Option<Subjects>>,
}

impl Selection {
    /// Every channel of a source.
    pub fn all(source_channels: usize) -> Self {
        let source_channels = source_channels.max(1);
        Selection {
            source_channels,
            picked: None,
            roles: vec![None; source_channels],
        }
    }

    /// What is picked of a source with so many channels.
    ///
    /// # Errors
    /// [`CaptureError::Channels`] for a channel that the source does not have, another number of roles than of channels,
    /// and where no channel belongs to those who are analysed.
    pub fn of(pick: &Pick, source_channels: usize) -> Result<Self, CaptureError> {
        let wanted: Vec<usize> = match &pick.channels {
            Some(channels) => channels.clone(),
            None => (0..source_channels).collect(),
        };
        let refuse = |reason: String| CaptureError::Channels {
            channels: source_channels,
            reason,
        };
        if let Some(channel) = wanted.iter().find(|channel| **channel >= source_channels) {
            return Err(refuse(format!(
                "source.pick names channel {channel}; count from 0"
            )));
        }
        if pick.roles.is_empty() {
            return Ok(Selection {
                source_channels,
                roles: vec![None; wanted.len()],
                picked: pick.channels.as_ref().map(|_| wanted.into()),
            });
        }
        if pick.roles.len() != wanted.len() {
            return Err(refuse(format!(
                "source.roles names {} roles for {} channels; give one for each",
                pick.roles.len(),
                wanted.len()
            )));
        }
        let analysed = |role: &Role| pick.subjects.is_some() && role.subjects() == pick.subjects;
        let kept: Vec<usize> = wanted
            .iter()
            .zip(&pick.roles)
            .filter_map(|(channel, role)| analysed(role).then_some(*channel))
            .collect();
        if kept.is_empty() {
            return Err(refuse(
                "source.roles gives no channel to deployment.subjects, so nothing would be analysed".into(),
            ));
        }
        Ok(Selection {
            source_channels,
            roles: vec![pick.subjects; kept.len()],
            picked: Some(kept.into()),
        })
    }

    /// How many channels are left of a source; `None` when that depends on how many it has.
    pub fn channels_kept(pick: &Pick) -> Option<usize> {
        let needed = pick.channels_needed()?;
        Self::of(pick, needed)
            .ok()
            .map(|selection| selection.channels())
    }

    /// Interleaved channels of the source.
    pub fn source_channels(&self) -> usize {
        self.source_channels
    }

    /// Interleaved channels that are left.
    pub fn channels(&self) -> usize {
        self.roles.len()
    }

    /// Who speaks on each channel that is left, where that is declared.
    pub fn roles(&self) -> &[Option<Subjects>] {
        &self.roles
    }

    /// Hands on what is left of whole interleaved frames, block by block, by way of `scratch`.
    pub(super) fn each_block<E>(
        &self,
        interleaved: &[f32],
        scratch: &mut [f32],
        mut hand_on: impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let width = self.source_channels;
        let Some(picked) = &self.picked else {
            return hand_on(&interleaved[..interleaved.len() - interleaved.len() % width]);
        };
        for block in interleaved.chunks(BLOCK * width) {
            let mut count = 0;
            for frame in block.chunks_exact(width) {
                for channel in picked {
                    scratch[count] = frame[*channel];
                    count += 1;
                }
            }
            hand_on(&scratch[..count])?;
        }
        Ok(())
    }

    /// Room for one block of what is left.
    pub(super) fn scratch(&self) -> Box<[f32]> {
        let frames = if self.picked.is_some() { BLOCK } else { 0 };
        vec![0.0; frames * self.channels()].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(selection: &Selection, interleaved: &[f32]) -> Vec<f32> {
        let (mut out, mut scratch) = (Vec::new(), selection.scratch());
        selection
            .each_block::<()>(interleaved, &mut scratch, |block| {
                out.extend_from_slice(block);
                Ok(())
            })
            .unwrap();
        out
    }

    fn roles(roles: &[Role], subjects: Subjects) -> Pick {
        Pick {
            channels: None,
            roles: roles.to_vec(),
            subjects: Some(subjects),
        }
    }

    #[test]
    fn channels_are_picked_in_the_order_that_was_asked_for() {
        let pick = Pick {
            channels: Some(vec![3, 0]),
            ..Pick::default()
        };
        let selection = Selection::of(&pick, 4).unwrap();
        assert_eq!((selection.channels(), selection.source_channels()), (2, 4));
        let frames: Vec<f32> = (0..4 * 1200).map(|n| n as f32).collect();
        let expected: Vec<f32> = (0..1200)
            .flat_map(|frame| [(frame * 4 + 3) as f32, (frame * 4) as f32])
            .collect();
        assert_eq!(picked(&selection, &frames), expected);
    }

    #[test]
    fn all_channels_pass_as_they_are_but_for_half_a_frame_at_the_end() {
        assert_eq!(picked(&Selection::all(2), &[1.0, 2.0, 3.0]), [1.0, 2.0]);
    }

    #[test]
    fn a_channel_whose_role_is_not_analysed_is_dropped() {
        let call = roles(
            &[Role::Of(Subjects::Employees), Role::Of(Subjects::Customers)],
            Subjects::Customers,
        );
        let selection = Selection::of(&call, 2).unwrap();
        assert_eq!(picked(&selection, &[1.0, 2.0, 3.0, 4.0]), [2.0, 4.0]);
        assert_eq!(selection.roles(), [Some(Subjects::Customers)]);
    }

    #[test]
    fn what_cannot_be_picked_is_refused_with_the_reason() {
        let message =
            |pick: &Pick, channels| Selection::of(pick, channels).unwrap_err().to_string();
        let pick = Pick {
            channels: Some(vec![0, 4]),
            ..Pick::default()
        };
        assert!(
            message(&pick, 4).contains("channel 4"),
            "{}",
            message(&pick, 4)
        );
        let one = roles(&[Role::Of(Subjects::Customers)], Subjects::Customers);
        assert!(message(&one, 2).contains("1 roles for 2 channels"));
        let none = roles(
            &[Role::Of(Subjects::Employees), Role::Nobody],
            Subjects::Customers,
        );
        assert!(message(&none, 2).contains("nothing would be analysed"));
    }
}
