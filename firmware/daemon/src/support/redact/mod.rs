//! Taking secrets out, in three ways that do not depend on each other.
//!
//! 1. A configuration is written anew from its fields that are documented and not secret (`configuration`). Comments, unknown
//!    fields, values of an unexpected kind: all that is gone. One that is no TOML is left out as a whole.
//! 2. Every value that was gone in the first step is also taken out of every other text, as it stands or encoded (`known`):
//!    escaped as in JSON, percent-encoded, in base64, in hexadecimal.
//! 3. What looks like a secret is taken out anywhere (`patterns`): keys in PEM, `password=...`, `//user:password@host`, hashes
//!    of passwords, tokens.
//!
//! What is TOML or JSON is redacted value by value and stays so (`scrubber`). What nobody could read any more would be of no
//! use either: which values are too short or too common to be searched for is decided in one place (`known`).

mod configuration;
mod encoded;
mod known;
mod names;
mod patterns;
mod scrubber;
#[cfg(test)]
mod tests;

pub(super) use self::configuration::{Redacted, configuration};
pub(super) use self::names::environment;
pub(super) use self::scrubber::Scrubber;

/// What stands where a secret was.
pub(super) const GONE: &str = "(redacted)";
