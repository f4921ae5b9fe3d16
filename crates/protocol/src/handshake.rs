//! The handshake: the agent asks, the client answers, the agent says that the session may begin.
//!
//! Source: `HandshakeRequestPayload` and its neighbours in aws/session-manager-plugin, src/message/clientmessage.go.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::json::{self, json_payload};

/// Payload type HandshakeRequest, agent to client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HandshakeRequest {
    /// Four numbers; the client derives the agent's features from them.
    #[serde(default)]
    pub agent_version: String,
    /// What the client has to do, in this order.
    #[serde(default)]
    pub requested_client_actions: Vec<RequestedAction>,
}

/// One thing that the agent asks the client to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Action", into = "Action")]
pub enum RequestedAction {
    /// Prepare for this kind of session.
    SessionType {
        /// `Standard_Stream`, `InteractiveCommands`, `NonInteractiveCommands` or `Port`.
        session_type: String,
        /// Null, except for port sessions.
        properties: Value,
    },
    /// Fetch a data key and encrypt.
    KmsEncryption {
        /// The key to fetch the data key from.
        kms_key_id: String,
        /// Base64 of random bytes, for the encryption context of newer clients.
        challenge: Option<String>,
    },
    /// Something that we do not know; answer [`ActionStatus::Unsupported`].
    Unknown {
        /// The name of the action.
        action_type: String,
        /// Its parameters.
        action_parameters: Value,
    },
}

impl RequestedAction {
    /// AWS's name of the action.
    #[must_use]
    pub fn action_type(&self) -> &str {
        match self {
            Self::SessionType { .. } => SESSION_TYPE,
            Self::KmsEncryption { .. } => KMS_ENCRYPTION,
            Self::Unknown { action_type, .. } => action_type,
        }
    }

    /// The answer that it was done.
    #[must_use]
    pub fn succeeded(&self) -> ProcessedAction {
        ProcessedAction {
            action_type: self.action_type().to_owned(),
            action_status: ActionStatus::Success,
            action_result: Value::Null,
            error: String::new(),
        }
    }

    /// The answer that it cannot be done, as the plugin words it.
    #[must_use]
    pub fn unsupported(&self) -> ProcessedAction {
        ProcessedAction {
            action_type: self.action_type().to_owned(),
            action_status: ActionStatus::Unsupported,
            action_result: Value::Null,
            error: format!("Unsupported action {}", self.action_type()),
        }
    }

    /// The answer that it went wrong, as the plugin words it.
    #[must_use]
    pub fn failed(&self, error: &str) -> ProcessedAction {
        ProcessedAction {
            action_type: self.action_type().to_owned(),
            action_status: ActionStatus::Failed,
            action_result: Value::Null,
            error: format!("Failed to process action {}: {error}", self.action_type()),
        }
    }
}

/// Payload type HandshakeResponse, client to agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HandshakeResponse {
    /// The agent derives the client's features from it.
    #[serde(default)]
    pub client_version: String,
    /// One answer for each requested action.
    #[serde(default)]
    pub processed_client_actions: Vec<ProcessedAction>,
    /// All error texts, if there are any.
    #[serde(default)]
    pub errors: Option<Vec<String>>,
}

/// How the client fared with one requested action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ProcessedAction {
    /// As in the request.
    pub action_type: String,
    /// Whether it was done.
    pub action_status: ActionStatus,
    /// What came of it, if anything.
    pub action_result: Value,
    /// Why not, if not.
    pub error: String,
}

impl Default for ProcessedAction {
    fn default() -> Self {
        Self {
            action_type: String::new(),
            action_status: ActionStatus::Unknown(0),
            action_result: Value::Null,
            error: String::new(),
        }
    }
}

/// Whether an action was done. Anything but `Success` counts as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub enum ActionStatus {
    /// 1
    Success,
    /// 2
    Failed,
    /// 3
    Unsupported,
    /// Another number. The plugin sends 0 for actions it does not know.
    Unknown(i64),
}

