//! Whether an encrypted session is recorded: a preference of Postern's own, which no node is sent.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DocumentError;

/// What the recording of a session does that is encrypted between client and node: `inputs.recording`. Sessions that are
/// not encrypted are always recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recording {
    /// It is recorded, or there is none.
    Required,
    /// It is recorded if the server's own KMS can open it, and goes on unrecorded otherwise.
    #[default]
    Allowed,
    /// The server does not look into it.
    Off,
}

/// The member of `inputs`.
pub(super) const FIELD: &str = "recording";

impl FromStr for Recording {
    type Err = DocumentError;

    fn from_str(text: &str) -> Result<Self, DocumentError> {
        match text {
            "required" => Ok(Self::Required),
            "allowed" | "" => Ok(Self::Allowed),
            "off" => Ok(Self::Off),
            _ => Err(wrong(text)),
        }
    }
}

impl Recording {
    /// As `inputs` say it. It is no matter of parameters: whoever starts a session has no say in it.
    pub(super) fn read(inputs: Option<&Value>) -> Result<Self, DocumentError> {
        match inputs.and_then(|inputs| inputs.get(FIELD)) {
            None | Some(Value::Null) => Ok(Self::default()),
            Some(Value::String(text)) => text.parse(),
            Some(other) => Err(wrong(other)),
        }
    }
}

fn wrong(value: impl std::fmt::Display) -> DocumentError {
    DocumentError::field("inputs.recording", format!("{value:.80} is none of required, allowed and off"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_one_of_three_words() {
        for (inputs, expected) in [
            (json!({}), Recording::Allowed),
            (json!({"recording": null}), Recording::Allowed),
            (json!({"recording": ""}), Recording::Allowed),
            (json!({"recording": "allowed"}), Recording::Allowed),
            (json!({"recording": "required"}), Recording::Required),
            (json!({"recording": "off"}), Recording::Off),
        ] {
            assert_eq!(Recording::read(Some(&inputs)), Ok(expected), "{inputs}");
        }
        for wrong in [json!("{{ mode }}"), json!("Required"), json!(true)] {
            assert!(Recording::read(Some(&json!({"recording": wrong}))).is_err(), "{wrong}");
        }
    }
}
