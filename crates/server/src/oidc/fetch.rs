//! Fetching an issuer's description and its keys.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri, header};
use jsonwebtoken::jwk::Jwk;
use postern_dial::{Dialer, Http, Limits, Proxies, Trust};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::OidcError;
use crate::config::Oidc;

/// The largest description or set of keys; those of large issuers have some 20 KiB.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// The keys of one issuer that are looked at.
const KEYS_MAX: usize = 100;
/// Both requests together have to be done within this time: somebody waits.
const FETCH_TIME_MAX: Duration = Duration::from_secs(10);
const STEP_TIME_MAX: Duration = Duration::from_secs(5);

/// Asks issuers for their keys.
pub(super) struct Fetcher {
    http: Http,
    allow_loopback: bool,
}

/// What is needed of OpenID Connect Discovery's answer.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// A set of keys, each as it came.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl Fetcher {
    pub(super) fn new(config: &Oidc) -> Self {
        let trust = match &config.ca_certificates {
            Some(file) => Trust::native_and_ca_file(file),
            None => Trust::native(),
        };
        let step = STEP_TIME_MAX;
        let limits = Limits { connect: step, proxy: step, tls: step, request: step };
        let dialer = Dialer::new(trust, Proxies::from_env()).with_limits(limits);
        let http = Http::new(dialer).with_answer_bytes_max(ANSWER_BYTES_MAX);
        Self { http, allow_loopback: config.allow_loopback }
    }

    /// The keys of the issuer that calls itself `issuer_url`.
    pub(super) async fn keys(&self, issuer_url: &str) -> Result<Vec<Jwk>, OidcError> {
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

    /// A JSON document. Only status 200 counts: redirects are not followed, an issuer says where things are.
    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, OidcError> {
        let refused = |problem| OidcError::Provider { problem };
        let url: Uri = url.parse().map_err(|_| refused("an address of it is no URL"))?;
        if url.scheme_str() != Some("https") {
            return Err(refused("an address of it is not https"));
        }
        if !self.allow_loopback && url.host().is_none_or(is_this_machine) {
            return Err(refused("an address of it is on the server's own machine"));
        }
        let request = Request::get(url).header(header::ACCEPT, "application/json").body(Bytes::new());
        let request = request.map_err(|_| refused("an address of it is no URL"))?;
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|error| OidcError::Unreachable { source: Some(error.into()) })?;
        if answer.status() != http::StatusCode::OK {
            return Err(refused("it answered with another status than 200"));
        }
        serde_json::from_slice(answer.body()).map_err(|_| refused("its answer is not what the standard says"))
    }
}

/// Hosts that are this very machine, or that clouds give secrets to every program on a machine through. A name that only
/// resolves to such an address is stopped by its certificate.
fn is_this_machine(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    match name.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_link_local() || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unicast_link_local() || address.is_unspecified()
        }
        Err(_) => name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "idp.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
            "169.254.169.254",
            "[fe80::1]",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["idp.example.com", "localhost.example.com", "10.0.0.1", "[2001:db8::1]"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[tokio::test]
    async fn only_https_and_only_elsewhere() {
        let fetcher = Fetcher::new(&Oidc::default());
        for (issuer, part) in [
            ("http://idp.example.com", "not https"),
            ("https://127.0.0.1:1", "own machine"),
            ("https://localhost:1/x", "own machine"),
            ("https://a b", "no URL"),
        ] {
            let refused = fetcher.keys(issuer).await.unwrap_err();
            assert!(refused.to_string().contains(part), "{issuer}: {refused}");
        }
    }
}
