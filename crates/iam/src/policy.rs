//! A policy document, read once into what evaluation needs.

use std::fmt;
use std::sync::Arc;

use crate::condition::Condition;
use crate::elements::{Actions, Resources};
use crate::error::{PolicyError, Position};
use crate::grammar;
use crate::principals::Principals;
use crate::warning::Warning;

/// The longest text that is read at all, in bytes with white space.
/// Source: `policyDocumentType` of the IAM API, at most 131,072 characters. The quotas, which leave white space out, are
/// far below (see [`policy_size`]).
pub const DOCUMENT_BYTES_MAX: usize = 131_072;

/// Where a policy stands, which decides what it may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum PolicyKind {
    /// Of a user, group or role, also as boundary or session policy: no `Principal`.
    Identity,
    /// Of a role, who may take it on: `Principal`, no `Resource`. Must allow, whatever an identity policy says.
    Trust,
    /// Of any other resource: `Principal` and `Resource`.
    Resource,
    /// Of an encryption key: as [`PolicyKind::Resource`], but must allow, whatever an identity policy says.
    Key,
    /// A limit for an account, as service control policies are: no `Principal`.
    Guardrail,
}

impl PolicyKind {
    /// Whether its statements name principals.
    pub(crate) fn has_principals(self) -> bool {
        matches!(self, Self::Trust | Self::Resource | Self::Key)
    }

    /// Whether silence of this policy denies, also within one account.
    pub(crate) fn must_allow(self) -> bool {
        matches!(self, Self::Trust | Self::Key)
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "an identity-based policy",
            Self::Trust => "a trust policy",
            Self::Resource => "a resource-based policy",
            Self::Key => "a key policy",
            Self::Guardrail => "a guardrail",
        })
    }
}

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Version {
    /// Without policy variables; also of documents that name no version.
    #[serde(rename = "2008-10-17")]
    V2008,
    /// With policy variables.
    #[serde(rename = "2012-10-17")]
    V2012,
}

/// What a statement does to the requests it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Effect {
    /// It allows them, unless something denies them.
    Allow,
    /// It denies them, whatever allows them.
    Deny,
}

/// A policy document that is well-formed: compiled, so that evaluation reads no text.
#[derive(Debug)]
pub struct Policy {
    pub(crate) kind: PolicyKind,
    pub(crate) version: Version,
    pub(crate) id: Option<String>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) warnings: Vec<Warning>,
}

impl Policy {
    /// Reads a document of the given kind.
    ///
    /// # Errors
    /// If it is not JSON, too long or too deep, or breaks a rule of the language: with the place and what was expected.
    pub fn parse(kind: PolicyKind, text: &str) -> Result<Self, PolicyError> {
        grammar::parse(kind, text)
    }

    /// Where it stands.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// The version of the language it is written in.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Its `Id`, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Its statements, in the order of the document.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// What is allowed to stand there and probably does not mean what its author wants.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Every condition key that its conditions and variables name, each once without regard to case, as
    /// `GetContextKeysForCustomPolicy` lists them.
    #[must_use]
    pub fn context_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        let named = self.statements.iter().flat_map(|statement| {
            let resources = statement.resources.iter().flat_map(Resources::variables);
            resources.chain(statement.conditions.iter().flat_map(Condition::keys))
        });
        for key in named {
            if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                keys.push(key);
            }
        }
        keys
    }
}

/// One statement of a policy.
#[derive(Debug)]
pub struct Statement {
    pub(crate) sid: Option<Arc<str>>,
    pub(crate) effect: Effect,
    /// Only where the kind of policy has principals.
    pub(crate) principals: Option<Principals>,
    pub(crate) actions: Actions,
    /// Nothing in a trust policy: its role is the resource.
    pub(crate) resources: Option<Resources>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) start: Position,
    pub(crate) end: Position,
}

impl Statement {
    /// Its `Sid`, if it has one.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// What it does.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Where it begins in the document.
    #[must_use]
    pub fn start(&self) -> Position {
        self.start
    }

    /// Where it ends: the place after its last character.
    #[must_use]
    pub fn end(&self) -> Position {
        self.end
    }
}

/// A policy with the name under which decisions and explanations speak of it. Cheap to copy.
#[derive(Debug, Clone)]
pub struct NamedPolicy {
    /// The ARN of a managed policy, or what tells an inline policy from others (such as `user/alice/inline/Sessions`).
    pub name: Arc<str>,
    /// The policy.
    pub policy: Arc<Policy>,
}

impl NamedPolicy {
    /// Gives a policy a name.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, policy: impl Into<Arc<Policy>>) -> Self {
        Self { name: name.into(), policy: policy.into() }
    }
}

/// The size of a document as quotas count it: characters without white space.
/// Source: "IAM and AWS STS quotas" in the IAM User Guide: "IAM doesn't count white space".
#[must_use]
pub fn policy_size(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}
