//! Voice activity: is somebody speaking?

mod earshot;

pub use self::earshot::EarshotVad;

/// A detector of one channel. It takes hops of a fixed length, one after the other.
pub trait Vad: Send {
    /// The sample rate that it works at, in Hz.
    fn sample_rate(&self) -> u32;
    /// Samples per hop.
    fn hop_length(&self) -> usize;
    /// The probability (0 to 1) that this hop of [`hop_length`](Vad::hop_length) samples is speech.
    fn probability(&mut self, hop: &[f32]) -> f32;
    /// Forgets what it heard: the next hop does not follow the last one.
    fn reset(&mut self);
}
