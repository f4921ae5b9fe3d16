//! The key that makes and verifies an HMAC signature.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Scope;
use crate::scope::TERMINATOR;

/// A key derived from a secret access key: good for one day, region and service.
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key. Source: "Create a signed AWS API request", step "Derive a signing key", IAM User Guide.
    #[must_use]
    pub fn derive(secret_access_key: &str, scope: &Scope) -> Self {
        let date = hmac(format!("AWS4{secret_access_key}").as_bytes(), &scope.date);
        let region = hmac(&date, &scope.region);
        let service = hmac(&region, &scope.service);
        Self(hmac(&service, TERMINATOR))
    }

    /// The signature of `string_to_sign`: 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn sign(&self, string_to_sign: &str) -> String {
        hex::encode(hmac(&self.0, string_to_sign))
    }

    /// Whether `signature` is that of `string_to_sign`, in a time that does not depend on where they differ.
    #[must_use]
    pub fn verify(&self, string_to_sign: &str, signature: &str) -> bool {
        let mut given = [0; 32];
        hex::decode_to_slice(signature, &mut given).is_ok()
            && bool::from(hmac(&self.0, string_to_sign).ct_eq(&given))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(redacted)")
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation() {
        // "Examples of how to derive a signing key for Signature Version 4", AWS General Reference.
        let scope = Scope { date: "20120215".into(), region: "us-east-1".into(), service: "iam".into() };
        let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", &scope);
        assert_eq!(hex::encode(key.0), "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
    }

    #[test]
    fn only_the_whole_signature_verifies() {
        let scope = Scope { date: "20120215".into(), region: "us-east-1".into(), service: "iam".into() };
        let key = SigningKey::derive("secret", &scope);
        let signature = key.sign("text");
        assert!(key.verify("text", &signature));
        assert!(!key.verify("texT", &signature));
        for wrong in ["", "00", &signature[..62], &format!("{signature}00"), &"z".repeat(64), &"0".repeat(64)]
        {
            assert!(!key.verify("text", wrong), "{wrong:?}");
        }
        assert_eq!(format!("{key:?}"), "SigningKey(redacted)");
    }
}
