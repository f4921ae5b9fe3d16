//! Fetching an issuer's description and its keys.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use jsonwebtoken::jwk::Jwk;
use postern_dial::{AddressFilter, DialError, Dialer, Http, Limits, Proxies, Trust};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{OidcError, reach};
use crate::config::Oidc;

/// The largest description or set of keys; those of large issuers have some 20 KiB.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// The keys of one issuer that are looked at.
const KEYS_MAX: usize = 100;
/// Both requests together have to be done within this time: somebody waits.
const FETCH_TIME_MAX: Duration = Duration::from_secs(10);
const STEP_TIME_MAX: Duration = Duration::from_secs(5);

const NOT_REACHED: &str = "an address of it is one that this server does not ask";

/// Asks issuers for their keys.
pub(super) struct Fetcher {
    http: Http,
    may_reach: AddressFilter,
}

/// What is needed of OpenID Connect Discovery's answer.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Where an issuer signs people in, as its description says.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Endpoints {
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
}

#[derive(Deserialize)]
struct DescribedEndpoints {
    issuer: String,
    #[serde(flatten)]
    endpoints: Endpoints,
}

/// A set of keys, each as it came.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// Who knows an issuer's keys.
pub(super) trait FetchKeys {
    /// The keys of the issuer that calls itself `issuer_url`.
    async fn keys(&self, issuer_url: &str) -> Result<Vec<Jwk>, OidcError>;
}

impl FetchKeys for Fetcher {
    async fn keys(&self, issuer_url: &str) -> Result<Vec<Jwk>, OidcError> {
        let fetching = async {
            let base = issuer_url.trim_end_matches('/');
            let described: Discovery = self.get(&format!("{base}/.well-known/openid-configuration")).await?;
            if described.issuer != issuer_url {
                return Err(OidcError::Provider { problem: "its description names another issuer" });
            }
            let set: KeySet = self.get(&described.jwks_uri).await?;
            // RFC 7517 section 5: keys of kinds that one does not know are passed over.
            let keys = set.keys.into_iter().take(KEYS_MAX);
            Ok(keys.filter_map(|key| serde_json::from_value(key).ok()).collect())
        };
        let timed_out = |_| OidcError::Unreachable { source: None };
        tokio::time::timeout(FETCH_TIME_MAX, fetching).await.map_err(timed_out)?
    }
}

impl Fetcher {
    pub(super) fn new(config: &Oidc) -> Self {
        let trust = match &config.ca_certificates {
            Some(file) => Trust::native_and_ca_file(file),
            None => Trust::native(),
        };
        let step = STEP_TIME_MAX;
        let limits = Limits { connect: step, proxy: step, tls: step, request: step };
        let may_reach = reach::filter(config);
        let dialer = Dialer::new(trust, Proxies::from_env());
        let dialer = dialer.with_limits(limits).with_address_filter(may_reach);
        Self { http: Http::new(dialer).with_answer_bytes_max(ANSWER_BYTES_MAX), may_reach }
    }

    /// Where the issuer that calls itself `issuer_url` signs people in.
    pub(super) async fn endpoints(&self, issuer_url: &str) -> Result<Endpoints, OidcError> {
        let base = issuer_url.trim_end_matches('/');
        let described: DescribedEndpoints =
            self.get(&format!("{base}/.well-known/openid-configuration")).await?;
        if described.issuer != issuer_url {
            return Err(OidcError::Provider { problem: "its description names another issuer" });
        }
        Ok(described.endpoints)
    }

    /// The answer to a form, in JSON.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        form: String,
        authorization: Option<HeaderValue>,
    ) -> Result<T, OidcError> {
        let mut request = Request::post(self.reachable(url)?)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.send(request.body(form.into())).await
    }

    /// A JSON document. Only status 200 counts: redirects are not followed, an issuer says where things are.
    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, OidcError> {
        let request = Request::get(self.reachable(url)?).header(header::ACCEPT, "application/json");
        self.send(request.body(Bytes::new())).await
    }

    /// An address that may be asked.
    fn reachable(&self, url: &str) -> Result<Uri, OidcError> {
        let refused = |problem| OidcError::Provider { problem };
        let url: Uri = url.parse().map_err(|_| refused("an address of it is no URL"))?;
        if url.scheme_str() != Some("https") {
            return Err(refused("an address of it is not https"));
        }
        // A proxy would be asked to connect to it; names are looked at when they are resolved.
        if url.host().and_then(reach::literal).is_some_and(|address| !(self.may_reach)(address)) {
            return Err(refused(NOT_REACHED));
        }
        Ok(url)
    }

    async fn send<T: DeserializeOwned>(&self, request: http::Result<Request<Bytes>>) -> Result<T, OidcError> {
        let refused = |problem| OidcError::Provider { problem };
        let request = request.map_err(|_| refused("an address of it is no URL"))?;
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|error| match error {
            DialError::Forbidden { .. } => refused(NOT_REACHED),
            error => OidcError::Unreachable { source: Some(error.into()) },
        })?;
        if answer.status() != http::StatusCode::OK {
            return Err(refused("it answered with another status than 200"));
        }
        serde_json::from_slice(answer.body()).map_err(|_| refused("its answer is not what the standard says"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_https_and_only_elsewhere() {
        let fetcher = Fetcher::new(&Oidc::default());
        for (issuer, part) in [
            ("http://idp.example.com", "not https"),
            ("https://127.0.0.1:1", "does not ask"),
            ("https://localhost:1/x", "does not ask"),
            ("https://169.254.169.254", "does not ask"),
            ("https://a b", "no URL"),
        ] {
            let refused = fetcher.keys(issuer).await.unwrap_err();
            assert!(refused.to_string().contains(part), "{issuer}: {refused}");
        }
    }
}
