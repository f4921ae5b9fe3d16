//! The encryption context: what must be told again to decrypt. It is authenticated, not secret.

use std::collections::BTreeMap;

/// All its characters together. Source: "Encryption context", AWS KMS Developer Guide.
const CHARS_MAX: usize = 8192;

/// Names and values in no order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EncryptionContext(BTreeMap<String, String>);

impl EncryptionContext {
    /// The context of a request; nothing if it is too long.
    pub(crate) fn new(pairs: Option<&BTreeMap<String, String>>) -> Option<Self> {
        let pairs = pairs.cloned().unwrap_or_default();
        let chars: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        (chars <= CHARS_MAX).then_some(Self(pairs))
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
        assert!(EncryptionContext::new(Some(&pairs(CHARS_MAX - 1))).is_some());
        assert_eq!(EncryptionContext::new(Some(&pairs(CHARS_MAX))), None);
        assert_eq!(EncryptionContext::new(None), Some(EncryptionContext::default()));
    }
}
