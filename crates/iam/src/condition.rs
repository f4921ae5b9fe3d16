//! Conditions of a statement: an operator, a key, and values to compare with.
//!
//! Source: "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values" in the
//! IAM User Guide. Where the guide is silent, the choices are in `docs/decisions/0011-iam-engine.md`.

use jiff::Timestamp;

use crate::context::{Context, Value};
use crate::pattern::{Case, Pattern};

mod arn;
mod date;
mod network;
mod number;
mod operator;
mod values;

pub(crate) use arn::ArnPattern;
pub(crate) use network::Network;
pub(crate) use number::Decimal;
pub(crate) use operator::{Comparison, Operator, Qualifier, Test};

/// One operator applied to one key. Several in a statement must all hold.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) operator: Operator,
    /// The operator as the policy writes it.
    pub(crate) operator_text: Box<str>,
    pub(crate) key: Box<str>,
    pub(crate) expected: Expected,
    /// The values as the policy writes them.
    pub(crate) texts: Vec<Box<str>>,
}

/// Values of the policy, read. A request's value matches if it matches one of them.
#[derive(Debug)]
pub(crate) enum Expected {
    Text(Case, Vec<Pattern>),
    Number(Comparison, Vec<Decimal<Box<str>>>),
    Date(Comparison, Vec<Timestamp>),
    Bool(Vec<bool>),
    Binary(Vec<Vec<u8>>),
    Network(Vec<Network>),
    Arn(Vec<ArnPattern>),
    /// Whether the key is to be absent.
    Null(Vec<bool>),
}

/// How a condition came out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Outcome {
    /// The request's value is as the condition demands.
    Holds,
    /// The key is absent, and the condition holds then.
    HoldsAbsent,
    /// The request's value is not as the condition demands.
    Fails,
    /// The key is absent, and the condition does not hold then.
    FailsAbsent,
    /// The key is a list, and the operator has neither `ForAllValues` nor `ForAnyValue`.
    FailsList,
    /// The request's value is not of the operator's type (a number, a date, …): no operator holds, not even a
    /// negated one.
    FailsUnreadable,
}

impl Outcome {
    /// Whether the condition holds.
    #[must_use]
    pub fn holds(self) -> bool {
        matches!(self, Self::Holds | Self::HoldsAbsent)
    }

    fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

impl Condition {
    pub(crate) fn outcome(&self, context: &Context) -> Outcome {
        let found = context.get(&self.key);
        if let Expected::Null(wanted) = &self.expected {
            return Outcome::of(wanted.contains(&found.is_none()));
        }
        let Some(found) = found else {
            return if self.operator.holds_absent() { Outcome::HoldsAbsent } else { Outcome::FailsAbsent };
        };
        match (self.operator.qualifier, found) {
            (None, Value::Single(value)) => self.test(value, context),
            (None, Value::Multi(_)) => Outcome::FailsList,
            (Some(Qualifier::AllValues), found) => first_or(found, Outcome::Holds, |value| {
                Some(self.test(value, context)).filter(|outcome| !outcome.holds())
            }),
            (Some(Qualifier::AnyValue), found) => first_or(found, Outcome::Fails, |value| {
                Some(self.test(value, context)).filter(|outcome| outcome.holds())
            }),
        }
    }

    /// Whether one value of the request is as demanded.
    fn test(&self, value: &str, context: &Context) -> Outcome {
        match self.expected.matches(value, context) {
            Some(matches) => Outcome::of(matches != self.operator.negated),
            None => Outcome::FailsUnreadable,
        }
    }

    /// The keys that this condition reads.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let variables = self.expected.patterns().flat_map(Pattern::variables);
        std::iter::once(self.key.as_ref()).chain(variables)
    }
}

fn first_or(found: &Value, otherwise: Outcome, decides: impl FnMut(&String) -> Option<Outcome>) -> Outcome {
    found.as_slice().iter().find_map(decides).unwrap_or(otherwise)
}
