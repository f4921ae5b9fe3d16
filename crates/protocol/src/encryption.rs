//! What the encryption of a session says on the wire: which payloads are encrypted, how the data key travels, the
//! challenge that proves that both ends have it.
//!
//! Source: aws/session-manager-plugin, src/datachannel/streaming.go and src/encryption/; aws/amazon-ssm-agent,
//! agent/session/datachannel/ and agent/framework/processor/…/encryption. No cipher is here: see the crate `cipher`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::PayloadType;
use crate::channel::Role;
use crate::handshake::{ProcessedAction, RequestedAction};
use crate::json::{self, json_payload};

/// Bytes of the data key that a client generates: one half for each direction.
pub const DATA_KEY_BYTES: usize = 64;
/// The name in the encryption context of what tells the session.
pub const SESSION_ID_CONTEXT: &str = "aws:ssm:SessionId";
/// The name in the encryption context of what tells the node.
pub const TARGET_ID_CONTEXT: &str = "aws:ssm:TargetId";
/// The name in the encryption context of the agent's challenge, for those who acknowledge it.
pub const CHALLENGE_CONTEXT: &str = "aws:ssm:RandomChallenge";
/// What an encrypted payload is longer than its content: nonce and tag.
pub const OVERHEAD_BYTES: usize = 12 + 16;

/// Whether payloads of this type are encrypted, as `sender` sends them, once the data key is agreed.
#[must_use]
pub fn is_encrypted(sender: Role, payload_type: PayloadType) -> bool {
    match sender {
        Role::Agent => {
            matches!(payload_type, PayloadType::Output | PayloadType::StdErr | PayloadType::ExitCode)
        }
        Role::Client => payload_type == PayloadType::Output,
    }
}

/// Payload types EncChallengeRequest and EncChallengeResponse: random bytes, encrypted by the agent with its half of the
/// key and by the client with the other.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncryptionChallenge {
    /// In base64.
    pub challenge: String,
}

json_payload!(EncryptionChallenge);

/// What comes of the action `KMSEncryption`: the data key as the key that it was asked of has encrypted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptedDataKey {
    /// In base64.
    #[serde(rename = "KMSCipherTextKey")]
    pub ciphertext: String,
    /// Always null.
    #[serde(rename = "KMSCipherTextHash", default)]
    pub hash: Value,
    /// Whether the encryption context has the agent's challenge.
    #[serde(rename = "ChallengeAcknowledgement", default, skip_serializing_if = "std::ops::Not::not")]
    pub acknowledges_challenge: bool,
}

impl EncryptedDataKey {
    /// The result of an action; nothing if the action has none of this form.
    #[must_use]
    pub fn of(action: &ProcessedAction) -> Option<Self> {
        json::decode_value(action.action_result.clone()).ok()
    }

    /// The answer to the action that asked for it.
    #[must_use]
    pub fn answer(&self, action: &RequestedAction) -> ProcessedAction {
        let action_result = serde_json::to_value(self).expect("it has text keys and plain values");
        ProcessedAction { action_result, ..action.succeeded() }
    }
}

impl std::fmt::Debug for EncryptionChallenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<challenge>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::HandshakeResponse;

    #[test]
    fn a_data_key_is_written_as_awss_plugin_writes_it() {
        let asked = RequestedAction::KmsEncryption { kms_key_id: "alias/a".to_owned(), challenge: None };
        let key = EncryptedDataKey {
            ciphertext: "AQID".to_owned(),
            hash: Value::Null,
            acknowledges_challenge: false,
        };
        let response = HandshakeResponse {
            client_version: "1.2.0.0".to_owned(),
            processed_client_actions: vec![key.answer(&asked)],
            errors: None,
        };
        let json = r#"{"ClientVersion":"1.2.0.0","ProcessedClientActions":[{"ActionType":"KMSEncryption","ActionStatus":1,"ActionResult":{"KMSCipherTextKey":"AQID","KMSCipherTextHash":null},"Error":""}],"Errors":null}"#;
        assert_eq!(response.to_json(), json);
        let read = HandshakeResponse::from_json(json.as_bytes()).unwrap();
        assert_eq!(EncryptedDataKey::of(&read.processed_client_actions[0]), Some(key));
        assert_eq!(EncryptedDataKey::of(&asked.succeeded()), None);
    }

    #[test]
    fn each_side_encrypts_its_own() {
        for (payload_type, by_agent, by_client) in [
            (PayloadType::Output, true, true),
            (PayloadType::StdErr, true, false),
            (PayloadType::ExitCode, true, false),
            (PayloadType::Size, false, false),
            (PayloadType::HandshakeComplete, false, false),
            (PayloadType::Flag, false, false),
        ] {
            assert_eq!(is_encrypted(Role::Agent, payload_type), by_agent, "{payload_type:?}");
            assert_eq!(is_encrypted(Role::Client, payload_type), by_client, "{payload_type:?}");
        }
    }

    #[test]
    fn a_challenge_is_one_member() {
        let challenge = EncryptionChallenge { challenge: "AAEC".to_owned() };
        assert_eq!(challenge.to_json(), r#"{"Challenge":"AAEC"}"#);
        assert_eq!(EncryptionChallenge::from_json(br#"{"challenge":"AAEC"}"#).unwrap(), challenge);
    }
}
