//! Selectors of properties, such as `$.requests[0].code`.

use serde_json::Value;

use crate::InvalidPattern;
use crate::scanner::Scanner;

/// The way to a property. Its length is bounded by that of a pattern, and only one step has several outcomes.
#[derive(Debug, Clone)]
pub(crate) struct Selector(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// `.name`, `['name']`
    Member(String),
    /// `[0]`
    Element(usize),
    /// `[*]` and `.*`: each element or member.
    Each,
}

impl Selector {
    pub(crate) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        scanner.expect("$")?;
        let mut steps = Vec::new();
        loop {
            if scanner.take("[") {
                steps.push(in_brackets(scanner)?);
            } else if scanner.take(".") {
                // `$.['name']` is the same as `$['name']`.
                steps.push(if scanner.take("[") { in_brackets(scanner)? } else { member(scanner)? });
            } else {
                break;
            }
        }
        if steps.is_empty() {
            return Err(scanner.unexpected("a property"));
        }
        // Source: quotas of the filter pattern syntax.
        if steps.iter().filter(|step| **step == Step::Each).count() > 1 {
            return Err(InvalidPattern::new("a property selector has more than one wildcard"));
        }
        Ok(Self(steps))
    }

    /// Whether `is_meant` holds of what is selected, or of one of several.
    pub(crate) fn any(&self, event: &Value, is_meant: impl Fn(&Value) -> bool) -> bool {
        any(&self.0, event, &is_meant)
    }
}

fn any(steps: &[Step], value: &Value, is_meant: &impl Fn(&Value) -> bool) -> bool {
    let mut value = value;
    let mut steps = steps.iter();
    while let Some(step) = steps.next() {
        let next = match step {
            Step::Member(name) => value.get(name),
            Step::Element(index) => value.get(index),
            Step::Each => {
                let rest = steps.as_slice();
                return match value {
                    Value::Array(elements) => elements.iter().any(|element| any(rest, element, is_meant)),
                    Value::Object(members) => members.values().any(|member| any(rest, member, is_meant)),
                    _ => false,
                };
            }
        };
        match next {
            Some(next) => value = next,
            None => return false,
        }
    }
    is_meant(value)
}

fn member(scanner: &mut Scanner<'_>) -> Result<Step, InvalidPattern> {
    if scanner.take("*") {
        return Ok(Step::Each);
    }
    let name = scanner.take_while(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if name.is_empty() {
        Err(scanner.unexpected("a property's name"))
    } else {
        Ok(Step::Member(name.to_owned()))
    }
}

/// Behind the opening bracket.
fn in_brackets(scanner: &mut Scanner<'_>) -> Result<Step, InvalidPattern> {
    scanner.skip_blanks();
    let step = if scanner.take("*") {
        Step::Each
    } else if let Some(name) = scanner.quoted('\'')? {
        Step::Member(name)
    } else if let Some(name) = scanner.quoted('"')? {
        Step::Member(name)
    } else {
        let digits = scanner.take_while(|c| c.is_ascii_digit());
        Step::Element(digits.parse().map_err(|_| scanner.unexpected("an index"))?)
    };
    scanner.expect("]")?;
    Ok(step)
}
