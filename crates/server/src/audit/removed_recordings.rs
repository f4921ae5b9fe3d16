//! What the trail says before a recording is removed.

use postern_audit::format::tombstone::{RECORDINGS_EVENT_NAME, Tombstone};
use postern_audit::{Record, UserIdentity};
use postern_ids::{Arn, SessionId};
use serde_json::Value;

use super::{Audit, Unrecorded, resource};

/// The service that the event comes from.
const SOURCE: &str = "postern";

impl Audit {
    /// Puts on the trail that the recording of a session is about to go.
    ///
    /// # Errors
    /// [`Unrecorded`]: it must stay.
    pub(crate) async fn recording_removed(
        &self,
        session: &SessionId,
        tombstone: &Tombstone,
    ) -> Result<(), Unrecorded> {
        let Some(trail) = &self.trail else { return Ok(()) };
        let event_id = uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid();
        let who = UserIdentity { account_id: Some(self.account.clone()), ..UserIdentity::service(SOURCE) };
        let (at, name, region) = (self.clock.now(), RECORDINGS_EVENT_NAME, self.region.clone());
        let mut event = Record::service_event(event_id, at, SOURCE, name, region, who, Value::Null);
        event.recipient_account_id = Some(self.account.clone());
        let session = Arn::session(&self.region, &self.account, session);
        event.resources = resource::of_arn(session.as_str(), &self.account).into_iter().collect();
        Ok(trail.write_tombstone(event, tombstone).await?)
    }
}
