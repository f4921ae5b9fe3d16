//! Names of groups and streams.

use std::fmt;
use std::str::FromStr;

/// Source: `LogGroupName` and `LogStreamName` in the service model.
const NAME_CHARS_MAX: usize = 512;

/// A text that is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be the name of a {0}")]
pub struct ParseNameError(&'static str);

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $is_allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = ParseNameError;

            fn from_str(text: &str) -> Result<Self, ParseNameError> {
                let is_name = !text.is_empty()
                    && text.chars().count() <= NAME_CHARS_MAX
                    && text.chars().all($is_allowed);
                if is_name { Ok(Self(text.to_owned())) } else { Err(ParseNameError($what)) }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a log group. Source: `LogGroupName` in the service model.
    GroupName,
    "log group",
    |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c)
);

name!(
    /// The name of a log stream. Source: `LogStreamName` in the service model.
    StreamName,
    "log stream",
    |c: char| c != ':' && c != '*'
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["/aws/ssm/AWS-RunShellScript", "a", "#1.b_c-d", &"n".repeat(512)] {
            assert!(name.parse::<GroupName>().is_ok(), "{name}");
            assert!(name.parse::<StreamName>().is_ok(), "{name}");
        }
        assert!("über 1/$LATEST[x]".parse::<StreamName>().is_ok());
        for name in ["", "a:b", "a*", &"n".repeat(513)] {
            assert!(name.parse::<GroupName>().is_err(), "{name}");
            assert!(name.parse::<StreamName>().is_err(), "{name}");
        }
        assert!("a b".parse::<GroupName>().is_err());
    }
}
