//! End-to-end tests through real parts.
