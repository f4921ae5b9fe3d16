//! Temporary credentials from STS: its Query protocol, as far as a profile that assumes a role needs it.
//!
//! Source: AWS STS API reference, `AssumeRole` and `AssumeRoleWithWebIdentity`.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use postern_dial::{Credentials, DialError, Endpoint, Http, Signer};
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::api::{CallError, USER_AGENT};

pub(crate) const API_VERSION: &str = "2011-06-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Where credentials are asked for.
#[derive(Debug)]
pub struct Sts {
    http: Http,
    endpoint: Endpoint,
    region: String,
}

/// The role that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleRequest {
    /// Its ARN.
    pub role_arn: String,
    /// The name of the session.
    pub session_name: String,
    /// How many seconds the credentials should last; the server's default if absent.
    pub duration_seconds: Option<u32>,
    /// What the role's owner may demand. Only for [`Sts::assume_role`].
    pub external_id: Option<String>,
    /// An MFA device, and the code that it shows. Only for [`Sts::assume_role`].
    pub mfa: Option<MfaCode>,
}

/// A code of an MFA device.
#[derive(Clone, PartialEq, Eq)]
pub struct MfaCode {
    /// The device's serial number, which is an ARN for virtual ones.
    pub serial: String,
    /// Six digits.
    pub code: String,
}

impl fmt::Debug for MfaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MfaCode").field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// Credentials for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryCredentials {
    /// What to sign with.
    pub credentials: Credentials,
    /// When they end (RFC 3339), as the server wrote it.
    pub expiration: String,
}

impl Sts {
    /// Asks `endpoint` through `http`; requests are signed for `region`.
    #[must_use]
    pub fn new(http: Http, endpoint: Endpoint, region: String) -> Self {
        Self { http, endpoint, region }
    }

    /// Credentials of a role, for whoever `credentials` belong to.
    ///
    /// # Errors
    /// [`CallError`], but never [`CallError::Credentials`].
    pub async fn assume_role(
        &self,
        credentials: &Credentials,
        request: &RoleRequest,
    ) -> Result<TemporaryCredentials, CallError> {
        const OPERATION: &str = "AssumeRole";
        let mut form = Form::new(OPERATION, request);
        form.add("ExternalId", request.external_id.as_deref());
        form.add("SerialNumber", request.mfa.as_ref().map(|mfa| mfa.serial.as_str()));
        form.add("TokenCode", request.mfa.as_ref().map(|mfa| mfa.code.as_str()));
        let dialed = |source| CallError::Dial { operation: OPERATION, source };
        let signer = Signer { credentials, region: &self.region, service: "sts" };
        let url = self.endpoint.url("/").map_err(dialed)?;
        let answer = self.http.signed_post(&signer, url, headers(), form.into_body()).await;
        read(OPERATION, &answer.map_err(dialed)?)
    }

    /// Credentials of a role, for whoever an OIDC provider's `token` vouches for. The request is not signed.
    ///
    /// # Errors
    /// [`CallError`], but never [`CallError::Credentials`].
    pub async fn assume_role_with_web_identity(
        &self,
        token: &str,
        request: &RoleRequest,
    ) -> Result<TemporaryCredentials, CallError> {
        const OPERATION: &str = "AssumeRoleWithWebIdentity";
        let mut form = Form::new(OPERATION, request);
        form.add("WebIdentityToken", Some(token));
        let dialed = |source| CallError::Dial { operation: OPERATION, source };
        let url = self.endpoint.url("/").map_err(dialed)?;
        let mut unsigned = Request::new(form.into_body());
        *unsigned.method_mut() = http::Method::POST;
        *unsigned.uri_mut() = url;
        *unsigned.headers_mut() = headers();
        let answer: Result<_, DialError> = self.http.send(unsigned).await;
        read(OPERATION, &answer.map_err(dialed)?)
    }
}

/// Of every request of a Query service.
pub(crate) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers
}

/// A form under construction.
pub(crate) struct Form(String);

impl Form {
    /// One of an operation of the service whose API has this version.
    pub(crate) fn of(operation: &str, version: &str) -> Self {
        Self(format!("Action={operation}&Version={version}"))
    }