impl From<i64> for ActionStatus {
    fn from(number: i64) -> Self {
        match number {
            1 => Self::Success,
            2 => Self::Failed,
            3 => Self::Unsupported,
            unknown => Self::Unknown(unknown),
        }
    }
}

impl From<ActionStatus> for i64 {
    fn from(status: ActionStatus) -> Self {
        match status {
            ActionStatus::Success => 1,
            ActionStatus::Failed => 2,
            ActionStatus::Unsupported => 3,
            ActionStatus::Unknown(number) => number,
        }
    }
}

impl HandshakeResponse {
    /// The first action that was not done.
    #[must_use]
    pub fn failure(&self) -> Option<&ProcessedAction> {
        self.processed_client_actions.iter().find(|action| action.action_status != ActionStatus::Success)
    }

    /// Whether the client takes up what the agent offered by `property` in the properties of the session: the result of an
    /// action `SessionType` that was done has the property with that value. The agent and a server in between must not
    /// understand that differently, so both ask this.
    #[must_use]
    pub fn takes_up(&self, property: &str, value: &str) -> bool {
        self.processed_client_actions.iter().any(|action| {
            action.action_type == SESSION_TYPE
                && action.action_status == ActionStatus::Success
                && action.action_result.get(property).is_some_and(|found| found == value)
        })
    }
}

/// Payload type HandshakeComplete, agent to client.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HandshakeComplete {
    /// From the request to now; nanoseconds on the wire.
    #[serde(with = "nanoseconds")]
    pub handshake_time_to_complete: Duration,
    /// Printed by the client if it is not empty.
    pub customer_message: String,
}

json_payload!(HandshakeRequest, HandshakeResponse, HandshakeComplete);

const SESSION_TYPE: &str = "SessionType";
const KMS_ENCRYPTION: &str = "KMSEncryption";

/// The form of a requested action on the wire.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    #[serde(default)]
    action_type: String,
    #[serde(default)]
    action_parameters: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SessionTypeParameters {
    session_type: String,
    #[serde(default)]
    properties: Value,
}

#[derive(Deserialize)]
struct KmsParameters {
    #[serde(rename = "KMSKeyId")]
    kms_key_id: String,
    #[serde(rename = "Challenge")]
    challenge: Option<String>,
}

impl From<Action> for RequestedAction {
    /// An action whose parameters are not of the known form is unknown as well.
    fn from(action: Action) -> Self {
        let parameters = || action.action_parameters.clone();
        let known = match action.action_type.as_str() {
            SESSION_TYPE => json::decode_value(parameters()).ok().map(
                |SessionTypeParameters { session_type, properties }| Self::SessionType {
                    session_type,
                    properties,
                },
            ),
            KMS_ENCRYPTION => json::decode_value(parameters())
                .ok()
                .map(|KmsParameters { kms_key_id, challenge }| Self::KmsEncryption { kms_key_id, challenge }),
            _ => None,
        };
        known.unwrap_or(Self::Unknown {
            action_type: action.action_type,
            action_parameters: action.action_parameters,
        })
    }
}

impl From<RequestedAction> for Action {
    fn from(action: RequestedAction) -> Self {
        let action_type = action.action_type().to_owned();
        let action_parameters = match action {
            RequestedAction::SessionType { session_type, properties } => {
                json!({ "SessionType": session_type, "Properties": properties })
            }
            RequestedAction::KmsEncryption { kms_key_id, challenge: Some(challenge) } => {
                json!({ "KMSKeyId": kms_key_id, "Challenge": challenge })
            }
            RequestedAction::KmsEncryption { kms_key_id, challenge: None } => {
                json!({ "KMSKeyId": kms_key_id })
            }
            RequestedAction::Unknown { action_parameters, .. } => action_parameters,
        };
        Self { action_type, action_parameters }
    }
}

