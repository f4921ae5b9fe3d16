//! The answers to those who get no permit.

use postern_api::{ApiError, CommonError};
use postern_iam::{Decision, Layer, Verdict};
use postern_store::StoreError;

use super::policies_in_force::PoliciesError;
use super::{Caller, Check};

/// Why a caller gets no permit.
#[derive(Debug, thiserror::Error)]
pub enum NotAuthorized {
    /// It may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It cannot be told whether it may, so it may not.
    #[error("it cannot be told whether the caller may")]
    Undecided(#[from] Undecided),
}

/// A caller that may not do what it asked for. `Display` is what it is told.
///
/// Source of the text: "Troubleshoot access denied error messages", IAM User Guide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Denied {
    text: String,
    /// What decided.
    pub decision: Decision,
}

/// Why it cannot be told whether a caller may.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// It is not known which policies bind it.
    #[error(transparent)]
    Policies(#[from] PoliciesError),
    /// Storage failed.
    #[error("storage failed")]
    Store(#[from] StoreError),
    /// An operation asked nothing.
    #[error("an operation asked for a permit without saying for what")]
    NothingAsked,
}

impl Denied {
    pub(super) fn new(caller: &Caller, check: &Check, decision: Decision) -> Self {
        let (action, name) = (check.action().to_string(), caller.principal.name());
        let text = decision.denial(name, &action, check.resource()).unwrap_or_default();
        Self { text, decision }
    }
}

/// The decision about those whom no policy binds, and of a node about what is not its own.
pub(super) fn not_by_policy() -> Decision {
    Decision { verdict: Verdict::ImplicitDeny, layer: Layer::Identity, statement: None }
}

/// The decision about a role whose trust policy nobody can read: it trusts nobody.
pub(super) fn not_trusted() -> Decision {
    Decision { layer: Layer::Resource, ..not_by_policy() }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        Self::new(CommonError::AccessDenied, denied.to_string())
    }
}

impl From<NotAuthorized> for ApiError {
    fn from(error: NotAuthorized) -> Self {
        match error {
            NotAuthorized::Denied(denied) => denied.into(),
            NotAuthorized::Undecided(undecided) => undecided.into(),
        }
    }
}

/// Never open: whoever cannot be decided about is turned away, and told nothing of why.
impl From<Undecided> for ApiError {
    fn from(error: Undecided) -> Self {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "it cannot be told whether a caller may do what it asks for");
        Self::new(CommonError::Internal, "An error occurred on the server side.")
    }
}
