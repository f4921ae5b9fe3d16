//! AWS's errors as data, and their three forms on the wire.

use serde_json::{Map, Value};

use crate::query::xml::Elements;
use crate::{Protocol, Service, json, query};

/// An error as AWS's clients see it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct ApiError {
    /// The code that clients match on.
    pub code: Code,
    /// The text for people.
    pub message: String,
    /// Members beside the message that the model gives this error, by their names on the wire.
    pub members: Vec<(&'static str, Value)>,
}

/// What kind of error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// One that any operation may answer; its name depends on the protocol.
    Common(CommonError),
    /// One of a service's model.
    Modeled(ErrorCode),
}

/// An error of a service's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// The code on the wire.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// How this error spells its message member.
    pub message_member: &'static str,
}

/// The errors that AWS's services have in common.
///
/// Source: "Common Error Types" of the Systems Manager, STS and IAM API references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommonError {
    /// No credentials in the request.
    MissingAuthentication,
    /// Unknown access key, or a session token that is not one of ours.
    UnrecognizedClient,
    /// The signature does not fit the request, or its time is off.
    InvalidSignature,
    /// The session token's time is over.
    ExpiredToken,
    /// The `Authorization` header cannot be read.
    IncompleteSignature,
    /// The caller is known and not allowed.
    AccessDenied,
    /// No such operation here.
    UnknownOperation,
    /// The body cannot be read.
    Serialization,
    /// A constraint of the model is violated.
    Validation,
    /// Too many requests.
    Throttling,
    /// A quota is used up.
    ServiceQuotaExceeded,
    /// Our fault.
    Internal,
    /// Ours too, and it may pass.
    ServiceUnavailable,
}

impl CommonError {
    /// Code and status of the JSON protocol.
    const fn json(self) -> (&'static str, u16) {
        match self {
            Self::MissingAuthentication => ("MissingAuthenticationTokenException", 400),
            Self::UnrecognizedClient => ("UnrecognizedClientException", 400),
            Self::InvalidSignature => ("InvalidSignatureException", 400),
            Self::ExpiredToken => ("ExpiredTokenException", 400),
            Self::IncompleteSignature => ("IncompleteSignatureException", 400),
            Self::AccessDenied => ("AccessDeniedException", 400),
            Self::UnknownOperation => ("UnknownOperationException", 400),
            Self::Serialization => ("SerializationException", 400),
            Self::Validation => ("ValidationException", 400),
            Self::Throttling => ("ThrottlingException", 400),
            Self::ServiceQuotaExceeded => ("ServiceQuotaExceededException", 400),
            Self::Internal => ("InternalServerError", 500),
            Self::ServiceUnavailable => ("ServiceUnavailableException", 503),
        }
    }

    /// Code and status of the Query protocol.
    const fn query(self) -> (&'static str, u16) {
        match self {
            Self::MissingAuthentication => ("MissingAuthenticationToken", 403),
            Self::UnrecognizedClient => ("InvalidClientTokenId", 403),
            Self::InvalidSignature => ("SignatureDoesNotMatch", 403),
            Self::ExpiredToken => ("ExpiredToken", 403),
            Self::IncompleteSignature => ("IncompleteSignature", 400),
            Self::AccessDenied => ("AccessDenied", 403),
            Self::UnknownOperation => ("InvalidAction", 400),
            Self::Serialization => ("MalformedQueryString", 400),
            Self::Validation => ("ValidationError", 400),
            Self::Throttling => ("Throttling", 400),
            Self::ServiceQuotaExceeded => ("LimitExceeded", 409),
            Self::Internal => ("ServiceFailure", 500),
            Self::ServiceUnavailable => ("ServiceUnavailable", 503),
        }
    }

    /// Code and status of S3. Source: "Error responses", Amazon S3 API Reference.
    const fn s3(self) -> (&'static str, u16) {
        match self {
            Self::MissingAuthentication | Self::AccessDenied => ("AccessDenied", 403),
            Self::UnrecognizedClient => ("InvalidAccessKeyId", 403),
            Self::InvalidSignature => ("SignatureDoesNotMatch", 403),
            Self::ExpiredToken => ("ExpiredToken", 400),
            Self::IncompleteSignature => ("AuthorizationHeaderMalformed", 400),
            Self::UnknownOperation => ("NotImplemented", 501),
            Self::Serialization | Self::Validation | Self::ServiceQuotaExceeded => ("InvalidRequest", 400),
            Self::Throttling => ("SlowDown", 503),
            Self::Internal => ("InternalError", 500),
            Self::ServiceUnavailable => ("ServiceUnavailable", 503),
        }
    }
}

impl Code {
    /// The code as it is written in a protocol.
    #[must_use]
    pub const fn name_in(&self, protocol: Protocol) -> &'static str {
        match (self, protocol) {
            (Self::Common(common), Protocol::Query) => common.query().0,
            (Self::Common(common), Protocol::Json) => common.json().0,
            (Self::Modeled(code), _) => code.name,
        }
    }

    /// The code and the status as S3 has them.
    #[must_use]
    pub const fn in_s3(&self) -> (&'static str, u16) {
        match self {
            Self::Common(common) => common.s3(),
            Self::Modeled(code) => (code.name, code.status),
        }
    }

    /// The code as the JSON protocol writes it; the name to use in logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Common(common) => common.json().0,
            Self::Modeled(code) => code.name,
        }
    }
}

impl From<CommonError> for Code {
    fn from(common: CommonError) -> Self {
        Self::Common(common)
    }
}

impl From<ErrorCode> for Code {
    fn from(code: ErrorCode) -> Self {
        Self::Modeled(code)
    }
}

