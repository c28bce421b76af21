/// Why a part of a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A chart cannot be drawn.
    #[error("chart: {0}")]
    Chart(String),
    /// A picture cannot be stored.
    #[error("picture of {width} x {height} pixels: {reason}")]
    Picture {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// What the encoder says.
        reason: String,
    },
}
