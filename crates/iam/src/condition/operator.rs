//! The names of condition operators.

use std::cmp::Ordering;

/// An operator: what is compared, and what counts when there is no value or there are many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) qualifier: Option<Qualifier>,
    pub(crate) test: Test,
    /// `…Not…`: holds if no value of the policy matches.
    pub(crate) negated: bool,
    /// `…IfExists`.
    pub(crate) if_exists: bool,
}

/// How the values of a key that has several count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Qualifier {
    /// `ForAllValues:`
    AllValues,
    /// `ForAnyValue:`
    AnyValue,
}

/// What is compared, without negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Comparison),
    Date(Comparison),
    Bool,
    BinaryEquals,
    IpAddress,
    /// `ArnEquals` and `ArnLike`, which are the same.
    Arn,
    Null,
}

/// How two values in an order compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Comparison {
    /// Whether a request's value stands so to a policy's.
    pub(crate) fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThan => ordering.is_gt(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

impl Operator {
    /// Reads the name of an operator; nothing if there is none of that name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (qualifier, name) = match text.split_once(':') {
            Some(("ForAllValues", name)) => (Some(Qualifier::AllValues), name),
            Some(("ForAnyValue", name)) => (Some(Qualifier::AnyValue), name),
            Some(_) => return None,
            None => (None, text),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (test, negated) = test(name)?;
        let well_formed = test != Test::Null || !if_exists;
        well_formed.then_some(Self { qualifier, test, negated, if_exists })
    }

    /// Whether the condition holds if the request has no such key.
    pub(crate) fn holds_absent(self) -> bool {
        self.if_exists
            || match self.qualifier {
                None => self.negated,
                Some(Qualifier::AllValues) => true,
                Some(Qualifier::AnyValue) => false,
            }
    }
}

fn test(name: &str) -> Option<(Test, bool)> {
    use Comparison::{Equals, GreaterThan, GreaterThanEquals, LessThan, LessThanEquals};
    Some(match name {
        "StringEquals" => (Test::StringEquals, false),
        "StringNotEquals" => (Test::StringEquals, true),
        "StringEqualsIgnoreCase" => (Test::StringEqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Test::StringEqualsIgnoreCase, true),
        "StringLike" => (Test::StringLike, false),
        "StringNotLike" => (Test::StringLike, true),
        "NumericEquals" => (Test::Numeric(Equals), false),
        "NumericNotEquals" => (Test::Numeric(Equals), true),
        "NumericLessThan" => (Test::Numeric(LessThan), false),
        "NumericLessThanEquals" => (Test::Numeric(LessThanEquals), false),
        "NumericGreaterThan" => (Test::Numeric(GreaterThan), false),
        "NumericGreaterThanEquals" => (Test::Numeric(GreaterThanEquals), false),
        "DateEquals" => (Test::Date(Equals), false),
        "DateNotEquals" => (Test::Date(Equals), true),
        "DateLessThan" => (Test::Date(LessThan), false),
        "DateLessThanEquals" => (Test::Date(LessThanEquals), false),
        "DateGreaterThan" => (Test::Date(GreaterThan), false),
        "DateGreaterThanEquals" => (Test::Date(GreaterThanEquals), false),
        "Bool" => (Test::Bool, false),
        "BinaryEquals" => (Test::BinaryEquals, false),
        "IpAddress" => (Test::IpAddress, false),
        "NotIpAddress" => (Test::IpAddress, true),
        "ArnEquals" | "ArnLike" => (Test::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
        "Null" => (Test::Null, false),
        _ => return None,
    })
}
