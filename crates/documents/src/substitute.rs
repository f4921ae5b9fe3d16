//! `{{ name }}`: putting values into the places of a document that ask for them.
//!
//! Source: agent/framework/docparser/parameterstore and agent/parameters/parameters.go of aws/amazon-ssm-agent.

use serde_json::{Map, Value};

/// The value with every reference replaced whose name is in `arguments`; others stay as they are.
///
/// - A text that is nothing but `{{ name }}` becomes the argument with its type.
/// - Inside a longer text the argument is inserted as text, what is not a text as JSON; `$$` in it becomes `$`.
/// - What was inserted is not looked at again, and **nothing is quoted**: an argument in a command line is part of
///   the command line.
#[must_use]
pub fn substitute(value: &Value, arguments: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => substitute_text(text, arguments),
        Value::Array(items) => items.iter().map(|item| substitute(item, arguments)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), substitute(value, arguments))).collect()
        }
        other => other.clone(),
    }
}

fn substitute_text(text: &str, arguments: &Map<String, Value>) -> Value {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, from_braces) = rest.split_at(start);
        replaced.push_str(before);
        let reference = Reference::at_start_of(from_braces);
        let argument = reference.as_ref().and_then(|reference| arguments.get(reference.name));
        match (reference, argument) {
            (Some(reference), Some(argument)) => {
                if reference.length == text.len() {
                    return argument.clone();
                }
                replaced.push_str(&inserted(argument));
                rest = &from_braces[reference.length..];
            }
            // One brace only: `{{{ name }}` holds a reference that begins at the second.
            _ => {
                replaced.push('{');
                rest = &from_braces[1..];
            }
        }
    }
    replaced.push_str(rest);
    Value::String(replaced)
}

fn inserted(argument: &Value) -> String {
    let text = match argument {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.replace("$$", "$")
}

/// Whether the text holds a reference, to whatever name.
pub(crate) fn has_reference(text: &str) -> bool {
    text.char_indices().any(|(at, _)| Reference::at_start_of(&text[at..]).is_some())
}

struct Reference<'a> {
    name: &'a str,
    length: usize,
}

impl<'a> Reference<'a> {
    /// The reference that `text` begins with: two braces, blanks, letters and digits, blanks, two braces.
    fn at_start_of(text: &'a str) -> Option<Self> {
        let after_braces = text.strip_prefix("{{")?;
        let from_name = after_braces.trim_start_matches(' ');
        let name_length = from_name.find(|c: char| !c.is_ascii_alphanumeric())?;
        let (name, after_name) = from_name.split_at(name_length);
        let rest = after_name.trim_start_matches(' ').strip_prefix("}}")?;
        (!name.is_empty()).then(|| Self { name, length: text.len() - rest.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts() {
        let arguments = json!({
            "host": "db.example", "port": "5432", "list": ["a", "b\""], "n": 7, "yes": true, "dollar": "a$$b$c",
            "evil": "{{ host }}", "map": {"k": "v"}, "empty": "",
        });
        let arguments = arguments.as_object().unwrap();
        let cases = [
            ("plain", json!("plain")),
            ("{{ host }}", json!("db.example")),
            ("{{host}}", json!("db.example")),
            ("{{   host }}", json!("db.example")),
            ("{{ list }}", json!(["a", "b\""])),
            ("{{ n }}", json!(7)),
            ("{{ yes }}", json!(true)),
            ("{{ dollar }}", json!("a$$b$c")),
            ("{{ empty }}", json!("")),
            ("{{host}}:{{ port }}", json!("db.example:5432")),
            (" {{ host }}", json!(" db.example")),
            ("echo {{ list }} {{ n }} {{ yes }} {{ map }}", json!(r#"echo ["a","b\""] 7 true {"k":"v"}"#)),
            ("echo {{ dollar }}", json!("echo a$b$c")),
            ("echo {{ evil }}", json!("echo {{ host }}")),
            ("{{ unknown }}", json!("{{ unknown }}")),
            ("x {{ unknown }} {{ n }}", json!("x {{ unknown }} 7")),
            ("{{{ n }}}", json!("{7}")),
            ("{{ ssm:host }}", json!("{{ ssm:host }}")),
            ("{{ }} {{", json!("{{ }} {{")),
            ("{{ n } }", json!("{{ n } }")),
            ("{{\tn }}", json!("{{\tn }}")),
            ("ä{{ n }}ß", json!("ä7ß")),
        ];
        for (text, expected) in cases {
            assert_eq!(substitute(&json!(text), arguments), expected, "{text}");
        }
    }

    #[test]
    fn structures_keep_their_form() {
        let arguments = json!({"command": "id"});
        let value = json!({"linux": {"commands": "{{ command }}", "runAsElevated": true}, "{{ command }}": [1, "{{ command }}"]});
        assert_eq!(
            substitute(&value, arguments.as_object().unwrap()),
            json!({"linux": {"commands": "id", "runAsElevated": true}, "{{ command }}": [1, "id"]})
        );
    }

    #[test]
    fn references_are_seen() {
        for (text, expected) in
            [("{{ a }}", true), ("x{{a}}y", true), ("{{ a-b }}", false), ("{{", false), ("{{{a}}", true)]
        {
            assert_eq!(has_reference(text), expected, "{text}");
        }
    }
}
