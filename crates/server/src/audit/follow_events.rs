//! That somebody has followed a session.

use std::time::Duration;

use postern_audit::{Class, EventCategory, Record};
use postern_gateway::{FollowEnd, Followed};
use postern_ids::{Arn, SessionId};
use serde_json::json;

use super::{Audit, identity, operation, resource};
use crate::auth::Caller;

/// The event's name. That somebody begins to follow is the record of `FollowSession`.
const ENDED: &str = "FollowSessionEnded";

impl Audit {
    /// Puts on the trail that somebody is shown no more of a session, and how much it was.
    pub(crate) async fn follow_ended(
        &self,
        caller: &Caller,
        session: &SessionId,
        followed: Followed,
        lasted: Duration,
    ) {
        let Some(trail) = &self.trail else { return };
        let details = json!({
            "sessionId": session.as_str(),
            "bytes": followed.bytes,
            "durationMs": u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
            "endReason": reason(followed.end),
        });
        let event_id = uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid();
        let source = operation::event_source("postern");
        let (who, region) = (identity::of_caller(caller, &self.account), self.region.clone());
        let mut event =
            Record::service_event(event_id, self.clock.now(), &source, ENDED, region, who, details);
        event.recipient_account_id = Some(self.account.clone());
        event.event_category = EventCategory::Data;
        event.management_event = Some(false);
        let arn = Arn::session(&self.region, &self.account, session);
        event.resources = resource::of_arn(arn.as_str(), &self.account).into_iter().collect();
        if let Err(error) = trail.write(Class::Data, event).await {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, session.id = %session, "cannot put on the audit trail that session {session} is followed no more");
        }
    }
}

fn reason(end: FollowEnd) -> &'static str {
    match end {
        FollowEnd::SessionEnded => "session-ended",
        FollowEnd::Left => "left",
        FollowEnd::Dismissed => "revoked",
        FollowEnd::Draining => "server-stopped",
        FollowEnd::Failed => "failed",
    }
}
