//! Conditions joined by `&&`, `||` and parentheses, whatever each one asks.

use crate::InvalidPattern;
use crate::scanner::Scanner;

/// Parentheses in parentheses.
const DEPTH_MAX: usize = 16;

/// Conditions of which all, or any, must be met.
#[derive(Debug, Clone)]
pub(crate) enum Condition<T> {
    All(Vec<Self>),
    Any(Vec<Self>),
    One(T),
}

/// How one condition is read.
pub(crate) type Read<T> = fn(&mut Scanner<'_>) -> Result<T, InvalidPattern>;

impl<T> Condition<T> {
    /// Reads conditions; `&&` binds more than `||`.
    pub(crate) fn parse(scanner: &mut Scanner<'_>, one: Read<T>) -> Result<Self, InvalidPattern> {
        any(scanner, one, 0)
    }

    /// Whether the whole is met, if `one` says it of each.
    pub(crate) fn is_met(&self, one: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.is_met(one)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.is_met(one)),
            Self::One(condition) => one(condition),
        }
    }
}

fn any<T>(scanner: &mut Scanner<'_>, one: Read<T>, depth: usize) -> Result<Condition<T>, InvalidPattern> {
    let mut conditions = vec![all(scanner, one, depth)?];
    while scanner.take_next("||") {
        conditions.push(all(scanner, one, depth)?);
    }
    Ok(Condition::Any(conditions))
}

fn all<T>(scanner: &mut Scanner<'_>, one: Read<T>, depth: usize) -> Result<Condition<T>, InvalidPattern> {
    let mut conditions = vec![group(scanner, one, depth)?];
    while scanner.take_next("&&") {
        conditions.push(group(scanner, one, depth)?);
    }
    Ok(Condition::All(conditions))
}

fn group<T>(scanner: &mut Scanner<'_>, one: Read<T>, depth: usize) -> Result<Condition<T>, InvalidPattern> {
    if !scanner.take_next("(") {
        return one(scanner).map(Condition::One);
    }
    if depth >= DEPTH_MAX {
        return Err(InvalidPattern::new(format!("parentheses are nested deeper than {DEPTH_MAX}")));
    }
    let condition = any(scanner, one, depth + 1)?;
    scanner.expect(")")?;
    Ok(condition)
}
