//! What a policy may say and probably does not mean.

use std::fmt;

use crate::error::Position;

/// Something in a policy that is stored as it is, and that its author should hear of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// The JSON pointer (RFC 6901) of the value.
    pub pointer: String,
    /// Where the value stands.
    pub position: Position,
    /// What is to be said about it.
    pub advice: Advice,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at {}, {}", self.advice, self.pointer, self.position)
    }
}

/// Which doubts are raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub enum Advice {
    /// `ForAnyValue:…IfExists`.
    AnyValueIfExists,
    /// A key that is a list, compared without `ForAllValues` or `ForAnyValue`.
    ListWithoutQualifier,
    /// `ForAllValues` in an `Allow`, without a condition that the key exists.
    AllValuesAllowAbsent,
    /// `${…}` where, or in a version in which, there are no variables.
    VariableIsLiteral,
    /// Wildcards in the partition or service of an ARN.
    WildcardService,
    /// A value of an ARN operator that has not six segments.
    ArnNeverMatches,
    /// A condition without values.
    EmptyCondition,
    /// An action other than `sts:…` in a trust policy.
    TrustOfOtherAction,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnyValueIfExists => "ForAnyValue with IfExists also holds when the key is absent",
            Self::ListWithoutQualifier => {
                "this key has several values: without ForAllValues or ForAnyValue the condition never holds"
            }
            Self::AllValuesAllowAbsent => {
                "ForAllValues also holds when the key is absent: add the condition Null with \"false\""
            }
            Self::VariableIsLiteral => {
                "${…} is not replaced here: variables need Version 2012-10-17 and a place after the fifth colon"
            }
            Self::WildcardService => "the partition and the service of an ARN should have no wildcards",
            Self::ArnNeverMatches => "an ARN has six segments, and wildcards do not cross them: this matches nothing",
            Self::EmptyCondition => "a condition without values",
            Self::TrustOfOtherAction => "in a trust policy only sts actions have an effect",
        })
    }
}
