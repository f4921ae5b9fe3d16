//! Credentials of a role from AWS's access portal, by the token of whoever signed in there.
//!
//! Source: IAM Identity Center portal API reference, `GetRoleCredentials`.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use postern_dial::{Credentials, Endpoint, Http};
use serde::Deserialize;

use crate::api::{CallError, USER_AGENT};

const OPERATION: &str = "GetRoleCredentials";
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-amz-sso_bearer_token");

/// Where credentials are asked for.
#[derive(Debug)]
pub struct SsoPortal {
    http: Http,
    endpoint: Endpoint,
}

/// Credentials for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalCredentials {
    /// What to sign with.
    pub credentials: Credentials,
    /// When they end, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

impl SsoPortal {
    /// Asks `endpoint` through `http`.
    #[must_use]
    pub fn new(http: Http, endpoint: Endpoint) -> Self {
        Self { http, endpoint }
    }

    /// Credentials of the role `role_name` in `account_id`, for whom the portal gave `token` to. The request is not
    /// signed.
    ///
    /// # Errors
    /// [`CallError`], but never [`CallError::Credentials`]. The code of a token that has ended is
    /// `UnauthorizedException`.
    pub async fn role_credentials(
        &self,
        token: &str,
        account_id: &str,
        role_name: &str,
    ) -> Result<PortalCredentials, CallError> {
        let dialed = |source| CallError::Dial { operation: OPERATION, source };
        let escaped = |value| utf8_percent_encode(value, NON_ALPHANUMERIC);
        let query = format!("role_name={}&account_id={}", escaped(role_name), escaped(account_id));
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() =
            self.endpoint.url(&format!("/federation/credentials?{query}")).map_err(dialed)?;
        let mut token = HeaderValue::from_str(token).map_err(|_| CallError::Refused {
            operation: OPERATION,
            code: "UnauthorizedException".to_owned(),
            message: "the token is none".to_owned(),
            status: 401,
        })?;
        token.set_sensitive(true);
        request.headers_mut().insert(TOKEN_HEADER, token);
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        read(&self.http.send(request).await.map_err(dialed)?)
    }
}

fn read(answer: &Response<Bytes>) -> Result<PortalCredentials, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        role_credentials: Given,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Given {
        access_key_id: String,
        secret_access_key: String,
        session_token: String,
        expiration: i64,
    }
    if !answer.status().is_success() {
        return Err(refused(answer));
    }
    // The words of the parser could repeat a secret.
    let Answer { role_credentials: given } = serde_json::from_slice(answer.body())
        .map_err(|_| CallError::NoCredentials { operation: OPERATION })?;
    Ok(PortalCredentials {
        credentials: Credentials {
            access_key_id: given.access_key_id,
            secret_access_key: given.secret_access_key,
            session_token: Some(given.session_token),
        },
        expires_at_ms: given.expiration,
    })
}

/// Reads an error as AWS's REST services write it: the code in a header, before whatever follows a colon.
fn refused(answer: &Response<Bytes>) -> CallError {
    #[derive(Deserialize, Default)]
    struct Body {
        #[serde(alias = "Message", default)]
        message: String,
    }
    let status = answer.status().as_u16();
    let code = answer.headers().get("x-amzn-errortype").and_then(|code| code.to_str().ok());
    let code = code.and_then(|code| code.split(':').next()).map(str::to_owned);
    let body: Body = serde_json::from_slice(answer.body()).unwrap_or_default();
    CallError::Refused {
        operation: OPERATION,
        code: code.unwrap_or_else(|| format!("HTTP {status}")),
        message: body.message,
        status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: Option<&str>, body: &'static str) -> Response<Bytes> {
        let mut answer = Response::builder().status(status);
        if let Some(code) = code {
            answer = answer.header("x-amzn-ErrorType", code);
        }
        answer.body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn credentials_are_read() {
        let body = r#"{"roleCredentials":{"accessKeyId":"ASIA1","secretAccessKey":"s","sessionToken":"t","expiration":1700000000000}}"#;
        let read = read(&answer(200, None, body)).unwrap();
        assert_eq!(read.credentials.access_key_id, "ASIA1");
        assert_eq!(read.credentials.session_token.as_deref(), Some("t"));
        assert_eq!(read.expires_at_ms, 1_700_000_000_000);
    }

    #[test]
    fn refusals_and_other_answers_are_told() {
        for (status, code, body, expected) in [
            (
                401,
                Some("UnauthorizedException:http://internal.amazon.com/"),
                r#"{"message":"Session token not found or invalid"}"#,
                "An error occurred (UnauthorizedException) when calling the GetRoleCredentials operation: Session token not found or invalid",
            ),
            (403, Some("ForbiddenException"), r#"{"message":"No access"}"#, "(ForbiddenException)"),
            (502, None, "<html>", "HTTP 502"),
            (200, None, r#"{"roleCredentials":{"accessKeyId":"hush"}}"#, "gave no credentials"),
        ] {
            let error = read(&answer(status, code, body)).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hush"), "{error}");
        }
    }
}
