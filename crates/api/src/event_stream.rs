//! Event streams: answers that go on, message by message.
//!
//! A message is its length, the length of its headers and a checksum of both, then headers, payload, and a checksum of all.
//!
//! Source: "Event stream encoding", Amazon Transcribe Developer Guide; aws-sdk-go, `private/protocol/eventstream`.

use serde::Serialize;

use crate::{ErrorCode, json};

/// The content type of such an answer.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Lengths and their checksum.
const PRELUDE_BYTES: usize = 4 + 4 + 4;
const CHECKSUM_BYTES: usize = 4;
/// A header's value is text.
const STRING_VALUE: u8 = 7;

/// The first message: the answer's members that are no stream, of which no operation here has any.
#[must_use]
pub fn initial_response() -> Vec<u8> {
    message(&[(":message-type", "event"), (":event-type", "initial-response"), JSON], b"{}")
}

/// An event of the stream, by its name there.
#[must_use]
pub fn event(name: &str, event: &impl Serialize) -> Vec<u8> {
    message(&[(":message-type", "event"), (":event-type", name), JSON], &json::encode(event))
}

/// An error that ends the stream.
#[must_use]
pub fn exception(code: ErrorCode, text: &str) -> Vec<u8> {
    let payload = serde_json::json!({ code.message_member: text }).to_string();
    let headers = [(":message-type", "exception"), (":exception-type", code.name), JSON];
    message(&headers, payload.as_bytes())
}

const JSON: (&str, &str) = (":content-type", "application/json");

fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for (name, value) in headers {
        // Names and values are ours, and short.
        written.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        written.extend_from_slice(name.as_bytes());
        written.push(STRING_VALUE);
        written.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        written.extend_from_slice(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let total = PRELUDE_BYTES + written.len() + payload.len() + CHECKSUM_BYTES;
    let mut message = Vec::with_capacity(total);
    message.extend_from_slice(&length(total));
    message.extend_from_slice(&length(written.len()));
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(&written);
    message.extend_from_slice(payload);
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs;

    #[test]
    fn a_message_is_framed_as_aws_does_it() {
        // A published vector: no headers, and a payload.
        let expected = "0000001d00000000fd528c5a7b27666f6f273a27626172277dc36539 36".replace(' ', "");
        let written = message(&[], b"{'foo':'bar'}");
        let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn events_and_exceptions_say_what_they_are() {
        let update = logs::LiveTailSessionUpdate::default();
        let text = String::from_utf8_lossy(&event("sessionUpdate", &update)).into_owned();
        assert!(text.contains(":event-type\u{7}\0\rsessionUpdate"), "{text:?}");
        let timeout = exception(logs::errors::SESSION_TIMEOUT_EXCEPTION, "It is over.");
        let text = String::from_utf8_lossy(&timeout).into_owned();
        assert!(text.contains("SessionTimeoutException") && text.contains(r#"{"message":"It is over."}"#));
    }
}
