//! Checks a value against its shape and words what is wrong as AWS does.

use std::fmt::Write as _;

use serde_json::Value;

use crate::shape::{Limits, Member, Shape};
use crate::{ApiError, CommonError, Timestamp, blob};

/// Violations that one answer reports. A body may hold far more, and its answer must not grow with them.
const VIOLATIONS_MAX: usize = 20;

/// Checks the types first, then every constraint.
pub(crate) fn check(shape: &Shape, value: &Value) -> Result<(), ApiError> {
    check_type(shape, value, &Path::Root)?;
    let mut violations = Violations::default();
    violations.visit(shape, value, &Path::Root);
    violations.into_result()
}

/// Where in the input we are; AWS writes member names in lower camel case and items as `filters.1.member`.
enum Path<'a> {
    Root,
    Member(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
    Entry(&'a Path<'a>, &'a str),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => {
                if !matches!(parent, Self::Root) {
                    write!(f, "{parent}.")?;
                }
                let mut characters = name.chars();
                let first = characters.next().map(|c| c.to_ascii_lowercase());
                write!(f, "{}{}", first.map(String::from).unwrap_or_default(), characters.as_str())
            }
            Self::Item(parent, index) => write!(f, "{parent}.{}.member", index + 1),
            Self::Entry(parent, key) => write!(f, "{parent}.{key}.member"),
        }
    }
}

/// Refuses a value that has the wrong JSON type somewhere.
fn check_type(shape: &Shape, value: &Value, path: &Path<'_>) -> Result<(), ApiError> {
    match (shape, value) {
        (Shape::Structure { members, .. }, Value::Object(object)) => {
            for member in *members {
                if let Some(value) = present(object.get(member.name)) {
                    check_type(member.shape, value, &Path::Member(path, member.name))?;
                }
            }
            Ok(())
        }
        (Shape::List { item, .. }, Value::Array(items)) => {
            for (index, value) in items.iter().enumerate().filter(|(_, value)| !value.is_null()) {
                check_type(item, value, &Path::Item(path, index))?;
            }
            Ok(())
        }
        (Shape::Map { value: shape, .. }, Value::Object(object)) => {
            for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                check_type(shape, value, &Path::Entry(path, key))?;
            }
            Ok(())
        }
        (Shape::Text { .. }, Value::String(_)) | (Shape::Boolean, Value::Bool(_)) => Ok(()),
        (Shape::Integer(_), Value::Number(number))
            if whole(number).is_some_and(|n| i32::try_from(n).is_ok()) =>
        {
            Ok(())
        }
        (Shape::Long(_), Value::Number(number)) if whole(number).is_some() => Ok(()),
        (Shape::Double, Value::Number(_)) => Ok(()),
        (Shape::Timestamp, value) if Timestamp::from_json(value).is_some() => Ok(()),
        (Shape::Blob(_), Value::String(text)) if blob::decode(text).is_some() => Ok(()),
        (shape, value) => {
            let mut place = path.to_string();
            if !place.is_empty() {
                place = format!(" at '{place}'");
            }
            let message = format!("{}{place} can not be converted to {}", token(value), type_name(shape));
            Err(ApiError::new(CommonError::Serialization, message))
        }
    }
}

fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn type_name(shape: &Shape) -> &'static str {
    match shape {
        Shape::Structure { .. } => "a Structure",
        Shape::List { .. } => "a List",
        Shape::Map { .. } => "a Map",
        Shape::Text { .. } => "a String",
        Shape::Integer(_) => "an Integer",
        Shape::Long(_) => "a Long",
        Shape::Double => "a Double",
        Shape::Boolean => "a Boolean",
        Shape::Timestamp => "a Timestamp",
        Shape::Blob(_) => "a Blob",
    }
}

fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64()
}

/// The value, unless it is `null`, which is as good as absent.
fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

/// The violations found so far, each a finished text.
#[derive(Default)]
struct Violations(Vec<String>);

