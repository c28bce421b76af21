//! The file of weights, little-endian, read from front to back.

const FILE: &[u8] = include_bytes!("weights.bin");

/// What has not been read yet; nothing when more was asked for than there is. Behind the end there are zeros.
pub(super) struct Reader(Option<&'static [u8]>);

impl Reader {
    pub(super) fn new() -> Self {
        Self(Some(FILE))
    }

    pub(super) fn floats<const COUNT: usize>(&mut self) -> [f32; COUNT] {
        std::array::from_fn(|_| f32::from_le_bytes(self.bytes()))
    }

    pub(super) fn integers<const COUNT: usize>(&mut self) -> [i16; COUNT] {
        std::array::from_fn(|_| i16::from_le_bytes(self.bytes()))
    }

    fn bytes<const COUNT: usize>(&mut self) -> [u8; COUNT] {
        let split = self.0.and_then(|left| left.split_first_chunk());
        self.0 = split.map(|(_, rest)| rest);
        split.map_or([0; COUNT], |(bytes, _)| *bytes)
    }

    /// Bytes that nobody has read.
    #[cfg(test)]
    pub(super) fn left(&self) -> Option<usize> {
        self.0.map(<[u8]>::len)
    }
}
