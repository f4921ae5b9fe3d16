//! The issuers' keys, kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use postern_ids::OidcIssuer;

use super::OidcError;
use super::fetch::Fetcher;

/// Keys older than this are fetched again, so that one that its issuer withdrew is not believed for long.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// If that fails they are good for this long.
const USABLE_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// An issuer is asked at most so often, whatever tokens come: anyone can send one with a key ID that is not there.
const ASKED_EVERY: Duration = Duration::from_secs(30);
/// Issuers that are remembered; IAM allows 100.
const ISSUERS_MAX: usize = 256;

#[derive(Default)]
pub(super) struct KeyCache {
    issuers: Mutex<HashMap<OidcIssuer, Arc<tokio::sync::Mutex<Cached>>>>,
}

/// One issuer's keys. Whoever holds the lock may fetch them; the others wait and find them.
#[derive(Default)]
struct Cached {
    keys: Vec<Jwk>,
    fetched_at: Option<Instant>,
    asked_at: Option<Instant>,
}

impl KeyCache {
    /// The key that a token with `header` claims to be signed with.
    pub(super) async fn key(
        &self,
        fetcher: &Fetcher,
        issuer: &OidcIssuer,
        issuer_url: &str,
        header: &Header,
    ) -> Result<DecodingKey, OidcError> {
        let cached = self.cached(issuer);
        let mut cached = cached.lock().await;
        let now = Instant::now();
        let found = find(&cached.keys, header);
        if let Some(key) = found.filter(|_| cached.is_younger(FRESH_FOR, now)) {
            return decoding_key(key);
        }
        if cached.may_ask(now) {
            cached.asked_at = Some(now);
            match fetcher.keys(issuer_url).await {
                Ok(keys) => {
                    cached.keys = keys;
                    cached.fetched_at = Some(now);
                }
                Err(error) => {
                    let cause: &dyn std::error::Error = &error;
                    tracing::warn!(error = cause, %issuer, "cannot fetch the keys of {issuer}");
                    if !cached.is_younger(USABLE_FOR, now) {
                        return Err(error);
                    }
                }
            }
        }
        if !cached.is_younger(USABLE_FOR, now) {
            return Err(OidcError::Unreachable { source: None });
        }
        find(&cached.keys, header).ok_or(OidcError::KeyUnknown).and_then(decoding_key)
    }

    fn cached(&self, issuer: &OidcIssuer) -> Arc<tokio::sync::Mutex<Cached>> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if issuers.len() >= ISSUERS_MAX && !issuers.contains_key(issuer) {
            issuers.clear();
        }
        Arc::clone(issuers.entry(issuer.clone()).or_default())
    }
}

impl Cached {
    fn is_younger(&self, than: Duration, now: Instant) -> bool {
        self.fetched_at.is_some_and(|at| now.duration_since(at) < than)
    }

    fn may_ask(&self, now: Instant) -> bool {
        self.asked_at.is_none_or(|at| now.duration_since(at) >= ASKED_EVERY)
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
