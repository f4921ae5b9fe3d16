//! The JSON protocol, version 1.1: bodies in and out.

use serde_json::Value;

use crate::{ApiError, CommonError, Request, validate};

/// The content type of requests and answers.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The header that names the operation.
pub const TARGET_HEADER: &str = "x-amz-target";

/// Reads the body of a request and checks every constraint of the model.
///
/// An empty body stands for no members. Members that the model does not know are ignored, `null` is as good as
/// absent.
///
/// # Errors
/// `SerializationException` if the body is not JSON of the right types, `ValidationException` with AWS's texts if it
/// violates constraints.
pub fn decode<T: Request>(body: &[u8]) -> Result<T, ApiError> {
    let value = if body.is_empty() {
        Value::Object(serde_json::Map::new())
    } else {
        serde_json::from_slice(body).map_err(|error| {
            ApiError::new(CommonError::Serialization, format!("the body is not JSON: {error}"))
        })?
    };
    from_value(value)
}

/// Checks a value and makes the typed input of it.
pub(crate) fn from_value<T: Request>(value: Value) -> Result<T, ApiError> {
    validate::check(T::INPUT, &value)?;
    serde_json::from_value(value)
        .map_err(|error| ApiError::new(CommonError::Serialization, error.to_string()))
}

/// Checks an input that was made in Rust against every constraint of the model, as a server would.
///
/// # Errors
/// As [`decode`].
pub fn validate<T: Request>(input: &T) -> Result<(), ApiError> {
    validate::check(T::INPUT, &to_value(input))
}

/// Writes an input or an output.
pub fn encode<T: serde::Serialize>(shape: &T) -> Vec<u8> {
    to_value(shape).to_string().into_bytes()
}

pub(crate) fn to_value<T: serde::Serialize>(shape: &T) -> Value {
    serde_json::to_value(shape).expect("the generated types have text keys and infallible serializers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, ssm};

    fn refusal<T: Request>(body: &str) -> String {
        match decode::<T>(body.as_bytes()) {
            Ok(_) => panic!("accepted: {body}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn reads_what_the_aws_cli_sends() {
        let body = br#"{"Target": "mi-0123456789abcdef0", "DocumentName": "AWS-StartPortForwardingSession",
            "Parameters": {"portNumber": ["80"]}, "Reason": null, "NotOfThisModel": {"a": [1]}}"#;
        let input: ssm::StartSessionInput = decode(body).unwrap();
        assert_eq!(input.target, "mi-0123456789abcdef0");
        assert_eq!(input.reason, None);
        assert_eq!(input.parameters.unwrap()["portNumber"], ["80"]);
    }

    #[test]
    fn writes_only_the_members_that_are_there() {
        let output = ssm::StartSessionOutput {
            session_id: Some("admin-abc".to_owned()),
            token_value: Some("t".into()),
            stream_url: None,
        };
        assert_eq!(encode(&output), br#"{"SessionId":"admin-abc","TokenValue":"t"}"#);
        assert_eq!(encode(&ssm::DeleteActivationOutput {}), b"{}");
        assert_eq!(
            format!("{output:?}"),
            r#"StartSessionOutput { session_id: Some("admin-abc"), token_value: Some(<redacted>), stream_url: None }"#
        );
    }

    #[test]
    fn an_output_reads_what_it_wrote_and_what_a_newer_server_writes() {
        let text =
            r#"{"Sessions":[{"SessionId":"a","Status":"Hibernating","StartDate":1781524800.5,"New":1}]}"#;
        let output: ssm::DescribeSessionsOutput = serde_json::from_str(text).unwrap();
        let session = &output.sessions.as_ref().unwrap()[0];
        assert_eq!(session.status, Some(ssm::SessionStatus::Unknown("Hibernating".to_owned())));
        assert_eq!(
            encode(&output),
            br#"{"Sessions":[{"SessionId":"a","Status":"Hibernating","StartDate":1781524800.5}]}"#
        );
    }

    #[test]
    fn an_empty_body_is_no_members() {
        assert!(decode::<ssm::DescribeActivationsInput>(b"").is_ok());
        assert_eq!(
            refusal::<ssm::StartSessionInput>(""),
            "ValidationException: 1 validation error detected: Value null at 'target' failed to satisfy constraint: \
             Member must not be null"
        );
    }

    #[test]
    fn what_is_not_json_of_the_right_types_is_a_serialization_error() {
        for body in [
            "{",
            "[]",
            "7",
            r#"{"Target": 7}"#,
            r#"{"Target": ["a"]}"#,
            "\u{0}",
            r#"{"Target":"a","Parameters":{"p":"v"}}"#,
        ] {
            let error = decode::<ssm::StartSessionInput>(body.as_bytes()).unwrap_err();
            assert_eq!(error.code, Code::Common(CommonError::Serialization), "{body}: {error}");
        }
        let error =
            decode::<ssm::DescribeSessionsInput>(br#"{"State":"Active","MaxResults":"5"}"#).unwrap_err();
        insta::assert_snapshot!(error, @"SerializationException: STRING_VALUE at 'maxResults' can not be converted to an Integer");
    }
}
