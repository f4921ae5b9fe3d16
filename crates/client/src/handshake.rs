//! The client's part of the handshake.

use postern_protocol::encryption::EncryptedDataKey;
use postern_protocol::handshake::{HandshakeRequest, HandshakeResponse, ProcessedAction, RequestedAction};
use postern_protocol::payload::{END_OF_STREAM_PROPERTY, STANDARD_INPUT_PROPERTY};
use postern_protocol::tunnel::{TUNNEL_PROPERTY, TUNNEL_VERSION};
use serde_json::{Value, json};

/// What kind of session the agent is about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// On a PTY: `Standard_Stream` and `InteractiveCommands`.
    Terminal,
    /// Without a PTY: `NonInteractiveCommands`.
    Command {
        /// Whether it is given standard input.
        is_fed: bool,
    },
    /// One connection, on standard input and output: a `Port` session that is not multiplexed.
    Stream {
        /// Whether the agent can be told that nothing follows.
        knows_end: bool,
    },
    /// Connections that this side listens for, as AWS's programs carry them.
    Forwarding,
    /// The same in Postern's own dialect, which the agent has offered.
    ForwardingInDialect,
    /// Connections of any kind, in the dialect.
    Tunnel,
}

/// What this client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A tunnel: nobody else can say where connections lead.
    Tunnel,
    /// Anything else; a command without a terminal is given standard input, if the agent can do that.
    Feeding,
    /// Anything else.
    Other,
}

/// The `type` of a port session whose client listens; any other is a stream.
const LOCAL_PORT_FORWARDING: &str = "LocalPortForwarding";

/// The `type` of the one document whose sessions lead to no port of their own.
const TUNNEL: &str = "Tunnel";

fn port(properties: &Value, purpose: Purpose) -> Result<Kind, &'static str> {
    let is_offered = properties.get(TUNNEL_PROPERTY).and_then(Value::as_str) == Some(TUNNEL_VERSION);
    match (properties.get("type").and_then(Value::as_str), purpose) {
        (Some(TUNNEL), Purpose::Tunnel) if is_offered => Ok(Kind::Tunnel),
        (Some(TUNNEL), Purpose::Tunnel) => Err("this client speaks another version of the tunnel dialect"),
        (Some(TUNNEL), Purpose::Feeding | Purpose::Other) => Err("only `postern forward` can use a tunnel"),
        (_, Purpose::Tunnel) => Err("this client wants a tunnel, and nothing else"),
        (Some(LOCAL_PORT_FORWARDING), _) if is_offered => Ok(Kind::ForwardingInDialect),
        (Some(LOCAL_PORT_FORWARDING), _) => Ok(Kind::Forwarding),
        _ => Ok(Kind::Stream { knows_end: properties.get(END_OF_STREAM_PROPERTY).is_some() }),
    }
}

fn command(properties: &Value, purpose: Purpose) -> Kind {
    let can_be_fed = properties.get(STANDARD_INPUT_PROPERTY).is_some();
    Kind::Command { is_fed: can_be_fed && purpose == Purpose::Feeding }
}

/// Takes up what the agent has offered.
fn accepted(action: &RequestedAction, property: &str, value: &str) -> ProcessedAction {
    ProcessedAction { action_result: json!({ property: value }), ..action.succeeded() }
}

