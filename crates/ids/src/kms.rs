//! Encryption keys and their aliases.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::{ParseError, text_id};

/// An encryption key of KMS: a UUID, which its ARN ends with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct KmsKeyId(Uuid);

impl KmsKeyId {
    /// A new identifier, as a version 4 UUID.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid())
    }

    /// The identifier that ciphertexts carry as bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl FromStr for KmsKeyId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a key ID (a lower-case UUID)");
        let uuid = Uuid::try_parse(text).map_err(|_| error())?;
        if uuid.to_string() == text { Ok(Self(uuid)) } else { Err(error()) }
    }
}

impl fmt::Display for KmsKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for KmsKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What every alias begins with.
const ALIAS_PREFIX: &str = "alias/";
/// The aliases that only AWS's own keys have.
const RESERVED_PREFIX: &str = "alias/aws/";
/// Source: `AliasNameType` of the KMS API.
const ALIAS_CHARS_MAX: usize = 256;

text_id!(
    /// A key's other name: `alias/` and letters, digits and `/_-`.
    KmsAlias,
    "an alias (alias/ and letters, digits and /_- , at most 256)",
    |text| is_alias(text)
);

impl KmsAlias {
    /// Whether customers may not create it.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(RESERVED_PREFIX)
    }
}

fn is_alias(text: &str) -> bool {
    let named = text.strip_prefix(ALIAS_PREFIX);
    text.len() <= ALIAS_CHARS_MAX
        && named.is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_is_a_lower_case_uuid() {
        let id = KmsKeyId::from_random([7; 16]);
        assert_eq!(id.to_string().parse::<KmsKeyId>().unwrap(), id);
        assert_eq!(KmsKeyId::from_bytes(*id.as_bytes()), id);
        for wrong in
            ["", "0123", "11111111-2222-4333-8444-ABCDEFABCDEF", "mrk-0123456789abcdef0123456789abcdef"]
        {
            assert!(wrong.parse::<KmsKeyId>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_alias_has_its_prefix() {
        for alias in ["alias/sessions", "alias/team/a_b-1"] {
            assert!(!alias.parse::<KmsAlias>().unwrap().is_reserved());
        }
        assert!("alias/aws/ssm".parse::<KmsAlias>().unwrap().is_reserved());
        let long = format!("alias/{}", "x".repeat(251));
        for wrong in ["", "sessions", "alias/", "alias/a b", "alias/a:b", "Alias/a", long.as_str()] {
            assert!(wrong.parse::<KmsAlias>().is_err(), "{wrong:?}");
        }
    }
}
