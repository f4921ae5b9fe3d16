//! Every identifier as a type of its own, made by parsing and printed as AWS prints it.
//!
//! Nothing here reads a clock or a random source: constructors that make a new identifier take the random
//! bytes as an argument.

mod account;
mod arn;
mod federation;
mod key;
mod kms;
mod node;
mod policy;
mod principal;
mod random;
mod session;

use std::fmt;

pub use account::{AccountId, Region};
pub use arn::{Arn, Partition};
pub use federation::{MfaSerial, OidcIssuer};
pub use key::AccessKeyId;
pub use kms::{KmsAlias, KmsKeyId};
pub use node::{ActivationId, NodeId};
pub use policy::{PolicyArn, PolicyName, PolicyVersionId};
pub use principal::{
    GroupName, IamPath, InstanceProfileName, PrincipalId, PrincipalKind, RoleName, UserName,
};
pub use session::SessionId;

/// A text that is not the identifier it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseError {
    text: String,
    expected: &'static str,
}

impl ParseError {
    /// Remembers at most this much of the text, which may come from a hostile peer.
    const TEXT_CHARS_MAX: usize = 64;

    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(Self::TEXT_CHARS_MAX).collect(), expected }
    }

    /// What the text should have been, for example `a node ID (mi- and 17 hexadecimal digits)`.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}

/// Gives a newtype over `String` its parser, `Display`, `Debug`, `AsRef<str>` and serde forms.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(crate::ParseError::new(text, $expected))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::ParseError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
use text_id;

/// Whether `text` holds `digits` lower-case hexadecimal digits and nothing else.
fn is_lower_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The characters of IAM's names: `[\w+=,.@-]`.
fn is_iam_name(text: &str, chars_max: usize) -> bool {
    (1..=chars_max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

/// Writes `bytes` as lower-case hexadecimal digits.
fn write_hex(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}
