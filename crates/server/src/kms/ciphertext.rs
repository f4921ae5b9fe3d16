//! The ciphertexts that this server makes: they say which backing key of which key opens them.
//!
//! ```text
//! layout (1) | key (16) | version (4, big endian) | what the holder made of it
//! ```
//!
//! The head is authenticated with the rest. Like AWS's, they are opaque to everybody else.

use postern_ids::KmsKeyId;

/// First byte of every ciphertext: which layout follows.
const LAYOUT: u8 = 1;
/// Layout, key, version.
const HEAD_LENGTH: usize = 1 + 16 + 4;

/// A ciphertext, taken apart. Nothing of it is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ciphertext<'a> {
    /// The key that it says it was encrypted with.
    pub(crate) key: KmsKeyId,
    /// Which of its backing keys.
    pub(super) version: u32,
    /// What the holder opens.
    pub(super) body: &'a [u8],
}

impl<'a> Ciphertext<'a> {
    /// Takes a ciphertext apart; nothing if it cannot be one of ours.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (layout, rest) = bytes.split_first()?;
        let (key, rest) = rest.split_first_chunk::<16>()?;
        let (version, body) = rest.split_first_chunk::<4>()?;
        let key = KmsKeyId::from_bytes(*key);
        (*layout == LAYOUT).then_some(Self { key, version: u32::from_be_bytes(*version), body })
    }

    /// What a ciphertext of a backing key begins with.
    pub(super) fn head(key: KmsKeyId, version: u32) -> [u8; HEAD_LENGTH] {
        let mut head = [LAYOUT; HEAD_LENGTH];
        let (_, rest) = head.split_at_mut(1);
        let (of_key, of_version) = rest.split_at_mut(16);
        of_key.copy_from_slice(key.as_bytes());
        of_version.copy_from_slice(&version.to_be_bytes());
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ciphertext_names_its_key_and_version() {
        let key = KmsKeyId::from_bytes([7; 16]);
        let bytes = [&Ciphertext::head(key, 0x0102_0304)[..], b"body"].concat();
        assert_eq!(hex::encode(&bytes), format!("01{}01020304{}", "07".repeat(16), "626f6479"));
        assert_eq!(Ciphertext::parse(&bytes), Some(Ciphertext { key, version: 0x0102_0304, body: b"body" }));
        for length in 0..HEAD_LENGTH {
            assert_eq!(Ciphertext::parse(&bytes[..length]), None, "{length} bytes");
        }
        assert_eq!(Ciphertext::parse(&[&[2], &bytes[1..]].concat()), None, "another layout");
    }
}
