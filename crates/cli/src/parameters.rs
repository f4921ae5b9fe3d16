//! Parameters of documents as the AWS CLI takes them, and commands as shells read them.

use std::collections::BTreeMap;
use std::str::FromStr;

/// The value of `--parameters`: JSON (`{"portNumber":["80"]}`), or the AWS CLI's shorthand
/// (`portNumber=80,localPortNumber=8080`, `command=["ls -l"]`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(pub(crate) BTreeMap<String, Vec<String>>);

#[derive(Debug, thiserror::Error)]
#[error("not parameters: {0}")]
pub(crate) struct ParametersError(String);

impl FromStr for Parameters {
    type Err = ParametersError;

    fn from_str(text: &str) -> Result<Self, ParametersError> {
        if text.trim_start().starts_with('{') { json(text) } else { shorthand(text) }
    }
}

/// One value or several.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

fn json(text: &str) -> Result<Parameters, ParametersError> {
    let values: BTreeMap<String, Values> = serde_json::from_str(text).map_err(|error| {
        ParametersError(format!("a JSON object of texts or lists of texts is needed ({error})"))
    })?;
    let list = |values| match values {
        Values::One(value) => vec![value],
        Values::Many(values) => values,
    };
    Ok(Parameters(values.into_iter().map(|(name, values)| (name, list(values))).collect()))
}

fn shorthand(text: &str) -> Result<Parameters, ParametersError> {
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = None;
    let mut rest = text;
    while !rest.is_empty() {
        let piece_end = rest.find(',').unwrap_or(rest.len());
        let name = match (rest[..piece_end].split_once('='), &last) {
            (Some((name, _)), _) if !name.trim().is_empty() => {
                let name = name.trim().to_owned();
                rest = &rest[rest.find('=').map_or(0, |at| at + 1)..];
                name
            }
            // `a=1,2` are two values of `a`.
            (None, Some(name)) => String::clone(name),
            _ => return Err(ParametersError(format!("`name=value` is needed, not {rest:?}"))),
        };
        let (values, length) = values(rest)?;
        parameters.entry(name.clone()).or_default().extend(values);
        last = Some(name);
        rest = rest[length..].strip_prefix(',').unwrap_or(&rest[length..]);
    }
    Ok(Parameters(parameters))
}

/// A JSON list, or everything up to the next comma; and how long it is.
fn values(text: &str) -> Result<(Vec<String>, usize), ParametersError> {
    if !text.starts_with('[') {
        let length = text.find(',').unwrap_or(text.len());
        return Ok((vec![text[..length].to_owned()], length));
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Vec<String>>();
    match stream.next() {
        Some(Ok(values)) => Ok((values, stream.byte_offset())),
        _ => Err(ParametersError(format!("a list of texts in quotes is needed, not {text:?}"))),
    }
}

/// The command line that a shell splits into these words again. A single word is a command line already.
pub(crate) fn command_line(words: &[String]) -> String {
    match words {
        [line] => line.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word that a shell reads as this one.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &[&str])]) {
        let Parameters(parsed) = text.parse().unwrap();
        let owned = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        let expected = expected.iter().map(|(name, values)| (name.to_string(), owned(values))).collect();
        assert_eq!(parsed, expected, "{text}");
    }

    #[test]
    fn both_notations_are_read() {
        check("", &[]);
        check("portNumber=80", &[("portNumber", &["80"])]);
        check(
            "portNumber=80,localPortNumber=8080",
            &[("portNumber", &["80"]), ("localPortNumber", &["8080"])],
        );
        check("a=1,2,b=3", &[("a", &["1", "2"]), ("b", &["3"])]);
        check("a=x=y", &[("a", &["x=y"])]);
        check(r#"command=["ls -l, -a"],x=1"#, &[("command", &["ls -l, -a"]), ("x", &["1"])]);
        check(r#"{"portNumber":["80"],"host":"db"}"#, &[("portNumber", &["80"]), ("host", &["db"])]);
    }

    #[test]
    fn mistakes_are_told() {
        for text in ["portNumber", "=80", "{", r#"{"a":1}"#, "a=[1]", "a=[\"x\""] {
            assert!(text.parse::<Parameters>().is_err(), "{text}");
        }
    }

    #[test]
    fn words_survive_a_shell() {
        for (words, line) in [
            (&["ls -l"][..], "ls -l"),
            (&["ls", "-l", "/tmp/a b"], "ls -l '/tmp/a b'"),
            (&["echo", "it's", ""], r"echo 'it'\''s' ''"),
        ] {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert_eq!(command_line(&words), line);
        }
    }
}
