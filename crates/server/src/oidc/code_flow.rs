//! Signing in at a provider: the authorization code flow with PKCE.
//!
//! Sources: OpenID Connect Core 1.0, section 3.1; RFC 6749, sections 2.3.1 and 4.1; RFC 7636.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use postern_store::Secret;
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::fetch::Endpoints;
use super::{OidcError, OidcVerifier};

/// How long it is believed where a provider signs people in.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// Both requests to a provider have to be done within this time: somebody waits.
const EXCHANGE_TIME_MAX: Duration = Duration::from_secs(10);

/// Where providers sign people in, by issuer. Only those of the configuration are asked for.
#[derive(Default)]
pub(super) struct EndpointCache(Mutex<HashMap<String, (Instant, Endpoints)>>);

/// A code that a browser brought back, and what proves that it may be exchanged.
pub(crate) struct CodeExchange<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    /// `None`: a public client, which has PKCE alone.
    pub(crate) client_secret: Option<&'a Secret<String>>,
    pub(crate) code: &'a str,
    pub(crate) code_verifier: &'a str,
    pub(crate) redirect_uri: &'a str,
}

/// What is needed of the token endpoint's answer.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

impl OidcVerifier {
    /// Where the browser is sent to sign in at `issuer`.
    pub(crate) async fn authorization_endpoint(&self, issuer: &str) -> Result<String, OidcError> {
        Ok(self.endpoints(issuer).await?.authorization_endpoint)
    }

    /// The ID token for a code. It is not verified.
    pub(crate) async fn exchange(&self, exchange: &CodeExchange<'_>) -> Result<Secret<String>, OidcError> {
        let exchanging = async {
            let endpoints = self.endpoints(exchange.issuer).await?;
            let authorization = match exchange.client_secret {
                Some(secret) => Some(basic(exchange.client_id, secret)?),
                None => None,
            };
            let tokens: Tokens =
                self.fetcher.post(&endpoints.token_endpoint, exchange.form(), authorization).await?;
            Ok(tokens.id_token.into())
        };
        let timed_out = |_| OidcError::Unreachable { source: None };
        tokio::time::timeout(EXCHANGE_TIME_MAX, exchanging).await.map_err(timed_out)?
    }

    async fn endpoints(&self, issuer: &str) -> Result<Endpoints, OidcError> {
        let now = Instant::now();
        {
            let known = self.endpoints.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = known.get(issuer).filter(|(at, _)| now.duration_since(*at) < FRESH_FOR);
            if let Some((_, endpoints)) = fresh {
                return Ok(endpoints.clone());
            }
        }
        let endpoints = self.fetcher.endpoints(issuer).await?;
        let mut known = self.endpoints.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(issuer.to_owned(), (now, endpoints.clone()));
        Ok(endpoints)
    }
}

impl CodeExchange<'_> {
    fn form(&self) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", self.code)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("code_verifier", self.code_verifier);
        if self.client_secret.is_none() {
            form.append_pair("client_id", self.client_id);
        }
        form.finish()
    }
}

/// `client_secret_basic`, in which both parts are encoded as in forms first (RFC 6749, section 2.3.1).
fn basic(client_id: &str, secret: &Secret<String>) -> Result<HeaderValue, OidcError> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose_secret()));
    let value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)));
    let mut value = value.map_err(|_| OidcError::Provider { problem: "its client secret cannot be sent" })?;
    value.set_sensitive(true);
    Ok(value)
}