/// A whole answer: what an HTTP server must send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beyond the ones every answer has (`Date`, the request ID).
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl ApiError {
    /// An error with nothing but its message.
    pub fn new(code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), members: Vec::new() }
    }

    /// The same error with one more member beside its message, such as `ReasonCode`.
    #[must_use]
    pub fn with_member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// The answer in the JSON protocol.
    ///
    /// Clients read the code from `__type`; `x-amzn-ErrorType` is for those that look there first.
    #[must_use]
    pub fn to_json(&self) -> Answer {
        let (name, status, message_member) = match self.code {
            Code::Common(common) => (common.json().0, common.json().1, "Message"),
            Code::Modeled(code) => (code.name, code.status, code.message_member),
        };
        let mut body = Map::new();
        body.insert("__type".to_owned(), name.into());
        body.insert(message_member.to_owned(), self.message.clone().into());
        body.extend(self.members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Answer {
            status,
            headers: vec![
                ("content-type", json::CONTENT_TYPE.to_owned()),
                ("x-amzn-errortype", name.to_owned()),
            ],
            body: Value::Object(body).to_string().into_bytes(),
        }
    }

    /// The answer in the Query protocol.
    #[must_use]
    pub fn to_query(&self, service: Service, request_id: &str) -> Answer {
        let (name, status) = self.query_code();
        let fault = if status < 500 { "Sender" } else { "Receiver" };
        let mut elements = Elements::new();
        let namespace = service.xml_namespace().map(|namespace| ("xmlns", namespace));
        elements.within("ErrorResponse", namespace, |elements| {
            elements.within("Error", None, |elements| {
                elements.text("Type", fault);
                elements.text("Code", name);
                elements.text("Message", &self.message);
            });
            elements.text("RequestId", request_id);
        });
        Answer {
            status,
            headers: vec![("content-type", query::CONTENT_TYPE.to_owned())],
            body: elements.into_bytes(),
        }
    }

    /// The answer of `ssmmessages` to the POST that creates a channel.
    ///
    /// amazon-ssm-agent takes every status but 201 for an error and logs the body; only one that contains
    /// `<AccessDeniedException>` changes what it does (agent/session/service/service.go).
    #[must_use]
    pub fn to_ssmmessages(&self) -> Answer {
        let (root, message_member) = match self.code {
            Code::Common(CommonError::Validation | CommonError::Serialization) => ("BadRequest", "message"),
            code => (code.name(), "Message"),
        };
        let mut elements = Elements::new();
        elements.within(root, None, |elements| elements.text(message_member, &self.message));
        Answer {
            status: self.query_code().1,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: elements.into_bytes(),
        }
    }

    fn query_code(&self) -> (&'static str, u16) {
        match self.code {
            Code::Common(common) => common.query(),
            Code::Modeled(code) => (code.name, code.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssm;

    fn body(answer: &Answer) -> &str {
        std::str::from_utf8(&answer.body).unwrap()
    }

    #[test]
    fn a_modeled_error_in_json() {
        let answer = ApiError::new(ssm::errors::TARGET_NOT_CONNECTED, "mi-0 is not connected.").to_json();
        assert_eq!(answer.status, 400);
        insta::assert_snapshot!(body(&answer), @r#"{"__type":"TargetNotConnected","Message":"mi-0 is not connected."}"#);
        assert!(answer.headers.contains(&("x-amzn-errortype", "TargetNotConnected".to_owned())));
    }

    #[test]
    fn an_internal_error_is_500_in_every_form() {
        let error = ApiError::new(CommonError::Internal, "storage failed");
        assert_eq!(error.to_json().status, 500);
        assert_eq!(error.to_query(Service::Sts, "r").status, 500);
        assert_eq!(error.to_ssmmessages().status, 500);
        assert_eq!(ApiError::new(ssm::errors::INTERNAL_SERVER_ERROR, "").to_json().status, 500);
    }

    #[test]
    fn members_stand_beside_the_message() {
        let error = ApiError::new(CommonError::Validation, "no").with_member("ReasonCode", "InvalidFilter");
        insta::assert_snapshot!(
            body(&error.to_json()),
            @r#"{"__type":"ValidationException","Message":"no","ReasonCode":"InvalidFilter"}"#
        );
    }

    #[test]
    fn a_model_may_spell_its_message_in_lower_case() {
        let error = ApiError::new(ssm::errors::INVALID_INSTANCE_INFORMATION_FILTER_VALUE, "no");
        assert!(body(&error.to_json()).contains(r#""message":"no""#));
    }

    #[test]
    fn query_form_escapes_and_names_the_service() {
        let error = ApiError::new(CommonError::AccessDenied, "<you> & others may not");
        let answer = error.to_query(Service::Sts, "c6104cbe-af31-11e0-8154-cbc7ccf896c7");
        assert_eq!(answer.status, 403);
        insta::assert_snapshot!(body(&answer), @r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>&lt;you&gt; &amp; others may not</Message></Error><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ErrorResponse>"#);
    }

    #[test]
    fn ssmmessages_forms() {
        let denied = ApiError::new(CommonError::AccessDenied, "no").to_ssmmessages();
        assert_eq!(denied.status, 403);
        insta::assert_snapshot!(body(&denied), @"<AccessDeniedException><Message>no</Message></AccessDeniedException>");
        let bad = ApiError::new(CommonError::Validation, "what?").to_ssmmessages();
        assert_eq!(bad.status, 400);
        insta::assert_snapshot!(body(&bad), @"<BadRequest><message>what?</message></BadRequest>");
    }
}
