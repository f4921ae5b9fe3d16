//! Making signatures.

use std::time::Duration;

use crate::canonical::encoded;
use crate::{
    ALGORITHM, Authorization, Credential, EXPIRES_S_MAX, Header, PathRule, PayloadHash, Request, Scope,
    SigningKey, SigningTime, canonical_request, string_to_sign,
};

/// Headers that are left out of a signature, because proxies and HTTP libraries add or change them.
const NEVER_SIGNED: [&str; 6] =
    ["authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

/// Who signs, for which service, when.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The access key ID, or the ID of the managed node.
    pub access_key_id: &'a str,
    /// The session token of temporary credentials.
    pub session_token: Option<&'a str>,
    /// The region of the scope.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
    /// The time.
    pub time: SigningTime,
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Without `host` a signature would be good for any server.
    #[error("the request has no Host header, which must be signed")]
    HostMissing,
    /// The life of a presigned request.
    #[error("a presigned request can be good for 1 to {EXPIRES_S_MAX} seconds, not {}", .0.as_secs())]
    Expires(Duration),
}

impl Signing<'_> {
    /// Prepares the signature of `request`, whose headers are all signed but those that proxies change.
    ///
    /// # Errors
    /// [`SignError::HostMissing`].
    pub fn prepare(&self, request: &Request<'_>, payload: &PayloadHash) -> Result<Prepared, SignError> {
        let mut added = vec![("x-amz-date", self.time.to_string())];
        if let Some(token) = self.session_token {
            added.push(("x-amz-security-token", token.to_owned()));
        }
        if self.service == "s3" && !request.has("x-amz-content-sha256") {
            added.push(("x-amz-content-sha256", payload.to_string()));
        }
        let mut headers: Vec<Header<'_>> = request.headers.to_vec();
        headers.retain(|(name, _)| !added.iter().any(|(other, _)| name.eq_ignore_ascii_case(other)));
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let request = Request { headers: &headers, ..*request };
        let signed_headers = signed_headers(&request)?;
        let string_to_sign = self.string_to_sign(&request, &signed_headers, payload);
        Ok(Prepared { credential: self.credential(), signed_headers, string_to_sign, headers: added })
    }

    /// Presigns `request`: its whole query, good for `expires` from the time of signing.
    ///
    /// # Errors
    /// [`SignError`]: no host, or a life that is too short or too long.
    pub fn presign(
        &self,
        request: &Request<'_>,
        expires: Duration,
        secret_access_key: &str,
        payload: &PayloadHash,
    ) -> Result<String, SignError> {
        if !(1..=EXPIRES_S_MAX).contains(&expires.as_secs()) {
            return Err(SignError::Expires(expires));
        }
        let signed_headers = signed_headers(request)?;
        let mut query = String::from(request.query);
        let mut push = |name: &str, value: &str| {
            let separator = if query.is_empty() { "" } else { "&" };
            query.push_str(&format!("{separator}{name}={}", encoded(value)));
        };
        push("X-Amz-Algorithm", ALGORITHM);
        push("X-Amz-Credential", &self.credential().to_string());
        push("X-Amz-Date", &self.time.to_string());
        push("X-Amz-Expires", &expires.as_secs().to_string());
        push("X-Amz-SignedHeaders", &signed_headers.join(";"));
        if let Some(token) = self.session_token {
            push("X-Amz-Security-Token", token);
        }
        let text = self.string_to_sign(&Request { query: &query, ..*request }, &signed_headers, payload);
        let signature = SigningKey::derive(secret_access_key, &self.scope()).sign(&text);
        query.push_str(&format!("&X-Amz-Signature={signature}"));
        Ok(query)
    }

    fn scope(&self) -> Scope {
        Scope::new(self.time, self.region, self.service)
    }

    fn credential(&self) -> Credential {
        Credential { access_key_id: self.access_key_id.to_owned(), scope: self.scope() }
    }

    fn string_to_sign(
        &self,
        request: &Request<'_>,
        signed_headers: &[String],
        payload: &PayloadHash,
    ) -> String {
        let rule = PathRule::of_service(self.service);
        string_to_sign(self.time, &self.scope(), &canonical_request(request, signed_headers, rule, payload))
    }
}

/// A request that lacks only its signature.
pub struct Prepared {
    credential: Credential,
    signed_headers: Vec<String>,
    string_to_sign: String,
    headers: Vec<(&'static str, String)>,
}

impl Prepared {
    /// The text to sign. A managed node signs it with RSASSA-PSS (SHA-256, MGF1 with SHA-256, salt of 32 bytes).
    #[must_use]
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }

    /// Signs with a secret access key: the headers to add, with lower-case names.
    #[must_use]
    pub fn sign(self, secret_access_key: &str) -> Vec<(&'static str, String)> {
        let signature =
            SigningKey::derive(secret_access_key, &self.credential.scope).sign(&self.string_to_sign);
        self.with_signature(signature)
    }

    /// Takes a signature made elsewhere (base64 for a managed node's): the headers to add.
    #[must_use]
    pub fn with_signature(self, signature: String) -> Vec<(&'static str, String)> {
        let Self { credential, signed_headers, mut headers, .. } = self;
        let authorization = Authorization { credential, signed_headers, signature };
        headers.push(("authorization", authorization.to_string()));
        headers
    }
}

/// The sorted names of the headers to sign.
fn signed_headers(request: &Request<'_>) -> Result<Vec<String>, SignError> {
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.retain(|name| !NEVER_SIGNED.contains(&name.as_str()));
    names.sort_unstable();
    names.dedup();
    if names.iter().any(|name| name == "host") { Ok(names) } else { Err(SignError::HostMissing) }
}
