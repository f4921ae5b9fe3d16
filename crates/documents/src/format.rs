//! The formats that documents are written in.

use serde_json::Value;

use crate::session::DocumentError;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFormat {
    /// JSON.
    Json,
    /// YAML, in the part of it that JSON can say, too.
    Yaml,
}

/// Bytes of a document, as AWS has it. A YAML document may become no longer by being written out as JSON: aliases can
/// make a great deal of little.
pub const CONTENT_BYTES_MAX: usize = 64 * 1024;

impl DocumentFormat {
    /// AWS's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }

    /// The value that a text stands for.
    ///
    /// # Errors
    /// It is not in this format, is longer than [`CONTENT_BYTES_MAX`], or repeats a key.
    pub fn read(self, content: &str) -> Result<Value, DocumentError> {
        if content.len() > CONTENT_BYTES_MAX {
            return Err(DocumentError::TooLarge);
        }
        let value: Value = match self {
            Self::Json => serde_json::from_str(content)
                .map_err(|error| DocumentError::NotJson { reason: error.to_string() })?,
            Self::Yaml => {
                let options = serde_saphyr::options! { with_snippet: false };
                serde_saphyr::from_str_with_options(content, options)
                    .map_err(|error| DocumentError::NotYaml { reason: error.to_string() })?
            }
        };
        if self == Self::Yaml && value.to_string().len() > CONTENT_BYTES_MAX {
            return Err(DocumentError::TooLarge);
        }
        Ok(value)
    }

    /// The text that says `value`.
    #[must_use]
    pub fn write(self, value: &Value) -> String {
        match self {
            Self::Json => format!("{value:#}\n"),
            // JSON is YAML: what the writer could not write is written as that.
            Self::Yaml => serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value:#}\n")),
        }
    }
}

impl std::str::FromStr for DocumentFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "JSON" => Ok(Self::Json),
            "YAML" => Ok(Self::Yaml),
            _ => Err(format!("{text:?} is neither JSON nor YAML")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_formats_say_the_same() {
        let value = json!({
            "schemaVersion": "1.0", "on": "yes", "number": "20", "no": "no", "list": ["{{ a }}", "x: y"],
            "text": "two\nlines\n", "empty": "", "truth": true, "null": null, "map": {}, "odd": "# \u{1f9ea} 'q' \"p\" \\",
        });
        for format in [DocumentFormat::Json, DocumentFormat::Yaml] {
            assert_eq!(format.read(&format.write(&value)), Ok(value.clone()), "{format:?}");
        }
    }

    #[test]
    fn a_document_of_awss_documentation_in_yaml() {
        let yaml = "---\nschemaVersion: '1.0'\ndescription: Document to hold preferences\nsessionType: Standard_Stream\n\
                    inputs:\n  runAsEnabled: true\n  idleSessionTimeout: '30'\n  shellProfile:\n    linux: |\n      cd /tmp\n      date\n";
        let value = DocumentFormat::Yaml.read(yaml).unwrap();
        assert_eq!(value["inputs"]["shellProfile"]["linux"], "cd /tmp\ndate\n");
        assert_eq!(value["inputs"]["runAsEnabled"], true);
        assert_eq!(value["inputs"]["idleSessionTimeout"], "30");
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let bomb = (1..20).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, n| {
            let former = n - 1;
            text + &format!(
                "a{n}: &a{n} [*a{former}, *a{former}, *a{former}, *a{former}, *a{former}, *a{former}]\n"
            )
        });
        for (format, content) in [
            (DocumentFormat::Json, "{".to_owned()),
            (DocumentFormat::Json, "a: b".to_owned()),
            (DocumentFormat::Yaml, "a: [".to_owned()),
            (DocumentFormat::Yaml, "a: 1\na: 2".to_owned()),
            (DocumentFormat::Yaml, "a: 1\n---\nb: 2".to_owned()),
            (DocumentFormat::Yaml, bomb),
            (DocumentFormat::Yaml, "[".repeat(30_000)),
            (DocumentFormat::Json, "[".repeat(30_000)),
            (DocumentFormat::Json, format!("\"{}\"", "x".repeat(CONTENT_BYTES_MAX))),
        ] {
            assert!(format.read(&content).is_err(), "{format:?} {content:.40}");
        }
    }
}
