//! What the trail says of the log of a session that is given up.

use postern_audit::{Class, Record, UserIdentity};
use postern_ids::{Arn, SessionId};
use serde_json::json;

use super::{Audit, Unrecorded, resource};

/// The service that the event comes from.
const SOURCE: &str = "postern";
const EVENT_NAME: &str = "SessionLogAbandoned";

impl Audit {
    /// Puts on the trail that the log of a session did not come where it should, and why.
    ///
    /// # Errors
    /// [`Unrecorded`].
    pub(crate) async fn session_log_abandoned(
        &self,
        session: &SessionId,
        place: &str,
        reason: &str,
    ) -> Result<(), Unrecorded> {
        let Some(trail) = &self.trail else { return Ok(()) };
        let event_id = uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid();
        let who = UserIdentity { account_id: Some(self.account.clone()), ..UserIdentity::service(SOURCE) };
        let details = json!({"sessionId": session.as_str(), "destination": place, "reason": reason});
        let (at, region) = (self.clock.now(), self.region.clone());
        let mut record = Record::service_event(event_id, at, SOURCE, EVENT_NAME, region, who, details);
        record.recipient_account_id = Some(self.account.clone());
        let arn = Arn::session(&self.region, &self.account, session);
        record.resources = resource::of_arn(arn.as_str(), &self.account).into_iter().collect();
        Ok(trail.write(Class::Write, record).await?)
    }
}
