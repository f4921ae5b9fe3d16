//! One comparison: an operator and what is compared with.

use crate::InvalidPattern;
use crate::regular::Regular;
use crate::scanner::Scanner;
use crate::wildcard::Wildcard;

/// An operator with its right side.
#[derive(Debug, Clone)]
pub(crate) enum Comparison {
    /// `=`, or `!=` if `negated`.
    Equal { value: Value, negated: bool },
    /// One that only numbers have.
    Ordered { order: Order, number: f64 },
}

/// `<`, `<=`, `>`, `>=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What something is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// In quotes, or something that is no number: text in which `*` stands for anything, IP addresses among them.
    Text(Wildcard),
    /// A number, and how it was written.
    Number(f64, String),
    Regular(Regular),
}

/// What is compared: a text, and the number that it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand<'a> {
    pub(crate) text: &'a str,
    pub(crate) number: Option<f64>,
}

impl Comparison {
    /// The operator and the value that come next.
    pub(crate) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        scanner.skip_blanks();
        let operator = ["<=", ">=", "!=", "=", "<", ">"].into_iter().find(|operator| scanner.take(operator));
        let operator = operator.ok_or_else(|| scanner.unexpected("an operator"))?;
        let value = Value::parse(scanner)?;
        let order = match operator {
            "=" | "!=" => return Ok(Self::Equal { value, negated: operator == "!=" }),
            "<" => Order::Less,
            "<=" => Order::LessOrEqual,
            ">" => Order::Greater,
            _ => Order::GreaterOrEqual,
        };
        match value {
            Value::Number(number, _) => Ok(Self::Ordered { order, number }),
            Value::Text(_) | Value::Regular(_) => {
                Err(InvalidPattern::new(format!("'{operator}' compares numbers only")))
            }
        }
    }

    pub(crate) fn matches(&self, operand: Operand<'_>) -> bool {
        match self {
            Self::Equal { value, negated } => value.is_match(operand) != *negated,
            Self::Ordered { order, number } => operand.number.is_some_and(|found| match order {
                Order::Less => found < *number,
                Order::LessOrEqual => found <= *number,
                Order::Greater => found > *number,
                Order::GreaterOrEqual => found >= *number,
            }),
        }
    }
}

impl Value {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        scanner.skip_blanks();
        if let Some(regular) = scanner.regular()? {
            return Ok(Self::Regular(regular));
        }
        if let Some(text) = scanner.quoted('"')? {
            return Ok(Self::Text(Wildcard::new(&text)));
        }
        let text = scanner.take_while(is_of_bare_value);
        if text.is_empty() {
            return Err(scanner.unexpected("a value"));
        }
        Ok(match number(text) {
            Some(number) => Self::Number(number, text.to_owned()),
            None => Self::Text(Wildcard::new(text)),
        })
    }

    fn is_match(&self, operand: Operand<'_>) -> bool {
        match self {
            Self::Text(wildcard) => wildcard.is_match(operand.text),
            Self::Regular(regular) => regular.is_match(operand.text),
            Self::Number(number, text) => {
                // As written: neither 1 nor 1.0 has the other's text.
                operand.text == text || operand.number.is_some_and(|found| is_same(found, *number))
            }
        }
    }
}

/// Two numbers of texts: exactly the same, as the texts say.
fn is_same(left: f64, right: f64) -> bool {
    left.partial_cmp(&right) == Some(std::cmp::Ordering::Equal)
}

/// The number that a text is, such as `-1.5e3`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let is_of_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    // `inf`, `nan` and the like are words.
    text.chars().all(is_of_number).then(|| text.parse().ok()).flatten()
}

/// Values without quotes end at what has a meaning of its own.
fn is_of_bare_value(character: char) -> bool {
    character.is_alphanumeric() || "_-.*:/@#+".contains(character)
}
