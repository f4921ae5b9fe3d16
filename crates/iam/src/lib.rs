//! IAM policies: read, check, evaluate and explain them.
//!
//! Nothing here does I/O, reads a clock or draws random bytes; the current time is a key of the [`Context`].
//!
//! 1. [`Policy::parse`] reads a document of one [`PolicyKind`], or says what is wrong with it and where. A policy is compiled
//!    by that: evaluation reads no text of it again. Keep it, as a [`NamedPolicy`], for as long as it is in force.
//! 2. [`evaluate`] decides a [`Request`] by the [`Policies`] in force: a [`Decision`] names the layer, the policy and the
//!    statement that decided, and has AWS's words for a denial.
//! 3. [`explain`] decides the same and gives an [`Explanation`]: every statement, what of it matched and what did not.
//!
//! Source: "Policies and permissions in IAM", "IAM JSON policy reference" and "Policy evaluation logic" in the IAM User
//! Guide.

mod condition;
mod context;
mod decision;
mod elements;
mod error;
mod evaluate;
mod explain;
mod grammar;
mod json;
pub mod managed;
mod pattern;
mod policy;
mod principals;
mod warning;

pub use condition::Outcome;
pub use context::{Context, Value};
pub use decision::{Decision, Layer, StatementId, Verdict};
pub use error::{PolicyError, Position, Reason};
pub use evaluate::{Policies, Request, evaluate};
pub use explain::{
    ConditionTrace, ElementTrace, Explanation, LayerTrace, PolicyTrace, StatementTrace, explain,
};
pub use policy::{
    DOCUMENT_BYTES_MAX, Effect, NamedPolicy, Policy, PolicyKind, Statement, Version, policy_size,
};
pub use principals::{Grant, Principal};
pub use warning::{Advice, Warning};
