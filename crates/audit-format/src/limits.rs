//! How long the members of a record may be.
//!
//! Source: the CloudTrail user guide, "CloudTrail record contents": texts are cut at 1 KB, `additionalEventData` at
//! 28 KB, the other objects at 100 KB.

use serde::Serialize as _;
use serde_json::{Value, json};

use crate::record::Record;

/// Bytes of a text.
const TEXT_BYTES_MAX: usize = 1024;
/// Bytes of `additionalEventData` as JSON.
const ADDITIONAL_BYTES_MAX: usize = 28 * 1024;
/// Bytes of each other object as JSON.
const OBJECT_BYTES_MAX: usize = 100 * 1024;
/// Resources of a record.
const RESOURCES_MAX: usize = 100;
/// Bytes of a whole record as JSON. What is cut stays below it by far; nothing longer is read back.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

impl Record {
    /// The record as JSON in one line, with what is too long cut.
    #[must_use]
    pub fn to_body(mut self) -> Vec<u8> {
        self.cut();
        serde_json::to_vec(&self).expect("texts, numbers and maps with text keys are always JSON")
    }

    fn cut(&mut self) {
        let optional = [
            &mut self.user_agent,
            &mut self.error_code,
            &mut self.error_message,
            &mut self.request_id,
            &mut self.api_version,
            &mut self.vpc_endpoint_id,
            &mut self.user_identity.principal_id,
            &mut self.user_identity.arn,
            &mut self.user_identity.access_key_id,
            &mut self.user_identity.user_name,
            &mut self.user_identity.invoked_by,
        ];
        optional.into_iter().flatten().for_each(cut_text);
        [&mut self.event_source, &mut self.event_name, &mut self.source_ip_address]
            .into_iter()
            .for_each(cut_text);
        if let Some(tls) = &mut self.tls_details {
            [&mut tls.tls_version, &mut tls.cipher_suite, &mut tls.client_provided_host_header]
                .into_iter()
                .flatten()
                .for_each(cut_text);
        }
        if let Some(context) = &mut self.user_identity.session_context {
            context.source_identity.iter_mut().for_each(cut_text);
            if let Some(federation) = &mut context.web_id_federation_data {
                cut_object("attributes", &mut federation.attributes, ADDITIONAL_BYTES_MAX);
            }
        }
        self.resources.truncate(RESOURCES_MAX);
        self.resources.iter_mut().for_each(|resource| {
            cut_text(&mut resource.arn);
            cut_text(&mut resource.kind);
        });
        cut_object("requestParameters", &mut self.request_parameters, OBJECT_BYTES_MAX);
        cut_object("responseElements", &mut self.response_elements, OBJECT_BYTES_MAX);
        cut_object("serviceEventDetails", &mut self.service_event_details, OBJECT_BYTES_MAX);
        if !self.additional_event_data.is_empty() {
            let mut value = Some(Value::Object(std::mem::take(&mut self.additional_event_data)));
            cut_object("additionalEventData", &mut value, ADDITIONAL_BYTES_MAX);
            if let Some(Value::Object(map)) = value {
                self.additional_event_data = map;
            }
        }
    }
}

/// Cuts at the end of a character.
fn cut_text(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    }
}

/// Cuts the texts in an object that is too long; if it still is, says so in its place.
fn cut_object(name: &str, object: &mut Option<Value>, bytes_max: usize) {
    let Some(value) = object else { return };
    let original = json_bytes(value);
    if original <= bytes_max {
        return;
    }
    cut_texts_in(value);
    if json_bytes(value) > bytes_max {
        *object = Some(omitted(name, original));
    }
}

fn omitted(name: &str, original: usize) -> Value {
    json!({"omitted": true, "originalSize": original, "reason": format!("{name} too large")})
}

fn cut_texts_in(value: &mut Value) {
    match value {
        Value::String(text) => cut_text(text),
        Value::Array(items) => items.iter_mut().for_each(cut_texts_in),
        Value::Object(members) => members.values_mut().for_each(cut_texts_in),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How long a value is as JSON, without writing it anywhere.
fn json_bytes(value: &Value) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    value.serialize(&mut serde_json::Serializer::new(&mut counter)).expect("counting cannot fail");
    counter.0
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::identity::{IdentityType, UserIdentity};

    fn record() -> Record {
        let identity = UserIdentity {
            access_key_id: Some("AKIAEXAMPLE".to_owned()),
            ..UserIdentity::new(IdentityType::IamUser)
        };
        let at = Timestamp::from_millisecond(1_781_524_801_999).unwrap();
        let region = "us-east-1".parse().unwrap();
        Record::api_call(Uuid::nil(), at, "ssm.amazonaws.com", "StartSession", region, identity)
    }

    #[test]
    fn a_record_reads_as_cloudtrails_and_comes_back() {
        let mut record = record();
        record.request_parameters = Some(json!({"target": "mi-0123456789abcdef0"}));
        record.request_id = Some("r".to_owned());
        let body = record.clone().to_body();
        let expected = concat!(
            r#"{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","accessKeyId":"AKIAEXAMPLE"},"#,
            r#""eventTime":"2026-06-15T12:00:01Z","eventSource":"ssm.amazonaws.com","eventName":"StartSession","#,
            r#""awsRegion":"us-east-1","sourceIPAddress":"","requestParameters":{"target":"mi-0123456789abcdef0"},"#,
            r#""responseElements":null,"requestID":"r","eventID":"00000000-0000-0000-0000-000000000000","#,
            r#""eventType":"AwsApiCall","managementEvent":true,"eventCategory":"Management"}"#,
        );
        assert_eq!(String::from_utf8(body.clone()).unwrap(), expected);
        let read: Record = serde_json::from_slice(&body).unwrap();
        assert_eq!(read.to_body(), body);
    }

    #[test]
    fn what_is_too_long_is_cut_where_the_guide_says() {
        let mut record = record();
        // A character of three bytes lies across the limit.
        record.user_agent = Some("€".repeat(1000));
        record.request_parameters =
            Some(json!({"parameters": {"commands": ["x".repeat(200_000)]}, "target": "mi-1"}));
        record.response_elements = Some(json!(vec!["y".repeat(1000); 200]));
        record.additional_event_data.insert("note".to_owned(), json!("z".repeat(30_000)));
        let read: Record = serde_json::from_slice(&record.to_body()).unwrap();
        assert_eq!(read.user_agent.unwrap().len(), 1023);
        let parameters = read.request_parameters.unwrap();
        assert_eq!(parameters["target"], "mi-1", "the rest stays");
        assert_eq!(parameters["parameters"]["commands"][0].as_str().unwrap().len(), 1024);
        assert_eq!(read.response_elements.unwrap()["omitted"], true);
        assert_eq!(read.additional_event_data["note"].as_str().unwrap().len(), 1024);
    }

    #[test]
    fn no_record_is_longer_than_a_line_may_be() {
        let mut record = record();
        let huge = || Some(json!(vec!["\u{1}".repeat(1000); 2000]));
        record.request_parameters = huge();
        record.response_elements = huge();
        record.service_event_details = huge();
        record.error_message = Some("\u{1}".repeat(1_000_000));
        record.event_name = "\u{1}".repeat(1_000_000);
        assert!(record.to_body().len() < BODY_BYTES_MAX);
    }
}