impl Violations {
    fn into_result(self) -> Result<(), ApiError> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(format!("1 validation error detected: {}", self.0[0])),
            count => Err(format!("{count} validation errors detected: {}", self.0.join("; "))),
        }
        .map_err(|message| ApiError::new(CommonError::Validation, message))
    }

    fn is_full(&self) -> bool {
        self.0.len() >= VIOLATIONS_MAX
    }

    fn visit(&mut self, shape: &Shape, value: &Value, path: &Path<'_>) {
        if self.is_full() {
            return;
        }
        let before = self.0.len();
        for constraint in own_violations(shape, value) {
            self.add(shape, value, path, &constraint);
        }
        // Too many items: nobody needs to hear about each of them.
        if self.0.len() > before {
            return;
        }
        match (shape, value) {
            (Shape::Structure { members, .. }, Value::Object(object)) => {
                for member in *members {
                    self.visit_member(member, present(object.get(member.name)), path);
                }
            }
            (Shape::List { item, .. }, Value::Array(items)) => {
                self.visit_items(shape, item, value, items, path)
            }
            (Shape::Map { key, value: item, .. }, Value::Object(object)) => {
                if object.keys().any(|text| !is_within(key, &Value::String(text.clone()))) {
                    self.add(
                        shape,
                        value,
                        path,
                        &format!("Map keys must satisfy constraint: {}", all_of(key)),
                    );
                }
                if is_structure(item) {
                    for (key, value) in object {
                        self.visit(item, value, &Path::Entry(path, key));
                    }
                } else if object.values().any(|value| !is_within(item, value)) {
                    self.add(
                        shape,
                        value,
                        path,
                        &format!("Map value must satisfy constraint: {}", all_of(item)),
                    );
                }
            }
            _ => {}
        }
    }

    fn visit_member(&mut self, member: &Member, value: Option<&Value>, path: &Path<'_>) {
        let path = Path::Member(path, member.name);
        match value {
            Some(value) => self.visit(member.shape, value, &path),
            None if member.required => self.add(member.shape, &Value::Null, &path, "Member must not be null"),
            None => {}
        }
    }

    /// Structures are reported one by one, simple items once for the whole list.
    fn visit_items(&mut self, list: &Shape, item: &Shape, value: &Value, items: &[Value], path: &Path<'_>) {
        if is_structure(item) {
            for (index, value) in items.iter().enumerate() {
                let path = Path::Item(path, index);
                if value.is_null() {
                    self.add(item, value, &path, "Member must not be null");
                } else {
                    self.visit(item, value, &path);
                }
            }
        } else if items.iter().any(|value| !is_within(item, value)) {
            self.add(list, value, path, &format!("Member must satisfy constraint: {}", all_of(item)));
        }
    }

    fn add(&mut self, shape: &Shape, value: &Value, path: &Path<'_>, constraint: &str) {
        if self.is_full() {
            return;
        }
        let value = match (shape, value) {
            (_, Value::Null) => " null".to_owned(),
            (Shape::Text { sensitive: true, .. }, _) => String::new(),
            _ => format!(" '{}'", java_text(shape, value)),
        };
        self.0.push(format!("Value{value} at '{path}' failed to satisfy constraint: {constraint}"));
    }
}

fn is_structure(shape: &Shape) -> bool {
    matches!(shape, Shape::Structure { .. })
}

/// Whether a simple value, or a collection of simple values, satisfies everything.
fn is_within(shape: &Shape, value: &Value) -> bool {
    let mut inner = Violations::default();
    inner.visit(shape, value, &Path::Root);
    !value.is_null() && inner.0.is_empty()
}

/// The constraints of `shape` itself that `value` violates.
fn own_violations(shape: &Shape, value: &Value) -> Vec<String> {
    constraints(shape)
        .into_iter()
        .filter(|constraint| !constraint.allows(value))
        .map(|c| c.to_string())
        .collect()
}

/// All constraints of an item, as AWS lists them for a collection.
fn all_of(shape: &Shape) -> String {
    let mut texts: Vec<String> = constraints(shape).iter().map(ToString::to_string).collect();
    match shape {
        Shape::List { item, .. } => texts.push(format!("Member must satisfy constraint: {}", all_of(item))),
        _ if texts.is_empty() => texts.push("Member must not be null".to_owned()),
        _ => {}
    }
    format!("[{}]", texts.join(", "))
}

