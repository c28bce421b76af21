//! How good a classifier is.
//!
//! [`metrics`] makes figures of probabilities and true classes, [`speakers`] what they are worth over people, [`model`] runs a
//! model file by the code that runs on the box, [`test_side`] finds whom it never heard, and [`condition`] makes listening harder. [`protocol`] says what the
//! published comparisons ask for, [`plan`] which runs answer them, [`measure`] trains and scores those, [`leaky`] repeats what most
//! reports do. [`results`] keeps what was measured, [`spread`] takes it together, and [`table`] is the only way from there into a document.

pub mod condition;
pub mod date;
pub mod leaky;
pub mod measure;
pub mod metrics;
pub mod model;
pub mod plan;
pub mod protocol;
pub mod results;
pub mod speakers;
pub mod spread;
pub mod table;
pub mod test_side;
