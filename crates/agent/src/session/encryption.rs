//! What the agent has to do for a session to be encrypted, apart from the cipher itself.

use postern_ids::SessionId;
use postern_protocol::encryption::{
    CHALLENGE_CONTEXT, EncryptedDataKey, SESSION_ID_CONTEXT, TARGET_ID_CONTEXT,
};
use postern_protocol::handshake::RequestedAction;
use serde_json::{Value, json};

use postern_cipher::Challenge;

/// What a session is to be encrypted with, while that is being agreed.
#[derive(Debug)]
pub(super) struct Encryption {
    kms_key_id: String,
    /// For the encryption context of clients that know it.
    challenge: String,
    /// What the client is to prove that it has the key with.
    pub(super) asked: Option<Challenge>,
}

/// The data key as the client sent it, with what decrypts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SealedKey {
    kms_key_id: String,
    ciphertext: String,
    challenge: Option<String>,
}

impl Encryption {
    pub(super) fn new(kms_key_id: String, challenge: String) -> Self {
        Self { kms_key_id, challenge, asked: None }
    }

    /// What the client is asked for.
    pub(super) fn action(&self) -> RequestedAction {
        let challenge = Some(self.challenge.clone());
        RequestedAction::KmsEncryption { kms_key_id: self.kms_key_id.clone(), challenge }
    }

    /// What the client answered.
    pub(super) fn sealed(&self, key: EncryptedDataKey) -> SealedKey {
        SealedKey {
            kms_key_id: self.kms_key_id.clone(),
            ciphertext: key.ciphertext,
            challenge: key.acknowledges_challenge.then(|| self.challenge.clone()),
        }
    }
}

impl SealedKey {
    /// The call of `Decrypt` by which a node gets it, as AWS's agent makes it. Source: agent/session/datachannel/ and
    /// agent/framework/…/encryption of aws/amazon-ssm-agent.
    pub(super) fn decrypt_input(&self, session: &SessionId, node: &str) -> Value {
        let mut context = json!({ SESSION_ID_CONTEXT: session.as_str(), TARGET_ID_CONTEXT: node });
        if let (Some(challenge), Some(context)) = (&self.challenge, context.as_object_mut()) {
            context.insert(CHALLENGE_CONTEXT.to_owned(), challenge.as_str().into());
        }
        json!({ "CiphertextBlob": self.ciphertext, "EncryptionContext": context, "KeyId": self.kms_key_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_asked_for_as_awss_agent_asks() {
        let encryption = Encryption::new("alias/a".to_owned(), "AAEC".to_owned());
        let key = |acknowledges_challenge| EncryptedDataKey {
            ciphertext: "AQID".to_owned(),
            hash: Value::Null,
            acknowledges_challenge,
        };
        let input = |acknowledges| {
            let session: SessionId = "alice-0a1b2c3d4e5f60718".parse().unwrap();
            encryption.sealed(key(acknowledges)).decrypt_input(&session, "mi-0123456789abcdef0")
        };
        let context = json!({"aws:ssm:SessionId": "alice-0a1b2c3d4e5f60718", "aws:ssm:TargetId": "mi-0123456789abcdef0"});
        let expected = json!({"CiphertextBlob": "AQID", "EncryptionContext": context, "KeyId": "alias/a"});
        assert_eq!(input(false), expected);
        assert_eq!(input(true)["EncryptionContext"]["aws:ssm:RandomChallenge"], "AAEC");
    }
}
