//! Signed calls of AWS's JSON operations.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use postern_api::Request;
use postern_dial::{Credentials, DialError, Endpoint, Http, Signer};
use serde::Deserialize;

use crate::sts::{self, Form};

/// Where credentials come from; asked for each call, because they may expire in a long session.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// Credentials that are good now.
    async fn credentials(&self) -> Result<Credentials, CredentialError>;
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CredentialError {
    /// What happened, to what.
    pub message: String,
    /// What the user can try.
    pub hint: Option<String>,
}

/// Calls one endpoint, in one region, as one principal.
pub struct Api {
    http: Http,
    endpoint: Endpoint,
    region: String,
    credentials: Box<dyn CredentialSource>,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing to sign with.
    #[error("no credentials")]
    Credentials(#[source] CredentialError),
    /// The server was not reached, or the connection broke.
    #[error("cannot call {operation}")]
    Dial {
        /// The operation.
        operation: &'static str,
        /// Why not.
        source: DialError,
    },
    /// The server refused.
    #[error("An error occurred ({code}) when calling the {operation} operation: {message}")]
    Refused {
        /// The operation.
        operation: &'static str,
        /// AWS's code, for example `TargetNotConnected`.
        code: String,
        /// The server's words.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is not what the operation answers.
    #[error("{operation} got an answer that is not AWS's")]
    Answer {
        /// The operation.
        operation: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The answer to a call for credentials has none in it.
    #[error("{operation} gave no credentials")]
    NoCredentials {
        /// The operation.
        operation: &'static str,
    },
}

impl CallError {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Credentials(_) | Self::Answer { .. } | Self::NoCredentials { .. } => false,
            Self::Dial { source, .. } => source.is_transient(),
            Self::Refused { code, status, .. } => *status >= 500 || code.starts_with("Throttling"),
        }
    }
}

impl Api {
    /// Calls `endpoint` through `http`.
    #[must_use]
    pub fn new(
        http: Http,
        endpoint: Endpoint,
        region: String,
        credentials: Box<dyn CredentialSource>,
    ) -> Self {
        Self { http, endpoint, region, credentials }
    }

    /// The connections that calls are made over.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The region that calls are signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Credentials for a request that is not one of this endpoint's operations.
    ///
    /// # Errors
    /// There are none.
    pub async fn credentials(&self) -> Result<Credentials, CredentialError> {
        self.credentials.credentials().await
    }

    /// Where a service answers: here, unless this address is that of Systems Manager alone, as AWS's are, and those of
    /// deployments that have one name for each service.
    fn endpoint_of(&self, service: &str) -> Endpoint {
        let of_ssm = self.endpoint.host().starts_with("ssm.");
        let named = self.endpoint.to_string().replacen("://ssm.", &format!("://{service}."), 1);
        named.parse().ok().filter(|_| of_ssm).unwrap_or_else(|| self.endpoint.clone())
    }

    /// Makes one call of a Query service; the answer is its XML.
    pub(crate) async fn query(
        &self,
        service: &'static str,
        operation: &'static str,
        form: Form,
    ) -> Result<String, CallError> {
        let credentials = self.credentials.credentials().await.map_err(CallError::Credentials)?;
        let signer = Signer { credentials: &credentials, region: &self.region, service };
        let dialed = |source| CallError::Dial { operation, source };
        let url = self.endpoint.url("/").map_err(dialed)?;
        let answer = self.http.signed_post(&signer, url, sts::headers(), form.into_body()).await;
        sts::accepted(operation, &answer.map_err(dialed)?).map(str::to_owned)
    }

    /// Makes one call.
    ///
    /// # Errors
    /// [`CallError`]; nothing is repeated here, because StartSession repeated is two sessions.
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Output, CallError> {
        let operation = R::OPERATION.name();
        let credentials = self.credentials.credentials().await.map_err(CallError::Credentials)?;
        let body = serde_json::to_vec(request).expect("inputs of operations are plain data");
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        if let Some(target) = R::OPERATION.target() {
            let target = HeaderValue::from_str(&target).expect("names of operations are ASCII");
            headers.insert("x-amz-target", target);
        }
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));

        let service = R::OPERATION.service().signing_name();
        let signer = Signer { credentials: &credentials, region: &self.region, service };
        let dialed = |source| CallError::Dial { operation, source };
        let url = self.endpoint_of(service).url("/").map_err(dialed)?;
        let answer = self.http.signed_post(&signer, url, headers, Bytes::from(body)).await.map_err(dialed)?;
        if answer.status().is_success() {
            return serde_json::from_slice(answer.body())
                .map_err(|source| CallError::Answer { operation, source });
        }
        Err(refused(operation, answer.status().as_u16(), answer.body()))
    }
}

pub(crate) const USER_AGENT: &str = concat!("postern/", env!("CARGO_PKG_VERSION"));

/// Reads an error as AWS's JSON services write it; anything else (a proxy's page) is told by its status.
fn refused(operation: &'static str, status: u16, body: &[u8]) -> CallError {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "__type")]
        code: String,
        #[serde(alias = "Message", default)]
        message: String,
    }
    let (code, message) = match serde_json::from_slice::<Body>(body) {
        // Some services put a namespace before the code.
        Ok(Body { code, message }) => (code.rsplit('#').next().unwrap_or_default().to_owned(), message),
        Err(_) => (
            format!("HTTP {status}"),
            "the answer is not AWS's; is this address a Postern server?".to_owned(),
        ),
    };
    CallError::Refused { operation, code, message, status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_in_each_spelling() {
        for (body, expected) in [
            (
                r#"{"__type":"TargetNotConnected","Message":"mi-1 is not connected."}"#,
                "TargetNotConnected: mi-1 is not connected.",
            ),
            (r#"{"__type":"com.amazonaws.ssm#InvalidDocument","message":"no"}"#, "InvalidDocument: no"),
            (r#"{"__type":"InternalServerError"}"#, "InternalServerError: "),
        ] {
            let CallError::Refused { code, message, .. } = refused("StartSession", 400, body.as_bytes())
            else {
                panic!("{body}")
            };
            assert_eq!(format!("{code}: {message}"), expected);
        }
        let page = refused("StartSession", 502, b"<html>");
        assert!(page.is_transient() && page.to_string().contains("HTTP 502"), "{page}");
    }
}
