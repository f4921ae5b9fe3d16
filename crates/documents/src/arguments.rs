//! The arguments of `StartSession`, held to what the document declares.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::parameter::{Parameter, ParameterType};

/// Every parameter of a document with its value, typed: texts for `String`, lists for `StringList`.
///
/// This is the form that a node is sent; a list where a node expects a text makes its session fail.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arguments(Map<String, Value>);

/// An argument that the document does not allow: AWS's `InvalidParameters`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParameters {
    /// The document has no such parameter.
    #[error("Parameter \"{name}\" is not defined in the document.")]
    Unknown {
        /// The parameter.
        name: String,
    },
    /// It has no default and was not given.
    #[error("Parameter \"{name}\" is required and has no value.")]
    Missing {
        /// The parameter.
        name: String,
    },
    /// The value does not read as the parameter's type.
    #[error("Parameter \"{name}\" has value {value} not of type {expected}.")]
    WrongType {
        /// The parameter.
        name: String,
        /// What was given, as JSON.
        value: String,
        /// The type's name.
        expected: &'static str,
    },
    /// The value is not one of those allowed.
    #[error("Parameter \"{name}\" has value \"{value}\" not in [{allowed}].")]
    NotAllowed {
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: String,
    },
    /// The value does not match the pattern.
    #[error("Parameter \"{name}\" has value \"{value}\" not matching \"{pattern}\".")]
    NotMatching {
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
        /// The document's pattern.
        pattern: String,
    },
    /// Too short or too long, too few or too many.
    #[error("Parameter \"{name}\" has {count} {unit}, which is outside the document's limits.")]
    OutOfBounds {
        /// The parameter.
        name: String,
        /// How many were given.
        count: usize,
        /// What was counted.
        unit: &'static str,
    },
}

impl Arguments {
    /// The values by name, as a node is sent them.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Holds what a caller gave to the parameters. Defaults stand for what was not given.
    pub(crate) fn check(
        parameters: &[Parameter],
        given: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, InvalidParameters> {
        if let Some(name) = given.keys().find(|name| !parameters.iter().any(|p| p.name == **name)) {
            return Err(InvalidParameters::Unknown { name: name.clone() });
        }
        let mut arguments = Map::new();
        for parameter in parameters {
            let value = match (given.get(&parameter.name), &parameter.default) {
                (Some(texts), _) => {
                    let value = typed(parameter, texts)?;
                    parameter.check(&value)?;
                    value
                }
                // The document's author answers for the default.
                (None, Some(default)) => default.clone(),
                (None, None) => return Err(InvalidParameters::Missing { name: parameter.name.clone() }),
            };
            arguments.insert(parameter.name.clone(), value);
        }
        Ok(Self(arguments))
    }
}

/// Every argument arrives as a list of texts; most types take a list of one.
fn typed(parameter: &Parameter, texts: &[String]) -> Result<Value, InvalidParameters> {
    let json = |text: &String| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    let value = match (parameter.parameter_type, texts) {
        (ParameterType::String, [text]) => Some(Value::from(text.as_str())),
        (ParameterType::StringList, texts) => Some(Value::from(texts)),
        (ParameterType::Integer, [text]) => text.parse::<i64>().ok().map(Value::from),
        (ParameterType::Boolean, [text]) => match text.as_str() {
            "true" | "True" => Some(Value::Bool(true)),
            "false" | "False" => Some(Value::Bool(false)),
            _ => None,
        },
        (ParameterType::StringMap, [text]) => json(text),
        (ParameterType::MapList, texts) => texts.iter().map(json).collect(),
        _ => None,
    };
    value.ok_or_else(|| InvalidParameters::WrongType {
        name: parameter.name.clone(),
        value: Value::from(texts).to_string(),
        expected: parameter.parameter_type.as_str(),
    })
}

impl Parameter {
    fn check(&self, value: &Value) -> Result<(), InvalidParameters> {
        if let Some(items) = value.as_array() {
            if !self.items.contain(items.len()) {
                return Err(self.out_of_bounds(items.len(), "items"));
            }
            return items.iter().try_for_each(|item| self.check_simple(item));
        }
        self.check_simple(value)
    }

