//! Patterns on events in JSON: `{ $.eventType = "Update*" && ($.code > 3 || $.user IS NULL) }`.

use serde_json::Value;

use crate::InvalidPattern;
use crate::comparison::{Comparison, Operand, number};
use crate::condition::Condition;
use crate::scanner::Scanner;
use crate::selector::Selector;

/// A condition on the properties of an event.
#[derive(Debug, Clone)]
pub(crate) struct Properties(Condition<Property>);

#[derive(Debug, Clone)]
struct Property {
    selector: Selector,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Compare(Comparison),
    IsNull,
    IsTrue,
    IsFalse,
    Exists,
    NotExists,
}

impl Properties {
    pub(crate) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        scanner.expect("{")?;
        let condition = Condition::parse(scanner, Property::parse)?;
        scanner.expect("}")?;
        scanner.expect_end()?;
        Ok(Self(condition))
    }

    /// An event that is not JSON does not match; nor does a property that is an object or an array.
    pub(crate) fn matches(&self, message: &str) -> bool {
        // Cheap: most events that are not JSON do not begin as an object or an array does.
        if !message.trim_start().starts_with(['{', '[']) {
            return false;
        }
        serde_json::from_str(message)
            .is_ok_and(|event: Value| self.0.is_met(&|property: &Property| property.matches(&event)))
    }
}

impl Property {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        scanner.skip_blanks();
        Ok(Self { selector: Selector::parse(scanner)?, test: Test::parse(scanner)? })
    }

    fn matches(&self, event: &Value) -> bool {
        let selected = |is_meant: fn(&Value) -> bool| self.selector.any(event, is_meant);
        match &self.test {
            Test::Compare(comparison) => self.selector.any(event, |value| compare(comparison, value)),
            Test::IsNull => selected(Value::is_null),
            Test::IsTrue => selected(|value| *value == Value::Bool(true)),
            Test::IsFalse => selected(|value| *value == Value::Bool(false)),
            Test::Exists => selected(|_| true),
            Test::NotExists => !selected(|_| true),
        }
    }
}

impl Test {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, InvalidPattern> {
        if scanner.take_word("IS") {
            let tests = [("NULL", Self::IsNull), ("TRUE", Self::IsTrue), ("FALSE", Self::IsFalse)];
            let found = tests.into_iter().find(|(word, _)| scanner.take_word(word));
            return found.map(|(_, test)| test).ok_or_else(|| scanner.unexpected("NULL, TRUE or FALSE"));
        }
        if scanner.take_word("EXISTS") {
            return Ok(Self::Exists);
        }
        if scanner.take_word("NOT") {
            let exists = scanner.take_word("EXISTS");
            return if exists { Ok(Self::NotExists) } else { Err(scanner.unexpected("EXISTS")) };
        }
        Comparison::parse(scanner).map(Self::Compare)
    }
}

fn compare(comparison: &Comparison, value: &Value) -> bool {
    match value {
        Value::String(text) => comparison.matches(Operand { text, number: number(text) }),
        Value::Number(found) => {
            comparison.matches(Operand { text: &found.to_string(), number: found.as_f64() })
        }
        Value::Bool(truth) => {
            comparison.matches(Operand { text: if *truth { "true" } else { "false" }, number: None })
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}
