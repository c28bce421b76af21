//! The networks that can be trained.
//!
//! [`streaming`] is what ships: an encoder that is causal in time, pooling by running statistics
//! and a small head. [`classic`] is the one-dimensional network that most public notebooks use,
//! kept for comparison.

pub mod streaming;