/// One constraint of a simple value or of a collection's size.
enum Constraint<'a> {
    LengthAtMost(i64),
    LengthAtLeast(i64),
    AtMost(i64),
    AtLeast(i64),
    Pattern(&'a crate::Pattern),
    OneOf(&'a [&'a str]),
}

fn constraints(shape: &Shape) -> Vec<Constraint<'_>> {
    let mut found = Vec::new();
    let length = |limits: &Limits, found: &mut Vec<_>| {
        found.extend(limits.max.map(Constraint::LengthAtMost));
        found.extend(limits.min.map(Constraint::LengthAtLeast));
    };
    match shape {
        Shape::List { length: limits, .. } | Shape::Map { length: limits, .. } | Shape::Blob(limits) => {
            length(limits, &mut found);
        }
        Shape::Text { length: limits, pattern, values, .. } => {
            length(limits, &mut found);
            found.extend(pattern.map(Constraint::Pattern));
            if !values.is_empty() {
                found.push(Constraint::OneOf(values));
            }
        }
        Shape::Integer(limits) | Shape::Long(limits) => {
            found.extend(limits.max.map(Constraint::AtMost));
            found.extend(limits.min.map(Constraint::AtLeast));
        }
        Shape::Structure { .. } | Shape::Double | Shape::Boolean | Shape::Timestamp => {}
    }
    found
}

impl Constraint<'_> {
    fn allows(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::LengthAtMost(max), _) => length(value) <= *max,
            (Self::LengthAtLeast(min), _) => length(value) >= *min,
            (Self::AtMost(max), Value::Number(number)) => whole(number).is_none_or(|n| n <= *max),
            (Self::AtLeast(min), Value::Number(number)) => whole(number).is_none_or(|n| n >= *min),
            (Self::Pattern(pattern), Value::String(text)) => pattern.matches(text),
            (Self::OneOf(values), Value::String(text)) => values.contains(&text.as_str()),
            _ => true,
        }
    }
}

impl std::fmt::Display for Constraint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Member must ")?;
        match self {
            Self::LengthAtMost(max) => write!(f, "have length less than or equal to {max}"),
            Self::LengthAtLeast(min) => write!(f, "have length greater than or equal to {min}"),
            Self::AtMost(max) => write!(f, "have value less than or equal to {max}"),
            Self::AtLeast(min) => write!(f, "have value greater than or equal to {min}"),
            Self::Pattern(pattern) => write!(f, "satisfy regular expression pattern: {}", pattern.source()),
            Self::OneOf(values) => write!(f, "satisfy enum value set: [{}]", values.join(", ")),
        }
    }
}

/// Characters of a text, items of a collection.
fn length(value: &Value) -> i64 {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    };
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The value as Java's `toString` gives it, which is what AWS's messages quote. Secrets are left out.
fn java_text(shape: &Shape, value: &Value) -> String {
    let mut text = String::new();
    match (shape, value) {
        (Shape::Text { sensitive: true, .. }, _) => text.push_str("***"),
        (Shape::List { item, .. }, Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|value| java_text(item, value)).collect();
            let _ = write!(text, "[{}]", items.join(", "));
        }
        (Shape::Map { value: item, .. }, Value::Object(object)) => {
            let entries: Vec<String> =
                object.iter().map(|(key, value)| format!("{key}={}", java_text(item, value))).collect();
            let _ = write!(text, "{{{}}}", entries.join(", "));
        }
        (Shape::Structure { name, members }, Value::Object(object)) => {
            let members: Vec<String> = members
                .iter()
                .filter_map(|member| {
                    let value = present(object.get(member.name))?;
                    Some(format!(
                        "{}={}",
                        Path::Member(&Path::Root, member.name),
                        java_text(member.shape, value)
                    ))
                })
                .collect();
            let _ = write!(text, "{name}({})", members.join(", "));
        }
        (_, Value::String(value)) => text.push_str(value),
        (_, value) => {
            let _ = write!(text, "{value}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
