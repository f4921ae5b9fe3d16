//! Events that the trail writes about itself.

use jiff::Timestamp;
use postern_audit_format::segment::TrailName;
use postern_audit_format::{Record, UserIdentity};
use serde_json::{Value, json};
use uuid::Uuid;

/// The service that the trail's own events come from.
pub(crate) const SOURCE: &str = "cloudtrail.amazonaws.com";

/// The trail is open.
pub(crate) fn started(trail: &TrailName, at: Timestamp, torn_bytes: u64, interrupted_calls: usize) -> Record {
    event(
        trail,
        at,
        "AuditTrailStarted",
        json!({"tornBytes": torn_bytes, "interruptedCalls": interrupted_calls}),
    )
}

/// The trail is being closed.
pub(crate) fn stopped(trail: &TrailName, at: Timestamp) -> Record {
    event(trail, at, "AuditTrailStopped", json!({}))
}

/// An event of the trail.
pub(crate) fn event(trail: &TrailName, at: Timestamp, name: &str, details: Value) -> Record {
    let TrailName { account_id, region, .. } = trail;
    let identity = UserIdentity { account_id: Some(account_id.clone()), ..UserIdentity::service(SOURCE) };
    let mut record = Record::service_event(random_id(), at, SOURCE, name, region.clone(), identity, details);
    record.recipient_account_id = Some(account_id.clone());
    record
}

/// A new identifier.
pub(crate) fn random_id() -> Uuid {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has random numbers");
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
