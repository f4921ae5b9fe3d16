//! Patterns of terms: all of those that are required, none of those that are excluded, or any of the optional ones.

use crate::InvalidPattern;
use crate::regular::Regular;
use crate::scanner::Scanner;

/// What an event has to say, and what it must not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    required: Vec<Term>,
    /// Marked with `?`. Beside required terms they decide nothing.
    optional: Vec<Term>,
    /// Marked with `-`.
    excluded: Vec<Term>,
}

#[derive(Debug, Clone)]
enum Term {
    /// Stands somewhere in the message, case and all.
    Text(String),
    Regular(Regular),
}

impl Terms {
    pub(crate) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        let mut terms = Self::default();
        loop {
            scanner.skip_blanks();
            if scanner.is_at_end() {
                return Ok(terms);
            }
            let kind = if scanner.take("?") {
                &mut terms.optional
            } else if scanner.take("-") {
                &mut terms.excluded
            } else {
                &mut terms.required
            };
            kind.push(Term::parse(scanner)?);
        }
    }

    pub(crate) fn matches(&self, message: &str) -> bool {
        let has = |term: &Term| term.is_in(message);
        let is_optional_met =
            !self.required.is_empty() || self.optional.is_empty() || self.optional.iter().any(has);
        self.required.iter().all(has) && is_optional_met && !self.excluded.iter().any(has)
    }
}

impl Term {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        if let Some(regular) = scanner.regular()? {
            return Ok(Self::Regular(regular));
        }
        if let Some(phrase) = scanner.quoted('"')? {
            return Ok(Self::Text(phrase));
        }
        let term = scanner.take_while(|c| !c.is_whitespace());
        // Source: "Enclose exact phrases and terms that include non-alphanumeric characters in double quotation marks".
        if term.is_empty() || !term.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(InvalidPattern::new(format!("Invalid character(s) in term '{term}'")));
        }
        Ok(Self::Text(term.to_owned()))
    }

    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => message.contains(text.as_str()),
            Self::Regular(regular) => regular.is_match(message),
        }
    }
}
