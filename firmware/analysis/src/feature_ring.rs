//! The last feature frames of a channel, so that a model hears an utterance from before its onset was noticed.

/// A ring of frames of equal length; frames are numbered from 0 since construction or [`FeatureRing::clear`].
pub struct FeatureRing {
    values: Box<[f32]>,
    rows: usize,
    capacity: u64,
    next: u64,
}

impl FeatureRing {
    /// Room for `capacity` frames of `rows` values; both at least 1.
    pub fn new(capacity: usize, rows: usize) -> Self {
        let (capacity, rows) = (capacity.max(1), rows.max(1));
        FeatureRing {
            values: vec![0.0; capacity * rows].into(),
            rows,
            capacity: capacity as u64,
            next: 0,
        }
    }

    /// The number of the frame that is pushed next.
    pub fn next_index(&self) -> u64 {
        self.next
    }

    /// The number of the oldest frame that is still held.
    pub fn oldest_index(&self) -> u64 {
        self.next.saturating_sub(self.capacity)
    }

    /// Appends a frame, in place of the oldest one; `fill` writes its values.
    pub fn push(&mut self, fill: impl FnOnce(&mut [f32])) {
        let at = self.offset(self.next);
        fill(&mut self.values[at..at + self.rows]);
        self.next += 1;
    }

    /// The frame with this number, if it is held.
    pub fn get(&self, index: u64) -> Option<&[f32]> {
        let held = (self.oldest_index()..self.next).contains(&index);
        let at = self.offset(index);
        held.then(|| &self.values[at..at + self.rows])
    }

    /// Forgets all frames; the next one is number 0.
    pub fn clear(&mut self) {
        self.next = 0;
    }

    fn offset(&self, index: u64) -> usize {
        (index % self.capacity) as usize * self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_frames_are_held_under_their_numbers_and_no_others() {
        let mut ring = FeatureRing::new(3, 2);
        assert_eq!(ring.get(0), None);
        for n in 0..5u8 {
            ring.push(|frame| frame.fill(f32::from(n)));
        }
        assert_eq!((ring.oldest_index(), ring.next_index()), (2, 5));
        assert_eq!(ring.get(1), None);
        assert_eq!(ring.get(2), Some([2.0, 2.0].as_slice()));
        assert_eq!(ring.get(4), Some([4.0, 4.0].as_slice()));
        assert_eq!(ring.get(5), None);
        ring.clear();
        assert_eq!((ring.get(4), ring.next_index()), (None, 0));
    }
}
