//! The issuers' keys, kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use postern_ids::OidcIssuer;

use super::OidcError;
use super::fetch::FetchKeys;

/// Keys older than this are fetched again, so that one that its issuer withdrew is not believed for long.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// If that fails they are good for this long.
const USABLE_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// An issuer is asked at most so often, whatever tokens come: anyone can send one with a key ID that is not there.
/// More than once, so that keys which change right after a fetch are found at once.
const ASKED_MAX: usize = 3;
const ASKED_WITHIN: Duration = Duration::from_secs(90);
/// Issuers that are remembered; IAM allows 100.
const ISSUERS_MAX: usize = 256;

#[derive(Default)]
pub(super) struct KeyCache {
    issuers: Mutex<HashMap<OidcIssuer, Arc<Issuer>>>,
}

/// One issuer. Whoever holds `fetching` may ask it; nobody waits for that who has a key already.
#[derive(Default)]
struct Issuer {
    cached: Mutex<Cached>,
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Cached {
    keys: Vec<Jwk>,
    fetched_at: Option<Instant>,
    asked_at: Vec<Instant>,
    /// When it last answered, or did not in time.
    answered_at: Option<Instant>,
}

impl KeyCache {
    /// The key that a token with `header` claims to be signed with.
    pub(super) async fn key(
        &self,
        fetcher: &impl FetchKeys,
        issuer: &OidcIssuer,
        issuer_url: &str,
        header: &Header,
    ) -> Result<DecodingKey, OidcError> {
        let known = self.issuer(issuer);
        let came_at = Instant::now();
        if let Some(key) = known.cached().key(header, FRESH_FOR, came_at) {
            return decoding_key(&key);
        }
        let _fetching = match known.fetching.try_lock() {
            Ok(fetching) => fetching,
            Err(_) => {
                if let Some(key) = known.cached().key(header, USABLE_FOR, came_at) {
                    return decoding_key(&key);
                }
                known.fetching.lock().await
            }
        };
        let now = Instant::now();
        if known.cached().asks_after(came_at, now) {
            let answer = fetcher.keys(issuer_url).await;
            known.cached().answered_at = Some(Instant::now());
            match answer {
                Ok(keys) => known.cached().take(keys, now),
                Err(error) => {
                    let cause: &dyn std::error::Error = &error;
                    tracing::warn!(error = cause, %issuer, "cannot fetch the keys of {issuer}");
                    if !known.cached().is_younger(USABLE_FOR, now) {
                        return Err(error);
                    }
                }
            }
        }
        let cached = known.cached();
        if !cached.is_younger(USABLE_FOR, now) {
            return Err(OidcError::Unreachable { source: None });
        }
        find(&cached.keys, header).ok_or(OidcError::KeyUnknown).and_then(decoding_key)
    }

    fn issuer(&self, issuer: &OidcIssuer) -> Arc<Issuer> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if issuers.len() >= ISSUERS_MAX && !issuers.contains_key(issuer) {
            issuers.clear();
        }
        Arc::clone(issuers.entry(issuer.clone()).or_default())
    }
}

impl Issuer {
    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cached {
    /// The key for `header`, if it is not older.
    fn key(&self, header: &Header, than: Duration, now: Instant) -> Option<Jwk> {
        find(&self.keys, header).filter(|_| self.is_younger(than, now)).cloned()
    }

    fn is_younger(&self, than: Duration, now: Instant) -> bool {
        self.fetched_at.is_some_and(|at| now.duration_since(at) < than)
    }

    fn take(&mut self, keys: Vec<Jwk>, now: Instant) {
        self.keys = keys;
        self.fetched_at = Some(now);
    }

    /// Whether the issuer is to be asked for somebody who came then: not if it has answered somebody else since, and not
    /// too often. Counts it.
    fn asks_after(&mut self, came_at: Instant, now: Instant) -> bool {
        let is_answered = self.answered_at.is_some_and(|at| at >= came_at);
        if is_answered || !self.may_ask(now) {
            return false;
        }
        self.asked_at.push(now);
        true
    }

    fn may_ask(&mut self, now: Instant) -> bool {
        self.asked_at.retain(|at| now.duration_since(*at) < ASKED_WITHIN);
        self.asked_at.len() < ASKED_MAX
    }
}

/// The key with the token's key ID, for its algorithm. Without a key ID there must be only one that it can be.
fn find<'a>(keys: &'a [Jwk], header: &Header) -> Option<&'a Jwk> {
    let mut possible = keys.iter().filter(|key| is_for(key, header.alg));
    match &header.kid {
        Some(kid) => possible.find(|key| key.common.key_id.as_ref() == Some(kid)),
        None => possible.next().filter(|_| possible.next().is_none()),
    }
}

