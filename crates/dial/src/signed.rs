//! Requests signed with AWS's Signature Version 4.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use postern_sigv4::{PayloadHash, Signing, SigningTime};

use crate::endpoint::Endpoint;
use crate::error::DialError;
use crate::http1::Http;

/// What proves who makes a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key ID.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    /// Only the part that is no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Signs requests to one service.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Who signs.
    pub credentials: &'a Credentials,
    /// The region of the scope.
    pub region: &'a str,
    /// The service's signing name, for example `ssm`.
    pub service: &'a str,
}

impl Signer<'_> {
    /// The headers to add to a request: `authorization`, `x-amz-date`, and `x-amz-security-token` if there is
    /// one. All of `headers`, and `host`, are signed.
    ///
    /// # Errors
    /// [`DialError::Url`] if the URL has no usable host.
    pub fn sign(
        &self,
        method: &Method,
        url: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<HeaderMap, DialError> {
        let endpoint = Endpoint::of(url)?;
        let mut covered: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        covered.retain(|(name, _)| *name != "host");
        covered.push(("host", endpoint.authority().as_bytes()));
        let request = postern_sigv4::Request {
            method: method.as_str(),
            path: url.path(),
            query: url.query().unwrap_or_default(),
            headers: &covered,
        };
        let signing = Signing {
            access_key_id: &self.credentials.access_key_id,
            session_token: self.credentials.session_token.as_deref(),
            region: self.region,
            service: self.service,
            time: signing_time(now),
        };
        let prepared = signing.prepare(&request, &PayloadHash::of(body)).expect("host is among the headers");
        let mut added = HeaderMap::new();
        for (name, value) in prepared.sign(&self.credentials.secret_access_key) {
            let value = HeaderValue::from_str(&value).map_err(|_| DialError::Url {
                url: url.to_string(),
                problem: "the credentials or the region contain characters that no header can carry",
            })?;
            added.insert(HeaderName::from_static(name), value);
        }
        Ok(added)
    }
}

impl Http {
    /// Signs and sends a POST of `body` with `headers` (`content-type` and the like), and reads the answer.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub async fn signed_post(
        &self,
        signer: &Signer<'_>,
        url: Uri,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Bytes>, DialError> {
        let added = signer.sign(&Method::POST, &url, &headers, &body, SystemTime::now())?;
        headers.extend(added);
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url;
        *request.headers_mut() = headers;
        self.send(request).await
    }
}

fn signing_time(now: SystemTime) -> SigningTime {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    SigningTime::from_unix_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_print_their_secrets() {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: "hush".into(),
            session_token: Some("quiet".into()),
        };
        let printed = format!("{credentials:?}");
        assert!(
            printed.contains("AKIDEXAMPLE") && !printed.contains("hush") && !printed.contains("quiet"),
            "{printed}"
        );
    }

    #[test]
    fn host_date_token_and_the_callers_headers_are_signed() {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: "secret".into(),
            session_token: Some("token".into()),
        };
        let signer = Signer { credentials: &credentials, region: "us-east-1", service: "ssm" };
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", HeaderValue::from_static("AmazonSSM.StartSession"));
        let url = Uri::from_static("https://postern.example:8443/");
        let now = UNIX_EPOCH + std::time::Duration::from_secs(1_440_938_160);
        let added = signer.sign(&Method::POST, &url, &headers, b"{}", now).unwrap();
        assert_eq!(added["x-amz-date"], "20150830T123600Z");
        assert_eq!(added["x-amz-security-token"], "token");
        let authorization = added["authorization"].to_str().unwrap();
        let expected = "SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target,";
        assert!(authorization.contains(expected), "{authorization}");
    }
}
