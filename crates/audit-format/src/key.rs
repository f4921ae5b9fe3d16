//! Public keys, and signatures checked with them.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chain::Hash;

/// Hexadecimal digits of a fingerprint, as AWS's have.
const FINGERPRINT_DIGITS: usize = 32;

/// A public key, as `ListPublicKeys` shows it. The file of a key in `keys/` and the body of its line in the chain are
/// this as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicKey {
    /// The first 32 digits of the SHA-256 of the key's DER form.
    pub fingerprint: String,
    /// From when on signatures with it count.
    pub validity_start_time: Timestamp,
    /// Until when.
    pub validity_end_time: Timestamp,
    /// The DER form of `RSAPublicKey` (RFC 8017, appendix A.1.1), in base 64.
    pub value: String,
}

/// Why a text is not a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is not JSON, or a member is missing.
    #[error("the key is not laid out as one")]
    Layout(#[source] serde_json::Error),
    /// The value is not base 64.
    #[error("the key's value is not base 64")]
    Base64,
    /// The fingerprint is of another key.
    #[error("the key does not fit its fingerprint")]
    Fingerprint,
}

impl PublicKey {
    /// A key, from the DER form of `RSAPublicKey`.
    #[must_use]
    pub fn new(der: &[u8], validity_start_time: Timestamp, validity_end_time: Timestamp) -> Self {
        Self {
            fingerprint: fingerprint(der),
            validity_start_time,
            validity_end_time,
            value: BASE64.encode(der),
        }
    }

    /// Reads a key from its JSON form.
    ///
    /// # Errors
    /// It is none, or does not fit its fingerprint.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        let key: Self = serde_json::from_slice(json).map_err(KeyError::Layout)?;
        if fingerprint(&key.der()?) != key.fingerprint {
            return Err(KeyError::Fingerprint);
        }
        Ok(key)
    }

    /// The DER form of `RSAPublicKey`.
    ///
    /// # Errors
    /// The value is not base 64.
    pub fn der(&self) -> Result<Vec<u8>, KeyError> {
        BASE64.decode(&self.value).map_err(|_| KeyError::Base64)
    }

    /// Whether some second of a time range is in the key's validity. Open ends reach all the way.
    #[must_use]
    pub fn is_valid_within(&self, start: Option<Timestamp>, end: Option<Timestamp>) -> bool {
        start.is_none_or(|start| self.validity_end_time >= start)
            && end.is_none_or(|end| self.validity_start_time <= end)
    }
}

/// The fingerprint of a key in its DER form.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    Hash::of(der).to_string()[..FINGERPRINT_DIGITS].to_owned()
}

/// Whether `signature`, in hexadecimal digits, is one of `text` with the key whose DER form is given: RSA PKCS#1 v1.5
/// with SHA-256.
#[must_use]
pub fn verifies(der: &[u8], text: &str, signature: &str) -> bool {
    let Some(signature) = bytes(signature) else { return false };
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(text.as_bytes(), &signature).is_ok()
}

/// Lower-case hexadecimal digits as bytes.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2)
        || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