    fn check_simple(&self, value: &Value) -> Result<(), InvalidParameters> {
        let text = text(value);
        let characters = text.chars().count();
        if value.is_string() && !self.characters.contain(characters) {
            return Err(self.out_of_bounds(characters, "characters"));
        }
        if let Some(allowed) = &self.allowed_values {
            let allowed: Vec<String> = allowed.iter().map(self::text).collect();
            if !allowed.contains(&text) {
                let allowed = allowed.join(", ");
                return Err(InvalidParameters::NotAllowed { name: self.name.clone(), value: text, allowed });
            }
        }
        match &self.allowed_pattern {
            Some(pattern) if !pattern.matches(&text) => Err(InvalidParameters::NotMatching {
                name: self.name.clone(),
                value: text,
                pattern: pattern.source.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn out_of_bounds(&self, count: usize, unit: &'static str) -> InvalidParameters {
        InvalidParameters::OutOfBounds { name: self.name.clone(), count, unit }
    }
}

/// A text itself, anything else as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(definitions: &Value, given: &Value) -> Result<Value, String> {
        let parameters = Parameter::read_all(definitions.as_object().unwrap()).unwrap();
        let given = serde_json::from_value(given.clone()).unwrap();
        match Arguments::check(&parameters, &given) {
            Ok(arguments) => Ok(Value::Object(arguments.0)),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn values_take_the_parameters_type() {
        let cases = [
            ("String", json!(["a"]), json!("a")),
            ("String", json!([""]), json!("")),
            ("StringList", json!(["a"]), json!(["a"])),
            ("StringList", json!([]), json!([])),
            ("Integer", json!(["-7"]), json!(-7)),
            ("Boolean", json!(["true"]), json!(true)),
            ("StringMap", json!([r#"{"k":"v"}"#]), json!({"k": "v"})),
            ("MapList", json!([r#"{"k":"v"}"#, "{}"]), json!([{"k": "v"}, {}])),
        ];
        for (parameter_type, given, expected) in cases {
            let definitions = json!({"p": {"type": parameter_type}});
            assert_eq!(
                check(&definitions, &json!({"p": given})),
                Ok(json!({"p": expected})),
                "{parameter_type}"
            );
        }
        for (parameter_type, given) in [
            ("String", json!([])),
            ("String", json!(["a", "b"])),
            ("Integer", json!(["seven"])),
            ("Integer", json!([])),
            ("Boolean", json!(["yes"])),
            ("StringMap", json!(["[]"])),
            ("MapList", json!(["{}", "x"])),
        ] {
            let definitions = json!({"p": {"type": parameter_type}});
            let error = check(&definitions, &json!({"p": given})).unwrap_err();
            assert!(error.ends_with(&format!("not of type {parameter_type}.")), "{parameter_type}: {error}");
        }
    }

    #[test]
    fn defaults_stand_in() {
        let definitions =
            json!({"a": {"type": "String", "default": "x"}, "b": {"type": "StringList", "default": ["y"]}});
        assert_eq!(check(&definitions, &json!({})), Ok(json!({"a": "x", "b": ["y"]})));
        assert_eq!(check(&definitions, &json!({"a": ["z"]})), Ok(json!({"a": "z", "b": ["y"]})));
    }

    #[test]
    fn refusals_say_which_and_why() {
        let definitions = json!({
            "needed": {"type": "String"},
            "port": {"type": "String", "default": "22", "allowedPattern": "^[0-9]{1,5}$"},
            "loose": {"type": "String", "default": "a", "allowedPattern": "[a-z]+"},
            "one": {"type": "String", "default": "a", "allowedValues": ["a", "b"]},
            "short": {"type": "String", "default": "", "maxChars": 3},
            "few": {"type": "StringList", "default": ["x"], "maxItems": 1, "allowedPattern": "x"},
        });
        let refusal = |given: Value| check(&definitions, &given).unwrap_err();
        insta::assert_snapshot!(refusal(json!({"needed": ["n"], "other": ["x"]})), @r#"Parameter "other" is not defined in the document."#);
        insta::assert_snapshot!(refusal(json!({})), @r#"Parameter "needed" is required and has no value."#);
        insta::assert_snapshot!(refusal(json!({"needed": ["a", "b"]})), @r#"Parameter "needed" has value ["a","b"] not of type String."#);
        insta::assert_snapshot!(refusal(json!({"needed": ["n"], "port": ["22; id"]})), @r#"Parameter "port" has value "22; id" not matching "^[0-9]{1,5}$"."#);
        insta::assert_snapshot!(refusal(json!({"needed": ["n"], "port": ["22\n"]})), @r#"
        Parameter "port" has value "22
        " not matching "^[0-9]{1,5}$".
        "#);
        insta::assert_snapshot!(refusal(json!({"needed": ["n"], "loose": ["a;b"]})), @r#"Parameter "loose" has value "a;b" not matching "[a-z]+"."#);
        insta::assert_snapshot!(refusal(json!({"needed": ["n"], "one": ["c"]})), @r#"Parameter "one" has value "c" not in [a, b]."#);
        insta::assert_snapshot!(refusal(json!({"needed": ["n"], "short": ["four"]})), @r#"Parameter "short" has 4 characters, which is outside the document's limits."#);
        insta::assert_snapshot!(refusal(json!({"needed": ["n"], "few": ["x", "x"]})), @r#"Parameter "few" has 2 items, which is outside the document's limits."#);
        insta::assert_snapshot!(refusal(json!({"needed": ["n"], "few": ["y"]})), @r#"Parameter "few" has value "y" not matching "x"."#);
    }
}
