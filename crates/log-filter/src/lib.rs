//! The filter patterns of CloudWatch Logs: terms, JSON properties, fields between blanks.
//!
//! [`FilterPattern::parse`] reads a pattern once, with every bound checked; [`FilterPattern::matches`] then looks at one
//! event after another. Nothing here does I/O.
//!
//! Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail", Amazon
//! CloudWatch Logs User Guide.

mod comparison;
mod condition;
mod fields;
mod properties;
mod regular;
mod scanner;
mod selector;
mod terms;
mod wildcard;

use fields::Fields;
use properties::Properties;
use scanner::Scanner;
use terms::Terms;

/// The most characters of a pattern. Source: `FilterPattern` in the service model.
pub const PATTERN_CHARS_MAX: usize = 1024;

/// A pattern that has been read.
#[derive(Debug, Clone)]
pub struct FilterPattern(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// `ERROR "bad request" ?a ?b -debug %regex%`
    Terms(Terms),
    /// `{ $.level = "error" && $.status >= 500 }`
    Properties(Properties),
    /// `[ip, user, ..., status = 4*, bytes]`
    Fields(Fields),
}

/// A pattern that cannot be read: what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPattern(String);

impl InvalidPattern {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl FilterPattern {
    /// Reads a pattern. One of blanks only matches everything.
    ///
    /// # Errors
    /// [`InvalidPattern`] says what is wrong.
    pub fn parse(pattern: &str) -> Result<Self, InvalidPattern> {
        if pattern.chars().count() > PATTERN_CHARS_MAX {
            return Err(InvalidPattern::new(format!("it is longer than {PATTERN_CHARS_MAX} characters")));
        }
        let mut scanner = Scanner::new(pattern.trim());
        let kind = match scanner.peek() {
            Some('{') => Kind::Properties(Properties::parse(&mut scanner)?),
            Some('[') => Kind::Fields(Fields::parse(&mut scanner)?),
            _ => Kind::Terms(Terms::parse(&mut scanner)?),
        };
        Ok(Self(kind))
    }

    /// Whether an event with this message is meant.
    #[must_use]
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::Terms(terms) => terms.matches(message),
            Kind::Properties(properties) => properties.matches(message),
            Kind::Fields(fields) => fields.matches(message),
        }
    }
}

#[cfg(test)]
mod tests;
