//! What the trail says of keys that are deleted and rotated in their time, by nobody's call.
//!
//! Source of the names: "Logging AWS KMS API calls with AWS CloudTrail", AWS KMS Developer Guide.

use postern_audit::{Class, Record, UserIdentity};
use postern_ids::{Arn, SessionId};
use postern_store::KmsKey;
use serde_json::json;

use super::{Audit, Unrecorded, resource};

/// The service that the event comes from.
const SOURCE: &str = "kms.amazonaws.com";

/// What happens to a key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyEvent<'a> {
    Deleted,
    Rotated,
    /// The server opens the data key of a session, to record what it shows.
    OpenedForRecording(&'a SessionId),
}

impl KeyEvent<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Deleted => "DeleteKey",
            Self::Rotated => "RotateKey",
            Self::OpenedForRecording(_) => "DecryptSessionDataKey",
        }
    }
}

impl Audit {
    /// Puts on the trail what is about to happen to a key.
    ///
    /// # Errors
    /// [`Unrecorded`]: it must not happen.
    pub(crate) async fn key_event(&self, event: KeyEvent<'_>, key: &KmsKey) -> Result<(), Unrecorded> {
        let Some(trail) = &self.trail else { return Ok(()) };
        let event_id = uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid();
        let who = UserIdentity { account_id: Some(self.account.clone()), ..UserIdentity::service(SOURCE) };
        let details = match event {
            KeyEvent::OpenedForRecording(session) => {
                json!({"keyId": key.id.to_string(), "sessionId": session.as_str()})
            }
            KeyEvent::Deleted | KeyEvent::Rotated => json!({"keyId": key.id.to_string()}),
        };
        let (at, region) = (self.clock.now(), self.region.clone());
        let mut record = Record::service_event(event_id, at, SOURCE, event.name(), region, who, details);
        record.recipient_account_id = Some(self.account.clone());
        let arn = Arn::kms_key(&self.region, &self.account, &key.id);
        record.resources = resource::of_arn(arn.as_str(), &self.account).into_iter().collect();
        Ok(trail.write(Class::Write, record).await?)
    }
}
