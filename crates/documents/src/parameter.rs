//! Definitions of a document's parameters.

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::session::DocumentError;

/// A parameter that a document declares.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name that references and callers use.
    pub name: String,
    /// What values it takes.
    pub parameter_type: ParameterType,
    /// What it is for.
    pub description: Option<String>,
    /// The value without an argument; a parameter without default must be given.
    pub default: Option<Value>,
    pub(crate) allowed_values: Option<Vec<Value>>,
    pub(crate) allowed_pattern: Option<AllowedPattern>,
    pub(crate) characters: Bounds,
    pub(crate) items: Bounds,
    /// The definition as the document has it.
    definition: Value,
}

/// The type of a parameter's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ParameterType {
    /// One text. Session documents may write it in lower case.
    #[serde(alias = "string")]
    String,
    /// Texts.
    StringList,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A list of objects, each given as JSON.
    MapList,
    /// An object, given as JSON.
    StringMap,
}

impl ParameterType {
    /// The name that documents and `DescribeDocument` use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::Integer => "Integer",
            Self::Boolean => "Boolean",
            Self::MapList => "MapList",
            Self::StringMap => "StringMap",
        }
    }
}

/// A pattern that a whole value must match.
///
/// AWS's documents write `^` and `$`; one that does not could mean a part of the value, and then an argument could
/// carry anything beside that part. So the whole value is meant.
#[derive(Debug, Clone)]
pub(crate) struct AllowedPattern {
    pub(crate) source: String,
    regex: Regex,
}

impl AllowedPattern {
    fn new(source: String) -> Result<Self, regex::Error> {
        let regex = Regex::new(&format!(r"\A(?:{source})\z"))?;
        Ok(Self { source, regex })
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// A smallest and a largest number, both inclusive.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    pub(crate) min: Option<usize>,
    pub(crate) max: Option<usize>,
}

impl Bounds {
    pub(crate) fn contain(self, count: usize) -> bool {
        self.min.is_none_or(|min| count >= min) && self.max.is_none_or(|max| count <= max)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    #[serde(rename = "type")]
    parameter_type: ParameterType,
    description: Option<String>,
    default: Option<Value>,
    allowed_values: Option<Vec<Value>>,
    allowed_pattern: Option<String>,
    min_chars: Option<usize>,
    max_chars: Option<usize>,
    min_items: Option<usize>,
    max_items: Option<usize>,
}

const DEFINITION_FIELDS: &[&str] = &[
    "type",
    "description",
    "default",
    "allowedValues",
    "allowedPattern",
    "minChars",
    "maxChars",
    "minItems",
    "maxItems",
    "displayType",
    "interpolationType",
];

/// Names are what a reference can hold.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Parameter {
    /// Reads all definitions of a document, in the document's order.
    pub(crate) fn read_all(definitions: &Map<String, Value>) -> Result<Vec<Self>, DocumentError> {
        definitions.iter().map(|(name, definition)| Self::read(name, definition)).collect()
    }

    /// The definitions' members that this version does not know.
    pub(crate) fn unknown_field(&self) -> Option<String> {
        let definition = self.definition.as_object()?;
        let unknown = definition.keys().find(|field| !DEFINITION_FIELDS.contains(&field.as_str()))?;
        Some(format!("parameters.{}.{unknown}", self.name))
    }

    /// The definitions as the document has them.
    pub(crate) fn definitions(parameters: &[Self]) -> Map<String, Value> {
        parameters.iter().map(|parameter| (parameter.name.clone(), parameter.definition.clone())).collect()
    }

    fn read(name: &str, definition: &Value) -> Result<Self, DocumentError> {
        let place = || format!("parameters.{name}");
        if !is_name(name) {
            return Err(DocumentError::field(place(), "a parameter's name is letters and digits"));
        }
        let read =
            Definition::deserialize(definition).map_err(|error| DocumentError::json(place(), &error))?;
        let allowed_pattern = read.allowed_pattern.map(AllowedPattern::new).transpose();
        let parameter = Self {
            name: name.to_owned(),
            parameter_type: read.parameter_type,
            description: read.description,
            default: read.default,
            allowed_values: read.allowed_values,
            allowed_pattern: allowed_pattern.map_err(|error| {
                DocumentError::field(format!("{}.allowedPattern", place()), error.to_string())
            })?,
            characters: Bounds { min: read.min_chars, max: read.max_chars },
            items: Bounds { min: read.min_items, max: read.max_items },
            definition: definition.clone(),
        };
        if let Some(default) = &parameter.default {
            parameter.check_default(default)?;
        }
        Ok(parameter)
    }

    fn check_default(&self, default: &Value) -> Result<(), DocumentError> {
        let has_type = match self.parameter_type {
            ParameterType::String => default.is_string(),
            ParameterType::StringList => {
                default.as_array().is_some_and(|items| items.iter().all(Value::is_string))
            }
            ParameterType::Integer => default.is_i64() || default.is_string(),
            ParameterType::Boolean => {
                default.is_boolean() || matches!(default.as_str(), Some("true" | "false"))
            }
            ParameterType::MapList => default.is_array(),
            ParameterType::StringMap => default.is_object(),
        };
        if has_type {
            return Ok(());
        }
        let message = format!("the default is not of type {}", self.parameter_type.as_str());
        Err(DocumentError::field(format!("parameters.{}.default", self.name), message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn definitions_that_make_no_sense_are_refused() {
        let cases = [
            (json!({"a-b": {"type": "String"}}), "parameters.a-b"),
            (json!({"": {"type": "String"}}), "parameters."),
            (json!({"a": {}}), "parameters.a"),
            (json!({"a": {"type": "Float"}}), "parameters.a"),
            (json!({"a": {"type": "String", "default": ["x"]}}), "parameters.a.default"),
            (json!({"a": {"type": "StringList", "default": "x"}}), "parameters.a.default"),
            (json!({"a": {"type": "String", "allowedPattern": "("}}), "parameters.a.allowedPattern"),
            (json!({"a": {"type": "String", "minChars": -1}}), "parameters.a"),
            (json!({"a": "String"}), "parameters.a"),
        ];
        for (definitions, place) in cases {
            let error = Parameter::read_all(definitions.as_object().unwrap()).unwrap_err().to_string();
            assert!(error.starts_with(place), "{definitions}: {error}");
        }
    }

    #[test]
    fn session_documents_may_write_string_in_lower_case() {
        let definitions = json!({"a": {"type": "string", "default": "x"}});
        let parameters = Parameter::read_all(definitions.as_object().unwrap()).unwrap();
        assert_eq!(parameters[0].parameter_type, ParameterType::String);
    }
}
