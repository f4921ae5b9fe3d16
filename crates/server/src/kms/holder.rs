//! Who holds the backing keys and works with them.
//!
//! The embedded holder keeps them in the store, sealed by the master key. [`WrappedHolder`](super::WrappedHolder) has them
//! encrypted by a key that is elsewhere before.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use postern_store::Secret;

use crate::random::Random;

/// A holder did not do its work.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct HolderError {
    message: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl HolderError {
    pub(super) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), source: None }
    }

    pub(super) fn because(
        message: impl Into<Cow<'static, str>>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self { message: message.into(), source: Some(Box::new(source)) }
    }
}

/// Holds backing keys and works with them.
#[async_trait]
pub(crate) trait KeyHolder: Send + Sync {
    /// Makes a backing key. What comes back is all that the store keeps of it, sealed.
    async fn create(&self) -> Result<Secret<Vec<u8>>, HolderError>;

    /// Encrypts `plain`, and authenticates `authenticated` with it.
    async fn encrypt(
        &self,
        content: &Secret<Vec<u8>>,
        authenticated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, HolderError>;

    /// Decrypts; nothing if anything is not as it was.
    async fn decrypt(
        &self,
        content: &Secret<Vec<u8>>,
        authenticated: &[u8],
        body: &[u8],
    ) -> Result<Option<Secret<Vec<u8>>>, HolderError>;
}

/// Bytes that make the key of one ciphertext from a backing key.
const SALT_LENGTH: usize = 16;
/// What that key is for.
const PURPOSE: &[u8] = b"postern kms ciphertext";
const KEY_LENGTH: usize = 32;

/// Backing keys of 32 random bytes, in the store itself.
///
/// Every ciphertext has a key of its own, made from the backing key and a random salt: random nonces of 96 bits under one
/// key would allow some four thousand million ciphertexts only.
///
/// ```text
/// salt (16) | nonce (12) | ciphertext with its tag
/// ```
pub(crate) struct EmbeddedHolder {
    random: Arc<dyn Random>,
}

impl EmbeddedHolder {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self { random }
    }
}

#[async_trait]
impl KeyHolder for EmbeddedHolder {
    async fn create(&self) -> Result<Secret<Vec<u8>>, HolderError> {
        Ok(Secret::new(self.random.bytes::<KEY_LENGTH>().to_vec()))
    }

    async fn encrypt(
        &self,
        content: &Secret<Vec<u8>>,
        authenticated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, HolderError> {
        let salt = self.random.bytes::<SALT_LENGTH>();
        let mut body = plain.to_vec();
        let nonce = key(content, &salt)?
            .seal_in_place_append_tag(Aad::from(authenticated), &mut body)
            .map_err(|_| HolderError::new("the cipher refused"))?;
        Ok([&salt[..], nonce.as_ref(), &body].concat())
    }

    async fn decrypt(
        &self,
        content: &Secret<Vec<u8>>,
        authenticated: &[u8],
        body: &[u8],
    ) -> Result<Option<Secret<Vec<u8>>>, HolderError> {
        let Some((salt, rest)) = body.split_first_chunk::<SALT_LENGTH>() else { return Ok(None) };
        let Some((nonce, sealed)) = rest.split_first_chunk::<NONCE_LEN>() else { return Ok(None) };
        let mut plain = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key(content, salt)?.open_in_place(nonce, Aad::from(authenticated), &mut plain);
        let Ok(length) = opened.map(|opened| opened.len()) else { return Ok(None) };
        plain.truncate(length);
        Ok(Some(Secret::new(plain)))
    }
}

/// The key of the ciphertext with a salt.
fn key(content: &Secret<Vec<u8>>, salt: &[u8; SALT_LENGTH]) -> Result<RandomizedNonceKey, HolderError> {
    let backing = content.expose_secret();
    if backing.len() != KEY_LENGTH {
        return Err(HolderError::new("the backing key has not the right length"));
    }
    let mut derived = [0; KEY_LENGTH];
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(backing)
        .expand(&[PURPOSE], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut derived))
        .map_err(|_| HolderError::new("no key can be derived"))?;
    let derived = Secret::new(derived);
    RandomizedNonceKey::new(&AES_256_GCM, derived.expose_secret())
        .map_err(|_| HolderError::new("the cipher refused the key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[tokio::test]
    async fn what_is_encrypted_opens_only_as_it_was() {
        let holder = EmbeddedHolder::new(Arc::new(SystemRandom));
        let (one, other) = (holder.create().await.unwrap(), holder.create().await.unwrap());
        let body = holder.encrypt(&one, b"context", b"plain").await.unwrap();
        let opened = holder.decrypt(&one, b"context", &body).await.unwrap();
        assert_eq!(opened, Some(Secret::new(b"plain".to_vec())));
        assert_eq!(holder.decrypt(&one, b"another", &body).await.unwrap(), None);
        assert_eq!(holder.decrypt(&other, b"context", &body).await.unwrap(), None);
        for index in 0..body.len() {
            let mut changed = body.clone();
            changed[index] ^= 1;
            assert_eq!(holder.decrypt(&one, b"context", &changed).await.unwrap(), None, "byte {index}");
            assert_eq!(
                holder.decrypt(&one, b"context", &body[..index]).await.unwrap(),
                None,
                "{index} bytes"
            );
        }
        assert_ne!(holder.encrypt(&one, b"context", b"plain").await.unwrap(), body);
    }
}
