//! Regular expressions between percent signs: those that CloudWatch Logs takes, and no others.

use regex::bytes::{Regex, RegexBuilder};

use crate::InvalidPattern;

/// The compiled expression at most, in bytes: counted repetitions can make much of little.
const COMPILED_BYTES_MAX: usize = 256 << 10;
/// Characters besides letters and digits. Source: "Supported regular expressions (regex) syntax". Blanks are not in its
/// list, but in its examples.
const SYMBOLS: &str = ":_#=@/;,- ";
const OPERATORS: &str = "^$?[]{}|\\*+.";

/// A regular expression that may match anywhere in a text.
#[derive(Debug, Clone)]
pub(crate) struct Regular(Regex);

impl Regular {
    pub(crate) fn parse(source: &str) -> Result<Self, InvalidPattern> {
        if source.is_empty() {
            return Err(InvalidPattern::new("a regular expression is empty"));
        }
        let translated = translate(source)?;
        let built = RegexBuilder::new(&translated)
            .unicode(false)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(2 * COMPILED_BYTES_MAX)
            .nest_limit(16)
            .build();
        let refused = |_| InvalidPattern::new(format!("the regular expression '{source}' cannot be used"));
        built.map(Self).map_err(refused)
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }
}

/// In the syntax of the engine, which gives more meanings to characters in a class.
fn translate(source: &str) -> Result<String, InvalidPattern> {
    let mut translated = String::with_capacity(source.len());
    let mut is_in_class = false;
    let mut characters = source.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.next();
                let escaped =
                    escaped.ok_or_else(|| InvalidPattern::new("a regular expression ends in '\\'"))?;
                translated.push_str(&escape(escaped)?);
            }
            '[' if is_in_class => translated.push_str("\\["),
            '[' => {
                is_in_class = true;
                translated.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
            }
            ']' => {
                is_in_class = false;
                translated.push(']');
            }
            '-' if is_in_class && characters.peek() == Some(&'-') => {
                return Err(InvalidPattern::new("'--' stands in a class of a regular expression"));
            }
            plain
                if plain.is_ascii_alphanumeric() || SYMBOLS.contains(plain) || OPERATORS.contains(plain) =>
            {
                translated.push(plain);
            }
            other => {
                return Err(InvalidPattern::new(format!(
                    "'{other}' is not supported in regular expressions"
                )));
            }
        }
    }
    Ok(translated)
}

/// What stands behind a backslash: a class, a character in hexadecimal, or a character that means itself.
fn escape(escaped: char) -> Result<String, InvalidPattern> {
    match escaped {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'x' => Ok(format!("\\{escaped}")),
        plain if plain.is_ascii_punctuation() => Ok(regex::escape(&plain.to_string())),
        other => Err(InvalidPattern::new(format!("'\\{other}' is not supported in regular expressions"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_documented_matches() {
        for (source, text, expected) in [
            ("AUTHORIZED", "[ERROR 401] UNAUTHORIZED REQUEST", true),
            ("^[hc]at", "hat", true),
            ("^[hc]at", "a hat", false),
            ("[hc]at$", "a cat", true),
            ("colou?r", "color", true),
            ("^a{3,5}$", "aaaa", true),
            ("^a{3,5}$", "aa", false),
            ("gra|ey", "prey", true),
            (r"\d\s\w", "7 x", true),
            (r"\x41\x42", "AB", true),
            (r"\[.\]", "[a]", true),
            ("[^b]at", "bat", false),
            ("10.10.0.1", "ip 10.10.0.1", true),
            ("[[]", "[", true),
            (".", "ä", true),
        ] {
            assert_eq!(Regular::parse(source).unwrap().is_match(text), expected, "{source} on {text}");
        }
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for source in
            ["", "something!", "(a)", "ä", "[a", "a{9999}{9999}", "\\", r"\b", "[a--b]", "*", "a\"b"]
        {
            assert!(Regular::parse(source).is_err(), "{source}");
        }
    }
}
