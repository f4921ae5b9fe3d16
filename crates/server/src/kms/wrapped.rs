//! Backing keys that rest only as another key management has encrypted them.
//!
//! The store then holds nothing that its own master key opens. A backing key is fetched when it is needed and kept in
//! memory for a while, so that not every session waits for somebody else's server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use postern_store::Secret;
use tokio::time::Instant;

use super::holder::{EmbeddedHolder, HolderError, KeyHolder};
use crate::random::Random;

/// What a wrapped backing key begins with in the store. One that is there in itself is 32 random bytes, and so is never taken
/// for it: what follows these bytes is longer.
const WRAPPED: &[u8] = b"wrapped\0";
/// How long a backing key stays in memory. Its wrapper's owner who takes the right to it away is obeyed after that;
/// a short outage of the wrapper is not noticed.
const KEPT_FOR: Duration = Duration::from_secs(5 * 60);
/// Backing keys in memory: far more than session documents name at one time. Beyond, the oldest is fetched again.
const KEPT_MAX: usize = 1000;

/// Encrypts backing keys under a key that is elsewhere.
#[async_trait]
pub(crate) trait Wrapper: Send + Sync {
    /// Encrypts. What comes back is kept as it is.
    async fn wrap(&self, plain: &[u8]) -> Result<Vec<u8>, HolderError>;

    /// Decrypts what [`wrap`](Self::wrap) gave.
    async fn unwrap(&self, wrapped: &[u8]) -> Result<Secret<Vec<u8>>, HolderError>;
}

/// See the [module's documentation](self). Backing keys from before it was chosen go on to work.
pub(crate) struct WrappedHolder<W> {
    embedded: EmbeddedHolder,
    wrapper: W,
    kept: Mutex<HashMap<[u8; 32], Kept>>,
}

struct Kept {
    key: Arc<Secret<Vec<u8>>>,
    since: Instant,
}

impl<W: Wrapper> WrappedHolder<W> {
    pub(crate) fn new(random: Arc<dyn Random>, wrapper: W) -> Self {
        Self { embedded: EmbeddedHolder::new(random), wrapper, kept: Mutex::default() }
    }

    async fn backing_key(&self, content: &Secret<Vec<u8>>) -> Result<Arc<Secret<Vec<u8>>>, HolderError> {
        let content = content.expose_secret();
        let Some(wrapped) = content.strip_prefix(WRAPPED) else {
            return Ok(Arc::new(Secret::new(content.clone())));
        };
        let name = name_of(wrapped);
        let found = self.kept().get(&name).filter(|kept| is_fresh(kept)).map(|kept| Arc::clone(&kept.key));
        if let Some(key) = found {
            return Ok(key);
        }
        let key = Arc::new(self.wrapper.unwrap(wrapped).await?);
        self.keep(name, Arc::clone(&key));
        Ok(key)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<[u8; 32], Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, name: [u8; 32], key: Arc<Secret<Vec<u8>>>) {
        let mut kept = self.kept();
        kept.retain(|_, kept| is_fresh(kept));
        if kept.len() >= KEPT_MAX
            && let Some(oldest) = kept.iter().min_by_key(|(_, kept)| kept.since).map(|(name, _)| *name)
        {
            kept.remove(&oldest);
        }
        kept.insert(name, Kept { key, since: Instant::now() });
    }
}

fn is_fresh(kept: &Kept) -> bool {
    kept.since.elapsed() < KEPT_FOR
}

fn name_of(wrapped: &[u8]) -> [u8; 32] {
    let mut name = [0; 32];
    name.copy_from_slice(digest(&SHA256, wrapped).as_ref());
    name
}

#[async_trait]
impl<W: Wrapper> KeyHolder for WrappedHolder<W> {
    async fn create(&self) -> Result<Secret<Vec<u8>>, HolderError> {
        let key = self.embedded.create().await?;
        let wrapped = self.wrapper.wrap(key.expose_secret()).await?;
        self.keep(name_of(&wrapped), Arc::new(key));
        Ok(Secret::new([WRAPPED, &wrapped].concat()))
    }

    async fn encrypt(
        &self,
        content: &Secret<Vec<u8>>,
        authenticated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, HolderError> {
        let key = self.backing_key(content).await?;
        self.embedded.encrypt(&key, authenticated, plain).await
    }

    async fn decrypt(
        &self,
        content: &Secret<Vec<u8>>,
        authenticated: &[u8],
        body: &[u8],
    ) -> Result<Option<Secret<Vec<u8>>>, HolderError> {
        let key = self.backing_key(content).await?;
        self.embedded.decrypt(&key, authenticated, body).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::random::SystemRandom;

    /// Turns every bit over, and counts how often it is asked back.
    #[derive(Default)]
    struct Turned {
        asked: Arc<AtomicUsize>,
    }

    #[async_trait]
    impl Wrapper for Turned {
        async fn wrap(&self, plain: &[u8]) -> Result<Vec<u8>, HolderError> {
            Ok(plain.iter().map(|byte| !byte).collect())
        }

        async fn unwrap(&self, wrapped: &[u8]) -> Result<Secret<Vec<u8>>, HolderError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(Secret::new(wrapped.iter().map(|byte| !byte).collect()))
        }
    }

    fn holder() -> (WrappedHolder<Turned>, Arc<AtomicUsize>) {
        let wrapper = Turned::default();
        let asked = Arc::clone(&wrapper.asked);
        (WrappedHolder::new(Arc::new(SystemRandom), wrapper), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn a_backing_key_rests_wrapped_and_is_fetched_now_and_then() {
        let (holder, asked) = holder();
        let content = holder.create().await.unwrap();
        let body = holder.encrypt(&content, b"context", b"plain").await.unwrap();
        let opened = async || holder.decrypt(&content, b"context", &body).await.unwrap();
        assert_eq!(opened().await, Some(Secret::new(b"plain".to_vec())));
        assert_eq!(asked.load(Ordering::Relaxed), 0, "it has just been made here");
        tokio::time::advance(KEPT_FOR).await;
        for _ in 0..3 {
            assert!(opened().await.is_some());
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(holder.decrypt(&content, b"another", &body).await.unwrap(), None);
    }

    #[tokio::test]
    async fn backing_keys_from_before_go_on_to_work() {
        let before = EmbeddedHolder::new(Arc::new(SystemRandom));
        let content = before.create().await.unwrap();
        let body = before.encrypt(&content, b"context", b"plain").await.unwrap();
        let (holder, asked) = holder();
        assert!(holder.decrypt(&content, b"context", &body).await.unwrap().is_some());
        assert_eq!(asked.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn memory_for_backing_keys_is_bounded() {
        let (holder, _) = holder();
        for _ in 0..KEPT_MAX + 10 {
            holder.create().await.unwrap();
        }
        assert_eq!(holder.kept().len(), KEPT_MAX);
    }
}
