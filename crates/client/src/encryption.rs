//! The data key of an encrypted session: generated with the key that the agent names, handed to the agent encrypted.
//!
//! Source: aws/session-manager-plugin, src/datachannel/streaming.go and src/encryption/kmsService.go.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_api::kms::GenerateDataKeyInput;
use postern_cipher::SessionCipher;
use postern_protocol::Role;
use postern_protocol::encryption::{
    CHALLENGE_CONTEXT, DATA_KEY_BYTES, EncryptedDataKey, SESSION_ID_CONTEXT, TARGET_ID_CONTEXT,
};
use postern_protocol::handshake::{HandshakeRequest, RequestedAction};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::api::Api;
use crate::start::SessionStart;

/// What an agent asks to encrypt the session with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    kms_key_id: String,
    challenge: Option<String>,
}

/// A data key that was generated.
pub(crate) struct DataKey {
    pub(crate) cipher: SessionCipher,
    /// As the agent gets it.
    pub(crate) encrypted: EncryptedDataKey,
}

impl Asked {
    /// What a request asks for, if it does.
    pub(crate) fn of(request: &HandshakeRequest) -> Option<Self> {
        request.requested_client_actions.iter().find_map(|action| match action {
            RequestedAction::KmsEncryption { kms_key_id, challenge } => {
                Some(Self { kms_key_id: kms_key_id.clone(), challenge: challenge.clone() })
            }
            _ => None,
        })
    }

    fn input(&self, start: &SessionStart) -> GenerateDataKeyInput {
        let challenge = self.challenge.as_deref().map(|challenge| (CHALLENGE_CONTEXT, challenge));
        let context = [(SESSION_ID_CONTEXT, &*start.session_id), (TARGET_ID_CONTEXT, &*start.target)]
            .into_iter()
            .chain(challenge)
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        GenerateDataKeyInput {
            key_id: self.kms_key_id.clone(),
            encryption_context: Some(BTreeMap::from_iter(context)),
            number_of_bytes: i32::try_from(DATA_KEY_BYTES).ok(),
            key_spec: None,
            grant_tokens: None,
            recipient: None,
            dry_run: None,
        }
    }

    /// Has a data key generated; or says why there is none, in the plugin's words.
    pub(crate) async fn data_key(self, api: &Api, start: &SessionStart) -> Result<DataKey, String> {
        let failed =
            |error: &dyn std::fmt::Display| format!("Error calling KMS GenerateDataKey API: {error}");
        let output = api.call(&self.input(start)).await.map_err(|error| failed(&error))?;
        let (Some(plain), Some(ciphertext)) = (output.plaintext, output.ciphertext_blob) else {
            return Err(failed(&"the answer has no data key"));
        };
        let plain = Zeroizing::new(plain.0);
        let cipher = SessionCipher::new(Role::Client, &plain).map_err(|error| failed(&error))?;
        let encrypted = EncryptedDataKey {
            ciphertext: STANDARD.encode(ciphertext.0),
            hash: Value::Null,
            acknowledges_challenge: self.challenge.is_some(),
        };
        Ok(DataKey { cipher, encrypted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Layout;

    #[test]
    fn a_data_key_is_asked_for_as_the_plugin_asks() {
        let start = SessionStart {
            session_id: "alice-1".into(),
            target: "mi-0123456789abcdef0".into(),
            stream_url: String::new(),
            token_value: String::new(),
            client_version: String::new(),
            layout: Layout::Apart,
            feeds_commands: false,
        };
        let request = |challenge: Option<&str>| HandshakeRequest {
            agent_version: String::new(),
            requested_client_actions: vec![RequestedAction::KmsEncryption {
                kms_key_id: "alias/a".into(),
                challenge: challenge.map(str::to_owned),
            }],
        };
        let input = Asked::of(&request(None)).unwrap().input(&start);
        assert_eq!((&*input.key_id, input.number_of_bytes, input.key_spec), ("alias/a", Some(64), None));
        let context = input.encryption_context.unwrap();
        let expected = [("aws:ssm:SessionId", "alice-1"), ("aws:ssm:TargetId", "mi-0123456789abcdef0")];
        assert!(context.iter().map(|(name, value)| (&**name, &**value)).eq(expected));
        let newer = Asked::of(&request(Some("AAEC"))).unwrap().input(&start);
        assert_eq!(newer.encryption_context.unwrap()["aws:ssm:RandomChallenge"], "AAEC");
    }
}