/// Answers a handshake request; the kind is missing if the agent named none that we know. Where it asks for a data key,
/// `data_key` is that, or why there is none.
pub(crate) fn answer(
    request: &HandshakeRequest,
    client_version: &str,
    purpose: Purpose,
    data_key: Option<Result<&EncryptedDataKey, &str>>,
) -> (HandshakeResponse, Option<Kind>) {
    let mut kind = None;
    let processed: Vec<ProcessedAction> = request
        .requested_client_actions
        .iter()
        .map(|action| match action {
            RequestedAction::SessionType { session_type, properties } => {
                let wanted = match session_type.as_str() {
                    "Standard_Stream" | "InteractiveCommands" => Ok(Kind::Terminal),
                    "NonInteractiveCommands" => Ok(command(properties, purpose)),
                    "Port" => port(properties, purpose),
                    unknown => return action.failed(&format!("Unknown session type {unknown}")),
                };
                kind = wanted.as_ref().ok().copied();
                match wanted {
                    Err(error) => action.failed(error),
                    Ok(Kind::Tunnel | Kind::ForwardingInDialect) => {
                        accepted(action, TUNNEL_PROPERTY, TUNNEL_VERSION)
                    }
                    Ok(Kind::Command { is_fed: true }) => accepted(action, STANDARD_INPUT_PROPERTY, "true"),
                    Ok(_) => action.succeeded(),
                }
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
            ("NonInteractiveCommands", Some(Kind::Command { is_fed: false })),
            ("Port", Some(Kind::Stream { knows_end: false })),
            ("Other", None),
        ] {
            let (response, kind) =
                answer(&request(vec![session_type(name)]), "1.2.3.4", Purpose::Other, None);
            assert_eq!(kind, expected, "{name}");
            assert_eq!(response.failure().is_none(), expected.is_some(), "{name}");
        }
    }

    #[test]
    fn a_command_is_fed_if_both_sides_want_it() {
        for (properties, purpose, is_fed) in [
            (json!({"posternStandardInput": "true"}), Purpose::Feeding, true),
            (json!({"posternStandardInput": "true"}), Purpose::Other, false),
            (serde_json::Value::Null, Purpose::Feeding, false),
        ] {
            let action =
                RequestedAction::SessionType { session_type: "NonInteractiveCommands".into(), properties };
            let (response, kind) = answer(&request(vec![action]), "1.2.3.4", purpose, None);
            assert_eq!(kind, Some(Kind::Command { is_fed }));
            let result = &response.processed_client_actions[0].action_result;
            assert_eq!(result.get(STANDARD_INPUT_PROPERTY).is_some(), is_fed);
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
            assert_eq!(answer(&request(vec![action]), "1.2.3.4", Purpose::Other, None).1, Some(expected));
        }
    }

    #[test]
    fn the_dialect_is_accepted_where_it_is_offered() {
        let forwarding = |version: Option<&str>| match version {
            Some(version) => json!({"type": "LocalPortForwarding", "posternTunnel": version}),
            None => json!({"type": "LocalPortForwarding"}),
        };
        let tunnel = json!({"type": "Tunnel", "posternTunnel": "1"});
        for (properties, purpose, expected) in [
            (forwarding(Some("1")), Purpose::Other, Some(Kind::ForwardingInDialect)),
            (forwarding(Some("2")), Purpose::Other, Some(Kind::Forwarding)),
            (forwarding(None), Purpose::Other, Some(Kind::Forwarding)),
            (tunnel.clone(), Purpose::Tunnel, Some(Kind::Tunnel)),
            (tunnel, Purpose::Other, None),
            (json!({"type": "Tunnel"}), Purpose::Tunnel, None),
            (forwarding(Some("1")), Purpose::Tunnel, None),
        ] {
            let action = RequestedAction::SessionType { session_type: "Port".into(), properties };
            let (response, kind) = answer(&request(vec![action]), "1.2.3.4", purpose, None);
            assert_eq!(kind, expected);
            assert_eq!(response.failure().is_none(), expected.is_some());
            let speaks = matches!(expected, Some(Kind::Tunnel | Kind::ForwardingInDialect));
            let result = if speaks { json!({"posternTunnel": "1"}) } else { serde_json::Value::Null };
            assert_eq!(response.processed_client_actions[0].action_result, result);
        }
    }

    #[test]
    fn a_data_key_is_handed_over_or_its_absence_explained() {
        let kms = RequestedAction::KmsEncryption { kms_key_id: "key".into(), challenge: None };
        let asked = request(vec![session_type("Standard_Stream"), kms]);
        let (response, _) = answer(&asked, "1.2.3.4", Purpose::Other, Some(Err("it is disabled")));
        let failed = "Failed to process action KMSEncryption: it is disabled";
        assert_eq!(response.failure().unwrap().error, failed);
        assert_eq!(response.errors.unwrap(), [failed]);
        let key = EncryptedDataKey {
            ciphertext: "AQID".into(),
            hash: serde_json::Value::Null,
            acknowledges_challenge: false,
        };
        let (response, _) = answer(&asked, "1.2.3.4", Purpose::Other, Some(Ok(&key)));
        assert_eq!(response.failure(), None);
        assert_eq!(EncryptedDataKey::of(&response.processed_client_actions[1]), Some(key));
    }
}
