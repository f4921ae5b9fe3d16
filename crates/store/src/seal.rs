//! Sealing of secrets before they reach the database.
//!
//! A sealed value is bound to its table, column and row: moved elsewhere, it does not open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use zeroize::Zeroize;

use crate::Secret;

/// First byte of every sealed value: which layout follows.
const LAYOUT: u8 = 1;
/// Second byte: which master key sealed it. There is one so far; rotation will add the next.
const KEY_ID: u8 = 1;
/// Layout, key, nonce; then the ciphertext with its tag.
const HEADER_LENGTH: usize = 1 + 1 + NONCE_LEN;

/// The key that seals what is secret at rest. Where it comes from (file, environment, KMS) is the server's affair.
pub struct MasterKey {
    seal: RandomizedNonceKey,
    derive: hkdf::Prk,
}

impl MasterKey {
    /// Takes 32 bytes from a cryptographic random source.
    #[must_use]
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let seal = RandomizedNonceKey::new(&AES_256_GCM, &bytes).expect("AES-256 takes 32 bytes");
        let derive = hkdf::Salt::new(hkdf::HKDF_SHA256, b"postern master key").extract(&bytes);
        bytes.zeroize();
        Self { seal, derive }
    }

    /// A key for another purpose, such as signing tokens that the store does not keep. It is always the same for the
    /// same purpose, and tells nothing about the master key or other purposes' keys.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Secret<[u8; 32]> {
        let mut key = [0; 32];
        self.derive
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key))
            .expect("32 bytes are what HKDF-SHA256 gives at once");
        Secret::new(key)
    }

    /// Seals `plain` for one place. AES-GCM with random 96-bit nonces is safe for 2^32 values.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut body = Vec::with_capacity(HEADER_LENGTH + plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        let nonce = self
            .seal
            .seal_in_place_append_tag(Aad::from(place.authenticated()), &mut body)
            .map_err(|_| SealError)?;
        let mut sealed = vec![LAYOUT, KEY_ID];
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what was sealed for the same place with the same key.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, UnsealError> {
        let (header, body) = sealed.split_at_checked(HEADER_LENGTH).ok_or(UnsealError::Layout)?;
        if header[0] != LAYOUT {
            return Err(UnsealError::Layout);
        }
        if header[1] != KEY_ID {
            return Err(UnsealError::UnknownKey { id: header[1] });
        }
        let nonce = Nonce::try_assume_unique_for_key(&header[2..]).map_err(|_| UnsealError::Layout)?;
        let mut body = body.to_vec();
        let length = self
            .seal
            .open_in_place(nonce, Aad::from(place.authenticated()), &mut body)
            .map_err(|_| UnsealError::WrongKeyOrPlace)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<master key>")
    }
}

/// Where a sealed value belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The table.
    pub(crate) table: &'static str,
    /// The column.
    pub(crate) column: &'static str,
    /// The key of the row.
    pub(crate) id: &'a str,
}

impl Place<'_> {
    /// Unambiguous, since tables and columns contain no slash.
    fn authenticated(&self) -> Vec<u8> {
        format!("{}/{}/{}", self.table, self.column, self.id).into_bytes()
    }
}

/// The cipher refused to seal.
#[derive(Debug, thiserror::Error)]
#[error("the cipher refused")]
pub(crate) struct SealError;

/// Why a sealed value does not open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnsealError {
    #[error("it is not laid out as a sealed value")]
    Layout,
    #[error("it was sealed with master key {id}, which is not here")]
    UnknownKey { id: u8 },
    #[error("it was sealed with another master key, or for another place, or was changed")]
    WrongKeyOrPlace,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { table: "access_keys", column: "secret_sealed", id: "AKIA1" };

    #[test]
    fn what_is_sealed_opens_only_in_its_place_with_its_key() {
        let key = MasterKey::new([1; 32]);
        let sealed = key.seal(PLACE, b"secret").unwrap();
        assert_eq!(key.open(PLACE, &sealed).unwrap(), b"secret");
        assert_eq!(MasterKey::new([2; 32]).open(PLACE, &sealed), Err(UnsealError::WrongKeyOrPlace));
        let elsewhere = Place { id: "AKIA2", ..PLACE };
        assert_eq!(key.open(elsewhere, &sealed), Err(UnsealError::WrongKeyOrPlace));
    }

    #[test]
    fn a_changed_value_does_not_open() {
        let key = MasterKey::new([1; 32]);
        let sealed = key.seal(PLACE, b"secret").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(key.open(PLACE, &changed).is_err(), "byte {index}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(PLACE, &sealed[..length]).is_err(), "{length} bytes");
        }
        let other_key = [&[LAYOUT, 9], &sealed[2..]].concat();
        assert_eq!(key.open(PLACE, &other_key), Err(UnsealError::UnknownKey { id: 9 }));
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        let key = MasterKey::new([1; 32]);
        assert_ne!(key.seal(PLACE, b"secret").unwrap(), key.seal(PLACE, b"secret").unwrap());
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_stay_the_same() {
        let key = MasterKey::new([1; 32]);
        assert_eq!(key.derive("tokens"), MasterKey::new([1; 32]).derive("tokens"));
        assert_ne!(key.derive("tokens"), key.derive("pages"));
        assert_ne!(key.derive("tokens").expose_secret(), &[1; 32]);
    }
}
