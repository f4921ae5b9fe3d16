//! The client's part of the handshake.

use postern_protocol::encryption::EncryptedDataKey;
use postern_protocol::handshake::{HandshakeRequest, HandshakeResponse, ProcessedAction, RequestedAction};
use postern_protocol::payload::END_OF_STREAM_PROPERTY;
use serde_json::Value;

/// What kind of session the agent is about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// On a PTY: `Standard_Stream` and `InteractiveCommands`.
    Terminal,
    /// Without a PTY and without input: `NonInteractiveCommands`.
    Command,
    /// One connection, on standard input and output: a `Port` session that is not multiplexed.
    Stream {
        /// Whether the agent can be told that nothing follows.
        knows_end: bool,
    },
    /// Connections that this side listens for.
    Forwarding,
}

/// The `type` of a port session whose client listens; any other is a stream.
const LOCAL_PORT_FORWARDING: &str = "LocalPortForwarding";

fn port(properties: &Value) -> Kind {
    if properties.get("type").and_then(Value::as_str) == Some(LOCAL_PORT_FORWARDING) {
        return Kind::Forwarding;
    }
    Kind::Stream { knows_end: properties.get(END_OF_STREAM_PROPERTY).is_some() }
}

/// Answers a handshake request; the kind is missing if the agent named none that we know. Where it asks for a data key,
/// `data_key` is that, or why there is none.
pub(crate) fn answer(
    request: &HandshakeRequest,
    client_version: &str,
    data_key: Option<Result<&EncryptedDataKey, &str>>,
) -> (HandshakeResponse, Option<Kind>) {
    let mut kind = None;
    let processed: Vec<ProcessedAction> = request
        .requested_client_actions
        .iter()
        .map(|action| match action {
            RequestedAction::SessionType { session_type, properties } => {
                kind = match session_type.as_str() {
                    "Standard_Stream" | "InteractiveCommands" => Some(Kind::Terminal),
                    "NonInteractiveCommands" => Some(Kind::Command),
                    "Port" => Some(port(properties)),
                    unknown => return action.failed(&format!("Unknown session type {unknown}")),
                };
                action.succeeded()
            }
            RequestedAction::KmsEncryption { .. } => match data_key {
                Some(Ok(key)) => key.answer(action),
                Some(Err(error)) => action.failed(error),
                None => action.failed("no data key was asked for"),
            },
            RequestedAction::Unknown { .. } => action.unsupported(),
        })
        .collect();
    let errors: Vec<String> = processed
        .iter()
        .filter(|action| !action.error.is_empty())
        .map(|action| action.error.clone())
        .collect();
    let response = HandshakeResponse {
        client_version: client_version.to_owned(),
        processed_client_actions: processed,
        errors: (!errors.is_empty()).then_some(errors),
    };
    (response, kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(actions: Vec<RequestedAction>) -> HandshakeRequest {
        HandshakeRequest { agent_version: "3.3.0.0".into(), requested_client_actions: actions }
    }

    fn session_type(name: &str) -> RequestedAction {
        RequestedAction::SessionType { session_type: name.into(), properties: serde_json::Value::Null }
    }

    #[test]
    fn session_types_are_recognised() {
        for (name, expected) in [
            ("Standard_Stream", Some(Kind::Terminal)),
            ("InteractiveCommands", Some(Kind::Terminal)),
            ("NonInteractiveCommands", Some(Kind::Command)),
            ("Port", Some(Kind::Stream { knows_end: false })),
            ("Other", None),
        ] {
            let (response, kind) = answer(&request(vec![session_type(name)]), "1.2.3.4", None);
            assert_eq!(kind, expected, "{name}");
            assert_eq!(response.failure().is_none(), expected.is_some(), "{name}");
        }
    }

    #[test]
    fn a_port_session_says_what_it_carries() {
        for (properties, expected) in [
            (json!({"portNumber": "22"}), Kind::Stream { knows_end: false }),
            (json!({"portNumber": "22", "posternEndOfStream": "true"}), Kind::Stream { knows_end: true }),
            (json!({"portNumber": "80", "type": "LocalPortForwarding"}), Kind::Forwarding),
        ] {
            let action = RequestedAction::SessionType { session_type: "Port".into(), properties };
            assert_eq!(answer(&request(vec![action]), "1.2.3.4", None).1, Some(expected));
        }
    }

    #[test]
    fn a_data_key_is_handed_over_or_its_absence_explained() {
        let kms = RequestedAction::KmsEncryption { kms_key_id: "key".into(), challenge: None };
        let asked = request(vec![session_type("Standard_Stream"), kms]);
        let (response, _) = answer(&asked, "1.2.3.4", Some(Err("it is disabled")));
        let failed = "Failed to process action KMSEncryption: it is disabled";
        assert_eq!(response.failure().unwrap().error, failed);
        assert_eq!(response.errors.unwrap(), [failed]);
        let key = EncryptedDataKey {
            ciphertext: "AQID".into(),
            hash: serde_json::Value::Null,
            acknowledges_challenge: false,
        };
        let (response, _) = answer(&asked, "1.2.3.4", Some(Ok(&key)));
        assert_eq!(response.failure(), None);
        assert_eq!(EncryptedDataKey::of(&response.processed_client_actions[1]), Some(key));
    }
}
