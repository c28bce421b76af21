/// Why a front end or a resampler cannot be built. Nothing fails once it is built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DspError {
    /// A field of the configuration is outside its range.
    #[error("front end: {field} is {value}; it must be {allowed}")]
    OutOfRange {
        /// Name of the field in [`FrontendConfig`](crate::FrontendConfig).
        field: &'static str,
        /// What the field holds.
        value: f64,
        /// The range it must lie in, in words.
        allowed: String,
    },
    /// A mel filter is so narrow that it lies between two FFT bins and would be silent forever.
    #[error(
        "front end: mel band {band} ({low_hz:.1} to {high_hz:.1} Hz) holds no FFT bin, bins are {bin_hz:.2} Hz apart; \
         take fewer mel_bands or a larger fft_size"
    )]
    EmptyMelBand {
        /// Index of the band, from 0.
        band: usize,
        /// Lower edge of the band.
        low_hz: f64,
        /// Upper edge of the band.
        high_hz: f64,
        /// Distance between two FFT bins.
        bin_hz: f64,
    },
    /// A sample rate that the resampler does not take.
    #[error("resampler: cannot convert {from_hz} Hz to {to_hz} Hz; both rates must be {allowed}")]
    UnsupportedRate {
        /// Rate of the input.
        from_hz: u32,
        /// Rate of the output.
        to_hz: u32,
        /// The range both must lie in, in words.
        allowed: String,
    },
    /// Two sample rates with so small a common factor that the filter between them would be huge.
    #[error(
        "resampler: {from_hz} Hz and {to_hz} Hz have too little in common, a block of both is {block} samples, more than \
         {limit}; convert the sound to a common rate first, such as 48000 Hz"
    )]
    IncommensurableRates {
        /// Rate of the input.
        from_hz: u32,
        /// Rate of the output.
        to_hz: u32,
        /// Samples of the shortest block at the faster rate.
        block: usize,
        /// The most that it may have.
        limit: usize,
    },
}
