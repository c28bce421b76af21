/// What a file may ask for. The defaults suit recordings of speech on a machine of 4 GB.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Longest sound in seconds; default one hour. `f64::INFINITY` takes any length, for a [`Reader`](crate::Reader)
    /// that runs for days.
    pub max_seconds: f64,
    /// Most channels; default 16.
    pub max_channels: usize,
    /// Most bytes that [`read_file`](crate::read_file) may return; default 1 GiB. A `Reader` never holds more than a block.
    pub max_bytes: usize,
    /// Whether a file that ends before its header said is taken as it is; default no.
    pub accept_truncated: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_seconds: 3_600.0,
            max_channels: 16,
            max_bytes: 1 << 30,
            accept_truncated: false,
        }
    }
}
