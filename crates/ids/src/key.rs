//! Access keys.

use crate::random::{self, BASE32_UPPER};
use crate::text_id;

text_id!(
    /// An access key: `AKIA` for a user's long-term key, `ASIA` for temporary credentials, then 16 characters.
    AccessKeyId,
    "an access key ID (16 to 128 letters, digits or underscores)",
    |text| (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
);

impl AccessKeyId {
    /// A new long-term key of a user.
    #[must_use]
    pub fn long_term(random: [u8; 16]) -> Self {
        Self(format!("AKIA{}", random::text(BASE32_UPPER, &random)))
    }

    /// A new key of temporary credentials, good only together with their session token.
    #[must_use]
    pub fn temporary(random: [u8; 16]) -> Self {
        Self(format!("ASIA{}", random::text(BASE32_UPPER, &random)))
    }

    /// Whether the key belongs to temporary credentials.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with("ASIA")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_keys_differ_in_their_prefix() {
        assert_eq!(AccessKeyId::long_term([0; 16]).as_str(), "AKIAAAAAAAAAAAAAAAAA");
        assert!(AccessKeyId::temporary([1; 16]).is_temporary());
        assert!("AKIA".parse::<AccessKeyId>().is_err());
        assert!("AKIA/EXAMPLE/EXAMPLE".parse::<AccessKeyId>().is_err());
    }
}
