//! Tokens of OIDC providers: who an issuer outside says that somebody is.
//!
//! Only issuers that are registered in IAM are ever asked for their keys, over HTTPS, within bounds of time and size,
//! and no more often than a bad token's sender could make a nuisance of. What a token means for a role is the business
//! of the role's trust policy.
//!
//! Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7517 (JWK), RFC 7519 (JWT).

mod claims;
mod code_flow;
mod error;
mod fetch;
mod keys;
mod reach;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use postern_ids::OidcIssuer;
use postern_store::Store;
use serde_json::{Map, Value};

pub(crate) use claims::Identity;
pub(crate) use code_flow::CodeExchange;
pub(crate) use error::OidcError;

use crate::config::Oidc;
use fetch::Fetcher;
use keys::KeyCache;

/// The signatures that are accepted. Those with a shared secret are not: the secret would be the public key.
const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];

/// Verifies tokens, with the issuers' keys at hand.
pub(crate) struct OidcVerifier {
    fetcher: Fetcher,
    keys: KeyCache,
    endpoints: code_flow::EndpointCache,
}

impl OidcVerifier {
    pub(crate) fn new(config: &Oidc) -> Self {
        Self {
            fetcher: Fetcher::new(config),
            keys: KeyCache::default(),
            endpoints: code_flow::EndpointCache::default(),
        }
    }

    /// Whom `token` is about, if a registered provider made it for one of its client IDs, now.
    pub(crate) async fn verify(
        &self,
        store: &dyn Store,
        token: &str,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        // Clients send a file's text as it is; white space is in no token.
        let token = token.trim();
        let header = jsonwebtoken::decode_header(token).map_err(|_| OidcError::NotAToken)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(OidcError::Algorithm);
        }
        let issuer_url = unverified_issuer(token)?;
        let unknown = || OidcError::ProviderUnknown { issuer: issuer_url.clone() };
        let issuer = OidcIssuer::from_url(&issuer_url).ok_or_else(unknown)?;
        let provider = store.oidc_provider(&issuer).await?.ok_or_else(unknown)?;
        let key = self.keys.key(&self.fetcher, &issuer, &issuer_url, &header).await?;
        let claims = verified_claims(token, &header, &key)?;
        Identity::new(&provider, &issuer_url, claims, now)
    }
}

/// Whom the token claims to be from: only to find the keys that will tell.
fn unverified_issuer(token: &str) -> Result<String, OidcError> {
    let claims: Map<String, Value> =
        jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| OidcError::NotAToken)?;
    match claims.get("iss") {
        Some(Value::String(issuer)) if !issuer.is_empty() => Ok(issuer.clone()),
        _ => Err(OidcError::MissingClaim { claim: "iss" }),
    }
}

fn verified_claims(token: &str, header: &Header, key: &DecodingKey) -> Result<Map<String, Value>, OidcError> {
    let mut validation = Validation::new(header.alg);
    // Times and audiences are checked by `claims`, with the server's clock and against the provider.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let verified = jsonwebtoken::decode(token, key, &validation).map_err(|_| OidcError::Signature)?;
    Ok(verified.claims)
}
