//! The RSA keys of nodes, and the signatures made with them.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Sizes that are taken. Agents make 2,048 bits; a signature by 4,096 still takes well below a millisecond to verify.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A node's public key.
#[derive(Clone, PartialEq, Eq)]
pub struct NodePublicKey {
    der: Vec<u8>,
}

/// What a node sent is no RSA public key that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the public key is not an RSA key of 2048 to 4096 bits (base64 of DER, SubjectPublicKeyInfo)")]
pub struct InvalidPublicKey;

impl NodePublicKey {
    /// Reads `PublicKey` of `RegisterManagedInstance` or `NewPublicKey` of `UpdateManagedInstancePublicKey`:
    /// base64 of a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`InvalidPublicKey`].
    pub fn from_base64(text: &str) -> Result<Self, InvalidPublicKey> {
        let der = STANDARD.decode(text).map_err(|_| InvalidPublicKey)?;
        let key = PublicEncryptingKey::from_der(&der).map_err(|_| InvalidPublicKey)?;
        if !BITS.contains(&key.key_size_bits()) {
            return Err(InvalidPublicKey);
        }
        // Written anew it must be the same bytes: nothing may follow, and each key has one form.
        let canonical: PublicKeyX509Der<'_> = key.as_der().map_err(|_| InvalidPublicKey)?;
        if canonical.as_ref() == der { Ok(Self { der }) } else { Err(InvalidPublicKey) }
    }

    /// The key as it is stored: DER, `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn into_der(self) -> Vec<u8> {
        self.der
    }
}

/// Whether `signature` (base64) is the RSASSA-PSS signature of `text` by the key `public_key_der`, with SHA-256,
/// MGF1 with SHA-256, and a salt as long as the hash (32 bytes).
///
/// Source: agent/ssm/rsaauth/sigv4_rsa_signer.go in aws/amazon-ssm-agent.
pub(super) fn verify(public_key_der: &[u8], text: &str, signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public_key_der)
        .verify(text.as_bytes(), &signature)
        .is_ok()
}

#[cfg(test)]
pub(super) mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};

    use super::*;

    /// A node's key pair, as agents make it.
    pub(crate) struct NodeKeyPair(RsaKeyPair);

    impl NodeKeyPair {
        pub(crate) fn generate() -> Self {
            Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
        }

        pub(crate) fn public_key_base64(&self) -> String {
            let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().unwrap();
            STANDARD.encode(der.as_ref())
        }

        pub(crate) fn public_key_der(&self) -> Vec<u8> {
            NodePublicKey::from_base64(&self.public_key_base64()).unwrap().into_der()
        }

        pub(crate) fn sign(&self, text: &str) -> String {
            self.sign_as(&RSA_PSS_SHA256, text)
        }

        fn sign_as(&self, encoding: &'static dyn RsaEncoding, text: &str) -> String {
            let mut signature = vec![0; self.0.public_modulus_len()];
            self.0.sign(encoding, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
            STANDARD.encode(signature)
        }
    }

    #[test]
    fn only_the_nodes_own_signature_of_this_text_verifies() {
        let (key, other) = (NodeKeyPair::generate(), NodeKeyPair::generate());
        let signature = key.sign("text");
        assert_eq!(signature.len(), 344);
        assert!(verify(&key.public_key_der(), "text", &signature));
        assert!(!verify(&key.public_key_der(), "texT", &signature));
        assert!(!verify(&other.public_key_der(), "text", &signature));
        assert!(!verify(&key.public_key_der(), "text", &key.sign_as(&RSA_PKCS1_SHA256, "text")));
        assert!(!verify(b"no key", "text", &signature));
        let mut altered = STANDARD.decode(&signature).unwrap();
        altered[100] ^= 1;
        for wrong in ["", "AAAA", "not base64!", &STANDARD.encode(altered)] {
            assert!(!verify(&key.public_key_der(), "text", wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_key_is_taken_as_agents_send_it() {
        let key = NodeKeyPair::generate();
        let text = key.public_key_base64();
        assert_eq!(text.len(), 392, "the minimum of AWS's model");
        assert_eq!(STANDARD.encode(NodePublicKey::from_base64(&text).unwrap().into_der()), text);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = NodeKeyPair::generate().public_key_der();
        let mut longer = good.clone();
        longer.push(0);
        let p256 = aws_lc_rs::signature::EcdsaKeyPair::generate(
            &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        )
        .unwrap();
        let p256: PublicKeyX509Der<'_> = p256.public_key().as_der().unwrap();
        for wrong in [Vec::new(), vec![0x30], good[..100].to_vec(), longer, p256.as_ref().to_vec()] {
            assert!(NodePublicKey::from_base64(&STANDARD.encode(&wrong)).is_err(), "{} bytes", wrong.len());
        }
        assert!(NodePublicKey::from_base64("not base64").is_err());
    }
}
