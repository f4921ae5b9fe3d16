//! What a request may, and which statement says so.

use std::fmt;
use std::sync::Arc;

/// The result of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Verdict {
    /// It may.
    Allow,
    /// Nothing allows it, in the layer that the decision names.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

/// The kinds of policies that take part in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub enum Layer {
    /// Limits of the account, as service control policies.
    Guardrail,
    /// The policy of the resource, also a role's trust policy.
    Resource,
    /// The policies of a user and its groups, or of a role.
    Identity,
    /// The permissions boundary of the user or role.
    Boundary,
    /// The policies given when the session was made.
    Session,
}

impl Layer {
    /// AWS's words for a policy of this layer, without article.
    fn words(self) -> &'static str {
        match self {
            Self::Guardrail => "service control policy",
            Self::Resource => "resource-based policy",
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Where a statement is to be found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StatementId {
    /// The name of its policy.
    pub policy: Arc<str>,
    /// Its place among the policy's statements, from 0.
    pub index: usize,
    /// Its `Sid`.
    pub sid: Option<Arc<str>>,
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index + 1)?;
        if let Some(sid) = self.sid.as_deref().filter(|sid| !sid.is_empty()) {
            write!(f, " ({sid})")?;
        }
        write!(f, " of {}", self.policy)
    }
}

/// Whether a request may, decided where, by what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[must_use]
pub struct Decision {
    /// Whether it may.
    pub verdict: Verdict,
    /// The layer that decided. Of an implicit deny, the first that should have allowed; of an allow, the one that did.
    pub layer: Layer,
    /// The statement that decided. There is none if nothing allowed, and if the caller is a root user, who needs no
    /// policy.
    pub statement: Option<StatementId>,
}

impl Decision {
    /// Whether it may.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// Of two names of one resource: a deny of either denies, an allow of either allows. A session has two such
    /// names, because published policies write its owner in two ways.
    pub fn of_either(self, other: Self) -> Self {
        let rank = |decision: &Self| match decision.verdict {
            Verdict::ExplicitDeny => 2,
            Verdict::Allow => 1,
            Verdict::ImplicitDeny => 0,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }

    /// Why not, as AWS's messages end; nothing if it may.
    ///
    /// Source: "Troubleshoot access denied error messages" in the IAM User Guide.
    #[must_use]
    pub fn reason(&self, action: &str) -> Option<String> {
        let layer = self.layer;
        match self.verdict {
            Verdict::Allow => None,
            Verdict::ImplicitDeny => Some(format!("because no {layer} allows the {action} action")),
            Verdict::ExplicitDeny => {
                let article = if layer == Layer::Identity { "an" } else { "a" };
                Some(format!("with an explicit deny in {article} {layer}"))
            }
        }
    }

    /// AWS's message for a caller who may not; nothing if it may.
    #[must_use]
    pub fn denial(&self, caller: &str, action: &str, resource: &str) -> Option<String> {
        let reason = self.reason(action)?;
        Some(format!(
            "User: {caller} is not authorized to perform: {action} on resource: {resource} {reason}"
        ))
    }
}
