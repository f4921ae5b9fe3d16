//! The trail as its callers and its readers see it.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod chain;
mod delivery;
mod lookup;
mod retention;
mod support;
mod verification;
