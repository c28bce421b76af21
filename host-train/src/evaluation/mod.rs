//! How good a classifier is: figures from probabilities and true classes, and the evaluation of a model file.

pub mod metrics;
pub mod model;
