//! Members that the model marks as sensitive.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that is written on the wire but never in a log: its `Debug` form hides it.
///
/// A serializer that must not show it knows it by its name, [`Secret::TYPE_NAME`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// The name that serializers are given.
    pub const TYPE_NAME: &'static str = "Secret";

    /// The text itself; the call says that showing it is meant.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// The text itself, owned.
    #[must_use]
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_text_and_json_shows_it() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?}"), "<redacted>");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"hunter2\"");
    }
}
