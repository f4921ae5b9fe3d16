//! The values of a condition: read from the policy, compared with the request's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::arn::segments as arn_segments;
use super::operator::Test;
use super::{ArnPattern, Decimal, Expected, Network, date};
use crate::context::Context;
use crate::pattern::{Case, Pattern, Syntax, VariableError};

/// Why a value of a policy cannot be compared with: what was expected.
pub(crate) struct Unreadable {
    /// Which of the values.
    pub(crate) index: usize,
    pub(crate) expected: &'static str,
}

impl Expected {
    /// Reads the values of a condition. `variables`: whether the policy's version has them.
    pub(crate) fn read(test: Test, texts: &[Box<str>], variables: bool) -> Result<Self, Unreadable> {
        let variables_from = variables.then_some(0);
        let pattern = |wildcards| {
            move |text: &str| Pattern::compile(text, Syntax { wildcards, variables_from }).map_err(why)
        };
        let arn = |text: &str| ArnPattern::compile(text, variables_from).map_err(why);
        Ok(match test {
            Test::StringEquals => Self::Text(Case::Sensitive, each(texts, pattern(false))?),
            Test::StringEqualsIgnoreCase => Self::Text(Case::Insensitive, each(texts, pattern(false))?),
            Test::StringLike => Self::Text(Case::Sensitive, each(texts, pattern(true))?),
            Test::Numeric(comparison) => Self::Number(comparison, each(texts, number)?),
            Test::Date(comparison) => Self::Date(
                comparison,
                each(texts, |text| {
                    date::parse(text).ok_or("a date (ISO 8601 with an offset, or seconds since 1970)")
                })?,
            ),
            Test::Bool | Test::Null => {
                let values = each(texts, |text| boolean(text).ok_or("true or false"))?;
                if test == Test::Null { Self::Null(values) } else { Self::Bool(values) }
            }
            Test::BinaryEquals => {
                Self::Binary(each(texts, |text| BASE64.decode(text).map_err(|_| "base64"))?)
            }
            Test::IpAddress => Self::Network(each(texts, |text| {
                Network::parse(text).ok_or("an IP address, or a range of them such as 203.0.113.0/24")
            })?),
            Test::Arn => Self::Arn(each(texts, arn)?),
        })
    }

    /// Whether the request's value matches one of the policy's; nothing if it is not of the operator's type.
    pub(crate) fn matches(&self, found: &str, context: &Context) -> Option<bool> {
        Some(match self {
            Self::Text(case, patterns) => {
                patterns.iter().any(|pattern| pattern.matches(found, *case, context))
            }
            Self::Number(comparison, numbers) => {
                let found = Decimal::parse(found)?;
                numbers.iter().any(|number| comparison.accepts(found.compare(number)))
            }
            Self::Date(comparison, dates) => {
                let found = date::parse(found)?;
                dates.iter().any(|date| comparison.accepts(found.cmp(date)))
            }
            Self::Bool(values) => values.contains(&boolean(found)?),
            Self::Binary(values) => values.contains(&BASE64.decode(found).ok()?),
            Self::Network(networks) => {
                let found = found.parse().ok()?;
                networks.iter().any(|network| network.contains(found))
            }
            Self::Arn(patterns) => {
                let found = arn_segments(found)?;
                patterns.iter().any(|pattern| pattern.matches(&found, context))
            }
            Self::Null(_) => return None,
        })
    }

    /// The values that may contain variables.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let (texts, arns): (&[Pattern], &[ArnPattern]) = match self {
            Self::Text(_, patterns) => (patterns, &[]),
            Self::Arn(patterns) => (&[], patterns),
            _ => (&[], &[]),
        };
        texts.iter().chain(arns.iter().map(ArnPattern::pattern))
    }
}

fn each<T>(texts: &[Box<str>], read: impl Fn(&str) -> Result<T, &'static str>) -> Result<Vec<T>, Unreadable> {
    let texts = texts.iter().map(AsRef::as_ref).enumerate();
    texts.map(|(index, text)| read(text).map_err(|expected| Unreadable { index, expected })).collect()
}

fn why(error: VariableError) -> &'static str {
    error.expected
}

fn number(text: &str) -> Result<Decimal<Box<str>>, &'static str> {
    Decimal::parse(text).map(|number| number.to_owned()).ok_or("a decimal number")
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}
