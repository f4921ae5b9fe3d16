//! Patterns on fields between blanks: `[ip, user, ..., status = 4*, bytes > 1000]`.

use crate::InvalidPattern;
use crate::comparison::{Comparison, Operand, number};
use crate::condition::Condition;
use crate::scanner::Scanner;

/// What the fields of an event have to be.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    first: Vec<Field>,
    /// Those behind `...`, which stands for any number of fields; `None`: there is no `...`.
    last: Option<Vec<Field>>,
}

/// One field: its conditions; without any, it is whatever it is.
#[derive(Debug, Clone)]
struct Field(Option<Condition<Comparison>>);

impl Fields {
    pub(crate) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        scanner.expect("[")?;
        let mut fields = Self { first: Vec::new(), last: None };
        loop {
            if scanner.take_next("...") {
                if fields.last.replace(Vec::new()).is_some() {
                    return Err(InvalidPattern::new("'...' stands in it more than once"));
                }
            } else {
                let field = Field::parse(scanner)?;
                fields.last.as_mut().unwrap_or(&mut fields.first).push(field);
            }
            if !scanner.take_next(",") {
                break;
            }
        }
        scanner.expect("]")?;
        scanner.expect_end()?;
        Ok(fields)
    }

    pub(crate) fn matches(&self, message: &str) -> bool {
        let found = split(message);
        let last = self.last.as_deref().unwrap_or_default();
        let expected = self.first.len() + last.len();
        if found.len() < expected || (self.last.is_none() && found.len() > expected) {
            return false;
        }
        let matches = |(field, text): (&Field, &&str)| field.matches(text);
        let from_end = found.len() - last.len();
        self.first.iter().zip(&found).all(matches)
            && last.iter().zip(found.iter().skip(from_end)).all(matches)
    }
}

impl Field {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        scanner.skip_blanks();
        // The last field of `[a, ]` and all of `[ , ]` have neither name nor condition.
        if matches!(scanner.peek(), Some(',' | ']')) {
            return Ok(Self(None));
        }
        if scanner.peek() != Some('(') {
            scanner.take_while(is_of_name);
            scanner.skip_blanks();
            if matches!(scanner.peek(), Some(',' | ']')) {
                return Ok(Self(None));
            }
        }
        Condition::parse(scanner, comparison).map(Some).map(Self)
    }

    fn matches(&self, text: &str) -> bool {
        let operand = Operand { text, number: number(text) };
        self.0.as_ref().is_none_or(|condition| condition.is_met(&|one: &Comparison| one.matches(operand)))
    }
}

/// A comparison, before which the field's name may stand again.
fn comparison(scanner: &mut Scanner<'_>) -> Result<Comparison, InvalidPattern> {
    scanner.skip_blanks();
    scanner.take_while(is_of_name);
    Comparison::parse(scanner)
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || "_-$.".contains(character)
}

/// The fields of an event: what stands between blanks, between brackets, or between quotes.
fn split(message: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim();
    // What does not close is looked for once, not again behind every blank: messages are as hostile as they are long.
    let (mut closes_quote, mut closes_bracket) = (true, true);
    while let Some(first) = rest.chars().next() {
        let (closing, closes) = match first {
            '"' => ('"', &mut closes_quote),
            '[' => (']', &mut closes_bracket),
            _ => (first, &mut false),
        };
        let inside = rest.get(1..).unwrap_or_default();
        let grouped = closes.then(|| inside.split_once(closing)).flatten();
        *closes = grouped.is_some();
        let (field, after) =
            grouped.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        fields.push(field);
        rest = after.trim_start();
    }
    fields
}