mod nanoseconds {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).serialize(to)
    }

    /// A clock that was set back gives a negative number: nothing that should end a session.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let nanoseconds = i64::deserialize(from)?;
        Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_request(json: &str, actions: Vec<RequestedAction>) {
        let request =
            HandshakeRequest { agent_version: "3.3.987.0".to_owned(), requested_client_actions: actions };
        assert_eq!(HandshakeRequest::from_json(json.as_bytes()).unwrap(), request, "{json}");
        assert_eq!(request.to_json(), json);
    }

    #[test]
    fn requests_are_written_as_awss_agent_writes_them() {
        let shell = RequestedAction::SessionType {
            session_type: "Standard_Stream".to_owned(),
            properties: Value::Null,
        };
        let kms = RequestedAction::KmsEncryption {
            kms_key_id: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
                .to_owned(),
            challenge: Some("AAECAwQFBgcICQoLDA0ODw==".to_owned()),
        };
        let port = RequestedAction::SessionType {
            session_type: "Port".to_owned(),
            properties: json!({"host": "db.internal", "localPortNumber": "15432", "portNumber": "5432", "type": "LocalPortForwarding"}),
        };
        check_request(
            r#"{"AgentVersion":"3.3.987.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Standard_Stream","Properties":null}}]}"#,
            vec![shell.clone()],
        );
        check_request(
            r#"{"AgentVersion":"3.3.987.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Standard_Stream","Properties":null}},{"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyId":"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab","Challenge":"AAECAwQFBgcICQoLDA0ODw=="}}]}"#,
            vec![shell, kms],
        );
        check_request(
            r#"{"AgentVersion":"3.3.987.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port","Properties":{"host":"db.internal","localPortNumber":"15432","portNumber":"5432","type":"LocalPortForwarding"}}}]}"#,
            vec![port],
        );
    }

    #[test]
    fn responses_are_written_as_awss_plugin_writes_them() {
        let shell = RequestedAction::SessionType {
            session_type: "Standard_Stream".to_owned(),
            properties: Value::Null,
        };
        let response = HandshakeResponse {
            client_version: "1.2.0.0".to_owned(),
            processed_client_actions: vec![shell.succeeded()],
            errors: None,
        };
        let json = r#"{"ClientVersion":"1.2.0.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}"#;
        assert_eq!(response.to_json(), json);
        assert_eq!(HandshakeResponse::from_json(json.as_bytes()).unwrap(), response);
        assert_eq!(response.failure(), None);
    }

    #[test]
    fn the_plugins_answer_to_an_unknown_action_counts_as_a_failure() {
        let json = br#"{"ClientVersion":"1.2.0.0","ProcessedClientActions":[{"ActionType":"Foo","ActionStatus":0,"ActionResult":3,"Error":"Unsupported action Foo"}],"Errors":["Unsupported action Foo"]}"#;
        let response = HandshakeResponse::from_json(json).unwrap();
        assert_eq!(response.failure().unwrap().error, "Unsupported action Foo");
    }

    #[test]
    fn an_action_with_strange_parameters_is_unknown_and_does_not_fail_the_request() {
        let json = br#"{"requestedClientActions":[{"actionType":"SessionType","actionParameters":3},{"actionType":"Foo"}]}"#;
        let request = HandshakeRequest::from_json(json).unwrap();
        let names: Vec<_> =
            request.requested_client_actions.iter().map(RequestedAction::action_type).collect();
        assert_eq!(names, ["SessionType", "Foo"]);
        assert!(matches!(request.requested_client_actions[0], RequestedAction::Unknown { .. }));
    }

    #[test]
    fn completion_takes_nanoseconds_even_negative_ones() {
        let json = r#"{"HandshakeTimeToComplete":123456789,"CustomerMessage":""}"#;
        let complete = HandshakeComplete {
            handshake_time_to_complete: Duration::from_nanos(123_456_789),
            customer_message: String::new(),
        };
        assert_eq!(complete.to_json(), json);
        assert_eq!(HandshakeComplete::from_json(json.as_bytes()).unwrap(), complete);
        let negative = HandshakeComplete::from_json(br#"{"HandshakeTimeToComplete":-5}"#).unwrap();
        assert_eq!(negative, HandshakeComplete::default());
    }
}
