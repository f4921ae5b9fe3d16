//! What becomes of the recording of a session that client and agent encrypt.
//!
//! The gateway sees how they agree on the key: the agent asks in its handshake, the client answers with a data key that a
//! KMS has encrypted. Before that answer goes on its way it is settled what the recording will be; everything encrypted
//! comes after it. What is known is stored, so that the next process settles it alike.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use postern_cipher::SessionCipher;
use postern_documents::Recording;
use postern_protocol::Role;
use postern_protocol::encryption::EncryptedDataKey;
use postern_protocol::handshake::{HandshakeRequest, HandshakeResponse, RequestedAction};
use postern_store::{SessionRecord, StoreError};
use serde::{Deserialize, Serialize};

use crate::data_keys::SealedDataKey;
use crate::gateway::Shared;

/// What the recording keeps of encrypted output.
#[derive(Debug)]
pub(crate) enum Sight {
    /// Nothing is encrypted.
    Clear,
    /// What is in it.
    Opened(Box<SessionCipher>),
    /// Nothing, by permission.
    Closed,
    /// Nothing, without permission: it must not reach the client.
    Barred,
}

/// What a recording shows of a session that it does not see.
pub(crate) const CLOSED_NOTE: &str =
    "This session is encrypted end to end. From here on what it shows is not recorded.";

/// Encrypted, and it cannot be recorded though it must; why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unrecordable(pub(crate) String);

/// What is known of one session's encryption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Encryption {
    recording: Recording,
    /// What the agent offered for the encryption context.
    challenge: Option<String>,
    key: Option<Key>,
}

/// The data key, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    ciphertext: String,
    has_challenge: bool,
}

impl Encryption {
    pub(crate) fn new(recording: Recording) -> Self {
        Self { recording, challenge: None, key: None }
    }

    /// What an earlier process knew of a session.
    pub(crate) async fn stored(shared: &Shared, session: &SessionRecord) -> Result<Option<Self>, StoreError> {
        let content = shared.store.session_encryption(&session.id).await?;
        // What cannot be read is what nobody permitted.
        Ok(content.map(|content| {
            serde_json::from_slice(&content).unwrap_or_else(|_| Self::new(Recording::Required))
        }))
    }

    pub(crate) async fn store(&self, shared: &Shared, session: &SessionRecord) -> Result<(), StoreError> {
        let content = serde_json::to_vec(self).expect("it has text keys and plain values");
        shared.store.put_session_encryption(&session.id, &content).await
    }

    /// Whether a data key was handed over.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The agent shakes hands: what it offers for the encryption context.
    pub(crate) fn handle_request(&mut self, payload: &[u8]) {
        let Ok(request) = HandshakeRequest::from_json(payload) else { return };
        for action in request.requested_client_actions {
            if let RequestedAction::KmsEncryption { challenge, .. } = action {
                self.challenge = challenge;
            }
        }
    }

    /// The client answers; whether it hands over a data key. Of several answers the first counts, as for the agent.
    pub(crate) fn handle_response(&mut self, payload: &[u8]) -> bool {
        if self.key.is_some() {
            return false;
        }
        let Ok(response) = HandshakeResponse::from_json(payload) else { return false };
        let key = response.processed_client_actions.iter().find_map(EncryptedDataKey::of);
        self.key =
            key.map(|key| Key { ciphertext: key.ciphertext, has_challenge: key.acknowledges_challenge });
        self.key.is_some()
    }

    /// What the recording sees from now on.
    pub(crate) async fn sight(
        &self,
        shared: &Shared,
        session: &SessionRecord,
    ) -> Result<Sight, Unrecordable> {
        let Some(key) = &self.key else { return Ok(Sight::Clear) };
        if self.recording == Recording::Off {
            return Ok(Sight::Closed);
        }
        match self.open(key, shared, session).await {
            Ok(cipher) => Ok(Sight::Opened(Box::new(cipher))),
            Err(cause) if self.recording == Recording::Required => Err(Unrecordable(cause)),
            Err(cause) => {
                tracing::info!(session.id = %session.id, cause, "session {} is not recorded: its data key does not open", session.id);
                Ok(Sight::Closed)
            }
        }
    }

    async fn open(
        &self,
        key: &Key,
        shared: &Shared,
        session: &SessionRecord,
    ) -> Result<SessionCipher, String> {
        let ciphertext = BASE64_STANDARD.decode(&key.ciphertext);
        let sealed = SealedDataKey {
            ciphertext: ciphertext.map_err(|_| "the data key cannot be read".to_owned())?,
            challenge: self.challenge.clone().filter(|_| key.has_challenge),
        };
        let opened = shared.data_keys.open(session, &sealed).await.map_err(|error| error.to_string())?;
        // The recording reads what the client reads.
        SessionCipher::new(Role::Client, opened.expose_secret()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_data_key_counts() {
        let mut encryption = Encryption::new(Recording::Allowed);
        let response = |key: &str| {
            format!(
                r#"{{"ClientVersion":"1","ProcessedClientActions":[{{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null}},{{"ActionType":"KMSEncryption","ActionStatus":1,"ActionResult":{{"KMSCipherTextKey":"{key}","KMSCipherTextHash":null}}}}]}}"#
            )
        };
        assert!(!encryption.handle_response(b"{"));
        let without = br#"{"ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null}]}"#;
        assert!(!encryption.handle_response(without));
        assert!(encryption.handle_response(response("AQID").as_bytes()));
        assert!(!encryption.handle_response(response("BBBB").as_bytes()));
        assert_eq!(encryption.key.as_ref().map(|key| &*key.ciphertext), Some("AQID"));
        let stored = serde_json::to_vec(&encryption).unwrap();
        assert_eq!(serde_json::from_slice::<Encryption>(&stored).unwrap(), encryption);
    }
}