    fn new(operation: &str, request: &RoleRequest) -> Self {
        let mut form = Self::of(operation, API_VERSION);
        form.add("RoleArn", Some(&request.role_arn));
        form.add("RoleSessionName", Some(&request.session_name));
        form.add("DurationSeconds", request.duration_seconds.map(|seconds| seconds.to_string()).as_deref());
        form
    }

    pub(crate) fn add(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
    }

    pub(crate) fn into_body(self) -> Bytes {
        self.0.into()
    }
}

fn read(operation: &'static str, answer: &Response<Bytes>) -> Result<TemporaryCredentials, CallError> {
    let text = accepted(operation, answer)?;
    let found = |name: &str| element(text, name).filter(|value| !value.is_empty());
    let credentials = || {
        Some(TemporaryCredentials {
            credentials: Credentials {
                access_key_id: found("AccessKeyId")?,
                secret_access_key: found("SecretAccessKey")?,
                session_token: Some(found("SessionToken")?),
            },
            expiration: found("Expiration")?,
        })
    };
    credentials().ok_or(CallError::NoCredentials { operation })
}

/// The XML of an answer that is no refusal.
pub(crate) fn accepted<'a>(
    operation: &'static str,
    answer: &'a Response<Bytes>,
) -> Result<&'a str, CallError> {
    let status = answer.status();
    let text = std::str::from_utf8(answer.body()).unwrap_or_default();
    if status.is_success() {
        return Ok(text);
    }
    let page = || "the answer is not AWS's; is this address a Postern server?".to_owned();
    let (code, message) = match element(text, "Code").filter(|code| !code.is_empty()) {
        Some(code) => (code, element(text, "Message").unwrap_or_default()),
        None => (format!("HTTP {}", status.as_u16()), page()),
    };
    Err(CallError::Refused { operation, code, message, status: status.as_u16() })
}

/// The text of the first element with this name.
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut text = String::new();
    let mut is_inside = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if start.name().as_ref() == name => is_inside = true,
            Event::Text(part) if is_inside => text.push_str(&part),
            Event::GeneralRef(reference) if is_inside => text.push(character(&reference)?),
            Event::End(end) if is_inside && end.name().as_ref() == name => return Some(text),
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// The character that `&…;` stands for.
fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character);
    }
    quick_xml::escape::resolve_predefined_entity(reference)?.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn credentials_are_read_from_xml() {
        let body = r#"<?xml version="1.0"?><AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
            <AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/a/b</Arn></AssumedRoleUser><Credentials>
            <AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>a&amp;b/&#43;</SecretAccessKey>
            <SessionToken>t==</SessionToken><Expiration>2026-11-27T09:00:00Z</Expiration>
            </Credentials></AssumeRoleResult></AssumeRoleResponse>"#;
        let read = read("AssumeRole", &answer(200, body)).unwrap();
        assert_eq!(read.credentials.access_key_id, "ASIA1");
        assert_eq!(read.credentials.secret_access_key, "a&b/+");
        assert_eq!(read.credentials.session_token.as_deref(), Some("t=="));
        assert_eq!(read.expiration, "2026-11-27T09:00:00Z");
    }

    #[test]
    fn refusals_and_other_answers_are_told() {
        let refusal = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is &lt;not&gt; authorized</Message></Error></ErrorResponse>";
        for (status, body, expected) in [
            (
                403,
                refusal,
                "An error occurred (AccessDenied) when calling the AssumeRole operation: User: x is <not> authorized",
            ),
            (502, "<html>", "HTTP 502"),
            (200, "<html/>", "AssumeRole gave no credentials"),
            (200, "", "AssumeRole gave no credentials"),
        ] {
            let error = read("AssumeRole", &answer(status, body)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn values_are_escaped_in_forms() {
        let request = RoleRequest {
            role_arn: "arn:aws:iam::1:role/a b".to_owned(),
            session_name: "x&y=z".to_owned(),
            duration_seconds: Some(900),
            ..RoleRequest::default()
        };
        let body = Form::new("AssumeRole", &request).into_body();
        assert_eq!(
            body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b&RoleSessionName=x%26y%3Dz&DurationSeconds=900"
        );
    }
}
