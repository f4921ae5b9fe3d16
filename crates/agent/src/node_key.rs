//! The node's RSA key: made here, never leaving this machine, and what proves the node's identity.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// An RSA-2048 key pair.
pub struct NodeKey(KeyPair);

/// Text that is no key.
#[derive(Debug, thiserror::Error)]
#[error("the node's private key is not PKCS#8 in base64")]
pub struct InvalidKey;

impl NodeKey {
    /// A new key. Takes some tenths of a second.
    #[must_use]
    pub fn generate() -> Self {
        // Size and type as AWS's agent has them; its servers take no other.
        Self(KeyPair::generate(KeySize::Rsa2048).expect("the library makes keys of this size"))
    }

    /// The public key as registrations carry it: base64 of the DER of a SubjectPublicKeyInfo.
    #[must_use]
    pub fn public_key_base64(&self) -> String {
        let der: PublicKeyX509Der<'_> =
            self.0.public_key().as_der().expect("a key in memory has an encoding");
        STANDARD.encode(der.as_ref())
    }

    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes over `text`, in base64.
    #[must_use]
    pub fn sign_base64(&self, text: &str) -> String {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .expect("the buffer has the size of the modulus");
        STANDARD.encode(signature)
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKey(..)")
    }
}

impl TryFrom<String> for NodeKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        let der = STANDARD.decode(text).map_err(|_| InvalidKey)?;
        KeyPair::from_pkcs8(&der).map(Self).map_err(|_| InvalidKey)
    }
}

impl Serialize for NodeKey {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let der: Pkcs8V1Der<'_> =
            self.0.as_der().map_err(|_| serde::ser::Error::custom("the key has no encoding"))?;
        to.serialize_str(&STANDARD.encode(der.as_ref()))
    }
}

impl<'de> Deserialize<'de> for NodeKey {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn signatures_verify_and_keys_survive_the_file() {
        let key = NodeKey::generate();
        let public = key.public_key_base64();
        assert_eq!(public.len(), 392, "AWS's own length: {public}");
        let stored = serde_json::to_string(&key).unwrap();
        let loaded: NodeKey = serde_json::from_str(&stored).unwrap();
        assert_eq!(loaded.public_key_base64(), public);

        let signature = STANDARD.decode(loaded.sign_base64("text")).unwrap();
        let verifier = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, STANDARD.decode(public).unwrap());
        assert!(verifier.verify(b"text", &signature).is_ok());
        assert!(verifier.verify(b"other", &signature).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused_and_nothing_prints_one() {
        for text in ["", "!", "AAAA"] {
            assert!(NodeKey::try_from(text.to_owned()).is_err(), "{text:?}");
        }
        assert_eq!(format!("{:?}", NodeKey::generate()), "NodeKey(..)");
    }
}
