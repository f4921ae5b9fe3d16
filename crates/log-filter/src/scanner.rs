//! A pattern, read from left to right.

use crate::InvalidPattern;
use crate::regular::Regular;

/// Regular expressions of one pattern. Source: quotas of the filter pattern syntax.
const REGULAR_MAX: usize = 2;

/// What is left to read of a pattern.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a str,
    regular: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(pattern: &'a str) -> Self {
        Self { rest: pattern, regular: 0 }
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `text` if it comes next.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The same behind blanks.
    pub(crate) fn take_next(&mut self, text: &str) -> bool {
        self.skip_blanks();
        self.take(text)
    }

    /// Takes a keyword, in capitals or not, if it comes next behind blanks and nothing of a word follows.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let Some(found) = self.rest.get(..word.len()) else { return false };
        let after = self.rest.get(word.len()..).and_then(|rest| rest.chars().next());
        let ends = after.is_none_or(|next| !(next.is_alphanumeric() || next == '_'));
        if !found.eq_ignore_ascii_case(word) || !ends {
            return false;
        }
        self.rest = self.rest.get(word.len()..).unwrap_or_default();
        true
    }

    /// Takes `text`, which must come next behind blanks.
    pub(crate) fn expect(&mut self, text: &str) -> Result<(), InvalidPattern> {
        if self.take_next(text) { Ok(()) } else { Err(self.unexpected(&format!("'{text}'"))) }
    }

    /// Nothing but blanks may be left.
    pub(crate) fn expect_end(&mut self) -> Result<(), InvalidPattern> {
        self.skip_blanks();
        if self.is_at_end() { Ok(()) } else { Err(self.unexpected("its end")) }
    }

    /// As many characters as `is_part` takes.
    pub(crate) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// What stands between quotes, if one comes next. A backslash takes the quote or backslash after it as it is.
    pub(crate) fn quoted(&mut self, quote: char) -> Result<Option<String>, InvalidPattern> {
        if self.peek() != Some(quote) {
            return Ok(None);
        }
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((_, character)) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some((_, escaped)) if escaped == quote || escaped == '\\' => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                end if end == quote => {
                    self.rest = characters.next().and_then(|(at, _)| self.rest.get(at..)).unwrap_or_default();
                    return Ok(Some(text));
                }
                other => text.push(other),
            }
        }
        Err(InvalidPattern::new("a quotation mark is missing"))
    }

    /// What stands between percent signs, if one comes next.
    pub(crate) fn regular(&mut self) -> Result<Option<Regular>, InvalidPattern> {
        if !self.take("%") {
            return Ok(None);
        }
        let Some((source, rest)) = self.rest.split_once('%') else {
            return Err(InvalidPattern::new("a percent sign is missing behind a regular expression"));
        };
        self.regular += 1;
        if self.regular > REGULAR_MAX {
            let message = format!("it has more than {REGULAR_MAX} regular expressions");
            return Err(InvalidPattern::new(message));
        }
        self.rest = rest;
        Ok(Some(Regular::parse(source)?))
    }

    /// Something else was to come.
    pub(crate) fn unexpected(&self, expected: &str) -> InvalidPattern {
        match self.peek() {
            Some(found) => InvalidPattern::new(format!("'{found}' stands where {expected} was expected")),
            None => InvalidPattern::new(format!("it ends where {expected} was expected")),
        }
    }
}
