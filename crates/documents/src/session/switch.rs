//! Booleans that documents may write as texts, because a reference to a parameter is one.

use serde::{Deserialize, Serialize};

use super::DocumentError;
use crate::substitute::has_reference;

/// A boolean, `"true"` or `"false"`, or a reference to a parameter that will be one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Switch {
    Plain(bool),
    Text(String),
}

impl Switch {
    /// Refuses a text that is neither a boolean nor a reference.
    pub(super) fn check(&self, place: &str) -> Result<(), DocumentError> {
        match self {
            Self::Text(text) if has_reference(text) => Ok(()),
            _ => self.resolved(place).map(|_| ()),
        }
    }

    /// The boolean, once references have been replaced.
    pub(super) fn resolved(&self, place: &str) -> Result<bool, DocumentError> {
        match self {
            Self::Plain(is_on) => Ok(*is_on),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Self::Text(text) if text.is_empty() || text.eq_ignore_ascii_case("false") => Ok(false),
            Self::Text(text) => {
                Err(DocumentError::field(place, format!("{text:?} is neither true nor false")))
            }
        }
    }
}
