//! What can be wrong with a configuration or with what is fed in.

/// Why a configuration or an input was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EventsError {
    /// A value lies outside its range.
    #[error("{field} is {value}, but must lie between {low} and {high}")]
    Range {
        /// The configuration field, with its section, as it is written in the file.
        field: &'static str,
        /// The value that was refused.
        value: f32,
        /// The smallest allowed value.
        low: f32,
        /// The largest allowed value.
        high: f32,
    },
    /// The distribution has another number of scores than there are labels.
    #[error("a distribution of {given} scores was given, but there are {labels} labels")]
    ScoreCount {
        /// How many scores were given.
        given: usize,
        /// How many labels the tracker was made for.
        labels: usize,
    },
    /// A score is not a probability.
    #[error("score {index} is {value}, which is not a probability between 0 and 1")]
    NotAProbability {
        /// The index of the label.
        index: usize,
        /// The value that was refused.
        value: f32,
    },
}

/// Refuses a value outside `low..=high`, and NaN.
pub(crate) fn in_range(
    field: &'static str,
    value: f32,
    low: f32,
    high: f32,
) -> Result<(), EventsError> {
    if value >= low && value <= high {
        Ok(())
    } else {
        Err(EventsError::Range {
            field,
            value,
            low,
            high,
        })
    }
}
