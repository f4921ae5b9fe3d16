//! The encryption context: what must be told again to decrypt. It is authenticated, not secret.

use std::collections::{BTreeMap, BTreeSet};

/// All its characters together. Source: "Encryption context", AWS KMS Developer Guide.
const CHARS_MAX: usize = 8192;

/// Names and values in no order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EncryptionContext(BTreeMap<String, String>);

/// Why there can be no such context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidContext {
    #[error("The encryption context has more than {CHARS_MAX} characters.")]
    TooLong,
    /// Policies name them by condition keys, which do not differ then: one would be decided about for the other.
    #[error("The encryption context has names that differ in case only.")]
    Ambiguous,
}

impl EncryptionContext {
    /// The context of a request.
    pub(crate) fn new(pairs: Option<&BTreeMap<String, String>>) -> Result<Self, InvalidContext> {
        let pairs = pairs.cloned().unwrap_or_default();
        let chars: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        if chars > CHARS_MAX {
            return Err(InvalidContext::TooLong);
        }
        let names: BTreeSet<String> = pairs.keys().map(|name| name.to_ascii_lowercase()).collect();
        if names.len() < pairs.len() {
            return Err(InvalidContext::Ambiguous);
        }
        Ok(Self(pairs))
    }

    /// The names with their values, ordered.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// What is authenticated with a ciphertext that begins with `head`: with the length before every text, so that no
    /// two contexts are the same.
    pub(super) fn authenticated(&self, head: &[u8]) -> Vec<u8> {
        let mut bytes = head.to_vec();
        for text in self.iter().flat_map(|(name, value)| [name, value]) {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        EncryptionContext::new(Some(&pairs)).unwrap()
    }

    #[test]
    fn no_two_contexts_are_authenticated_alike() {
        let contexts = [
            context(&[]),
            context(&[("a", "b")]),
            context(&[("ab", "")]),
            context(&[("a", ""), ("b", "")]),
            context(&[("a", "b"), ("c", "d")]),
            context(&[("a", "bcd")]),
        ];
        for (at, one) in contexts.iter().enumerate() {
            for other in &contexts[at + 1..] {
                assert_ne!(one.authenticated(b"h"), other.authenticated(b"h"));
            }
        }
        assert_eq!(
            context(&[("c", "d"), ("a", "b")]).authenticated(b"h"),
            context(&[("a", "b"), ("c", "d")]).authenticated(b"h"),
            "it has no order"
        );
    }

    #[test]
    fn a_context_has_a_limit() {
        let pairs = |chars| BTreeMap::from([("x".to_owned(), "y".repeat(chars))]);
        assert!(EncryptionContext::new(Some(&pairs(CHARS_MAX - 1))).is_ok());
        assert_eq!(EncryptionContext::new(Some(&pairs(CHARS_MAX))), Err(InvalidContext::TooLong));
        assert_eq!(EncryptionContext::new(None), Ok(EncryptionContext::default()));
    }

    #[test]
    fn names_of_a_context_differ_in_more_than_case() {
        let of = |names: [&str; 2]| {
            let pairs = names.map(|name| (name.to_owned(), name.to_owned()));
            EncryptionContext::new(Some(&BTreeMap::from(pairs)))
        };
        assert_eq!(of(["Tenant", "tenant"]), Err(InvalidContext::Ambiguous));
        assert!(of(["Tenant", "tenants"]).is_ok());
    }
}
