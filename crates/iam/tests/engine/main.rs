//! The rules of the policy language and of evaluation, by subject.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod conditions;
mod explanations;
mod grammar;
mod layers;
mod patterns;
mod properties;
mod support;
mod variables;
mod warnings;
