//! `application/x-www-form-urlencoded` bodies, and the inputs that their dotted names describe.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::{ApiError, CommonError, Shape};

/// Fields of one form. IAM's largest inputs have some hundreds.
const FIELDS_MAX: usize = 4096;
/// Parts of one dotted name. The deepest of AWS's inputs have eight.
const NAME_PARTS_MAX: usize = 16;

/// A decoded form.
#[derive(Debug, Default)]
pub struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    /// Decodes a body or a query string. Of a repeated name the last value counts.
    ///
    /// # Errors
    /// `MalformedQueryString` if it is not UTF-8, or larger than any input of AWS's.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut fields = BTreeMap::new();
        for field in text.split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let name = decode(name)?;
            if name.split('.').count() > NAME_PARTS_MAX {
                return Err(malformed("a parameter's name has too many parts"));
            }
            fields.insert(name, decode(value)?);
            if fields.len() > FIELDS_MAX {
                return Err(malformed("too many parameters"));
            }
        }
        Ok(Self { fields })
    }

    /// The value of a plain field, such as `Action`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The input that the fields describe, in the form that JSON would have. Values that do not read as their type
    /// stay texts, for the check of types to refuse.
    pub(crate) fn to_value(&self, shape: &Shape) -> Value {
        let mut root = Node::default();
        for (name, value) in &self.fields {
            let node = name.split('.').fold(&mut root, |node, part| node.children.entry(part).or_default());
            node.value = Some(value);
        }
        root.to_value(shape).unwrap_or_else(|| Value::Object(Map::new()))
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(String::from).map_err(|_| malformed("the form is not UTF-8"))
}

fn malformed(message: &str) -> ApiError {
    ApiError::new(CommonError::Serialization, message)
}

/// The names as a tree, split at their dots.
#[derive(Default)]
struct Node<'a> {
    value: Option<&'a str>,
    children: BTreeMap<&'a str, Node<'a>>,
}

impl Node<'_> {
    fn to_value(&self, shape: &Shape) -> Option<Value> {
        match shape {
            Shape::Structure { members, .. } => {
                let members = members.iter().filter_map(|member| {
                    let value = self.children.get(member.name)?.to_value(member.shape)?;
                    Some((member.name.to_owned(), value))
                });
                Some(Value::Object(members.collect()))
            }
            Shape::List { item, item_name, .. } => {
                let items = match item_name {
                    Some(name) => self.children.get(name).map(Node::numbered).unwrap_or_default(),
                    None => self.numbered(),
                };
                // `Tags=` is how clients write an empty list.
                (!items.is_empty() || self.value.is_some())
                    .then(|| items.iter().map(|node| node.to_value(item).unwrap_or_default()).collect())
            }
            Shape::Map { value: item, .. } => {
                let entries = self.children.get("entry").map(Node::numbered).unwrap_or_default();
                let entries = entries.iter().filter_map(|node| {
                    let key = node.children.get("key")?.value?.to_owned();
                    Some((key, node.children.get("value")?.to_value(item)?))
                });
                let entries: Map<String, Value> = entries.collect();
                (!entries.is_empty() || self.value.is_some()).then_some(Value::Object(entries))
            }
            simple => self.value.map(|text| simple_value(simple, text)),
        }
    }

    /// The children named `1`, `2`, … in the order of the numbers.
    fn numbered(&self) -> Vec<&Self> {
        let mut numbered: Vec<(u32, &Self)> =
            self.children.iter().filter_map(|(name, node)| Some((name.parse().ok()?, node))).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, node)| node).collect()
    }
}

fn simple_value(shape: &Shape, text: &str) -> Value {
    let read = match shape {
        Shape::Integer(_) | Shape::Long(_) => text.parse::<i64>().ok().map(Value::from),
        Shape::Double => text.parse::<f64>().ok().map(Value::from),
        Shape::Boolean => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Member};

    static TEXT: Shape = Shape::Text { length: Limits::NONE, pattern: None, values: &[], sensitive: false };
    static TAG: Shape = Shape::Structure {
        name: "Tag",
        members: &[
            Member { name: "Key", shape: &TEXT, required: true },
            Member { name: "Value", shape: &TEXT, required: true },
        ],
    };
    static INPUT: Shape = Shape::Structure {
        name: "Input",
        members: &[
            Member { name: "RoleName", shape: &TEXT, required: true },
            Member { name: "MaxItems", shape: &Shape::Integer(Limits::NONE), required: false },
            Member { name: "Force", shape: &Shape::Boolean, required: false },
            Member {
                name: "Tags",
                shape: &Shape::List { item: &TAG, item_name: Some("member"), length: Limits::NONE },
                required: false,
            },
            Member {
                name: "Flat",
                shape: &Shape::List { item: &TEXT, item_name: None, length: Limits::NONE },
                required: false,
            },
            Member {
                name: "Labels",
                shape: &Shape::Map { key: &TEXT, value: &TEXT, length: Limits::NONE },
                required: false,
            },
        ],
    };

    #[test]
    fn dotted_names_become_structures() {
        let cases = [
            ("Action=X&RoleName=a+b%2Fc", r#"{"RoleName":"a b/c"}"#),
            ("MaxItems=7&Force=true", r#"{"MaxItems":7,"Force":true}"#),
            ("MaxItems=seven", r#"{"MaxItems":"seven"}"#),
            (
                "Tags.member.10.Key=j&Tags.member.2.Key=b&Tags.member.2.Value=c",
                r#"{"Tags":[{"Key":"b","Value":"c"},{"Key":"j"}]}"#,
            ),
            ("Tags=", r#"{"Tags":[]}"#),
            ("Flat.1=a&Flat.2=b", r#"{"Flat":["a","b"]}"#),
            ("Labels.entry.1.key=k&Labels.entry.1.value=v", r#"{"Labels":{"k":"v"}}"#),
            ("Tags.nonsense=1&&=&RoleName", r#"{"RoleName":""}"#),
        ];
        for (text, json) in cases {
            let form = Form::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(form.to_value(&INPUT).to_string(), json, "{text}");
        }
    }

    #[test]
    fn hostile_forms_are_refused() {
        assert!(Form::parse("a=%ff").is_err());
        assert!(Form::parse(&"a.".repeat(100)).is_err());
        let many: String = (0..5000).map(|n| format!("a{n}=&")).collect();
        assert!(Form::parse(&many).is_err());
    }
}