/// Whether a key is one for verifying signatures of `algorithm`.
fn is_for(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_for_signatures =
        key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let named = match algorithm {
        Algorithm::RS256 => KeyAlgorithm::RS256,
        Algorithm::RS384 => KeyAlgorithm::RS384,
        Algorithm::RS512 => KeyAlgorithm::RS512,
        Algorithm::ES256 => KeyAlgorithm::ES256,
        Algorithm::ES384 => KeyAlgorithm::ES384,
        _ => return false,
    };
    let is_of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => {
            matches!(algorithm, Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512)
        }
        AlgorithmParameters::EllipticCurve(parameters) => match algorithm {
            Algorithm::ES256 => parameters.curve == EllipticCurve::P256,
            Algorithm::ES384 => parameters.curve == EllipticCurve::P384,
            _ => false,
        },
        _ => false,
    };
    is_for_signatures && is_of_kind && key.common.key_algorithm.is_none_or(|algorithm| algorithm == named)
}

fn decoding_key(key: &Jwk) -> Result<DecodingKey, OidcError> {
    DecodingKey::from_jwk(key).map_err(|_| OidcError::Provider { problem: "its key cannot be read" })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn an_issuer_is_asked_three_times_in_a_row_and_then_less_often() {
        let mut cached = Cached::default();
        let start = Instant::now();
        for _ in 0..3 {
            assert!(cached.may_ask(start));
            cached.asked_at.push(start);
        }
        assert!(!cached.may_ask(start + Duration::from_secs(89)));
        assert!(cached.may_ask(start + Duration::from_secs(90)));
    }

    /// An issuer that is told when to answer, and with what.
    struct Told {
        answers: tokio::sync::Mutex<tokio::sync::mpsc::Receiver<Result<Vec<Jwk>, OidcError>>>,
        asked: AtomicUsize,
    }

    impl FetchKeys for Told {
        async fn keys(&self, _: &str) -> Result<Vec<Jwk>, OidcError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.answers.lock().await.recv().await.expect("there is an answer for every question")
        }
    }

    #[tokio::test]
    async fn whoever_has_a_key_does_not_wait_for_somebody_who_has_none() {
        let cache = KeyCache::default();
        let issuer: OidcIssuer = OidcIssuer::from_url("https://idp.example").unwrap();
        let (answer, answers) = tokio::sync::mpsc::channel(1);
        let told = Told { answers: tokio::sync::Mutex::new(answers), asked: AtomicUsize::new(0) };
        let key = async |kid: &str| {
            let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::RS256) };
            cache.key(&told, &issuer, "https://idp.example", &header).await.map(drop)
        };
        answer.send(Ok(keys())).await.unwrap();
        key("a").await.unwrap();
        // Somebody makes up key IDs, and the issuer takes its time.
        let (one, other) = (key("made up"), key("made up, too"));
        tokio::pin!(one, other);
        assert!(futures_util::poll!(&mut one).is_pending() && futures_util::poll!(&mut other).is_pending());
        key("a").await.unwrap();
        assert_eq!(told.asked.load(Ordering::Relaxed), 2);
        // Old keys do as well while somebody fetches.
        let known = cache.issuer(&issuer);
        known.cached().fetched_at = Instant::now().checked_sub(FRESH_FOR);
        key("a").await.unwrap();
        assert_eq!(told.asked.load(Ordering::Relaxed), 2);
        // One answer is for all who waited.
        answer.send(Ok(keys())).await.unwrap();
        assert!(matches!(one.await, Err(OidcError::KeyUnknown)));
        assert!(matches!(other.await, Err(OidcError::KeyUnknown)));
        assert_eq!(told.asked.load(Ordering::Relaxed), 2);
    }

    fn keys() -> Vec<Jwk> {
        let keys = serde_json::json!([
            {"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"},
            {"kty": "RSA", "kid": "b", "alg": "RS512", "n": "AQAB", "e": "AQAB"},
            {"kty": "RSA", "kid": "c", "use": "enc", "n": "AQAB", "e": "AQAB"},
            {"kty": "EC", "kid": "d", "crv": "P-256", "x": "AQAB", "y": "AQAB"},
            {"kty": "oct", "kid": "e", "k": "AQAB"},
        ]);
        serde_json::from_value(keys).unwrap()
    }

    #[test]
    fn a_key_is_found_by_its_id_and_its_algorithm() {
        let found = |algorithm, kid: Option<&str>| {
            let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
            find(&keys(), &header).and_then(|key| key.common.key_id.clone())
        };
        for (algorithm, kid, expected) in [
            (Algorithm::RS256, Some("a"), Some("a")),
            (Algorithm::RS256, Some("b"), None),
            (Algorithm::RS512, Some("b"), Some("b")),
            (Algorithm::RS256, Some("c"), None),
            (Algorithm::ES256, Some("d"), Some("d")),
            (Algorithm::ES384, Some("d"), None),
            (Algorithm::RS256, Some("d"), None),
            (Algorithm::HS256, Some("e"), None),
            (Algorithm::RS256, Some("x"), None),
            // Without an ID only if there is but one.
            (Algorithm::ES256, None, Some("d")),
            (Algorithm::RS512, None, None),
        ] {
            assert_eq!(found(algorithm, kid).as_deref(), expected, "{algorithm:?} {kid:?}");
        }
    }
}
