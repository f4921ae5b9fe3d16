//! Opening the data keys of encrypted sessions for their recordings.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use postern_gateway::{DataKeys, NotOpened, SealedDataKey};
use postern_store::{KmsKeyState, Secret, SessionRecord};

use super::{Ciphertext, EncryptionContext, Kms};
use crate::audit::{Audit, KeyEvent};

/// Opens data keys that were encrypted with keys of this server's KMS. No policy is asked: the session's document says that
/// it is recorded, and whoever may start a session with it accepts that. Each time is on the audit trail.
pub(crate) struct DataKeyOpener {
    kms: Arc<Kms>,
    audit: Audit,
}

impl DataKeyOpener {
    pub(crate) fn new(kms: Arc<Kms>, audit: Audit) -> Self {
        Self { kms, audit }
    }

    async fn opened(
        &self,
        session: &SessionRecord,
        sealed: &SealedDataKey,
    ) -> Result<Secret<Vec<u8>>, &'static str> {
        let other = "its data key is not of this server's KMS";
        let ciphertext = Ciphertext::parse(&sealed.ciphertext).ok_or(other)?;
        let failed = "this server's KMS did not answer";
        let key = self.kms.key(&ciphertext.key).await.map_err(|_| failed)?.ok_or(other)?;
        match key.state {
            KmsKeyState::Enabled => {}
            KmsKeyState::Disabled => return Err("the KMS key of its data key is disabled"),
            KmsKeyState::PendingDeletion { .. } => {
                return Err("the KMS key of its data key is to be deleted");
            }
        }
        let context = context(session, sealed.challenge.as_deref()).ok_or(failed)?;
        let event = KeyEvent::OpenedForRecording(&session.id);
        self.audit.key_event(event, &key).await.map_err(|_| "the audit trail cannot be written")?;
        let opened = self.kms.decrypt(&ciphertext, &context).await;
        opened.map(|opened| opened.plain).map_err(|_| "its data key is not that of this session")
    }
}

#[async_trait]
impl DataKeys for DataKeyOpener {
    async fn open(
        &self,
        session: &SessionRecord,
        sealed: &SealedDataKey,
    ) -> Result<Secret<Vec<u8>>, NotOpened> {
        self.opened(session, sealed).await.map_err(|cause| NotOpened(cause.to_owned()))
    }
}

/// The encryption context that client and agent of a session use. Source: "Turn on KMS key encryption of session data",
/// AWS Systems Manager User Guide.
fn context(session: &SessionRecord, challenge: Option<&str>) -> Option<EncryptionContext> {
    let mut pairs = BTreeMap::from([
        ("aws:ssm:SessionId".to_owned(), session.id.to_string()),
        ("aws:ssm:TargetId".to_owned(), session.node.to_string()),
    ]);
    if let Some(challenge) = challenge {
        pairs.insert("aws:ssm:RandomChallenge".to_owned(), challenge.to_owned());
    }
    EncryptionContext::new(Some(&pairs)).ok()
}
