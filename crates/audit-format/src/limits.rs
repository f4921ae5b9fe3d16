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
