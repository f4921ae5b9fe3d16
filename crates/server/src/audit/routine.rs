//! What nodes do over and over: the first time and every change are recorded, the rest is counted.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use postern_audit::Record;
use postern_ids::NodeId;

/// After this time the same call is recorded again, with the number of those in between.
const RECORDED_AT_LEAST_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Calls that are remembered, some 100 bytes each: twelve kinds by a hundred thousand nodes. Beyond that everything
/// is recorded.
const CALLS_MAX: usize = 1_200_000;
/// Operations whose input is new each time.
const EVER_NEW: [&str; 3] = ["PutInventory", "PutComplianceItems", "UpdateInstanceAssociationStatus"];

/// Remembers what is on the trail already.
#[derive(Debug, Default)]
pub(super) struct Routine(Mutex<HashMap<(NodeId, &'static str), Seen>>);

#[derive(Debug)]
struct Seen {
    what: u64,
    recorded_at: Timestamp,
    repeated: u64,
}

/// What to do with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Record it; so many before it were the same and were not recorded.
    Record { repeated: u64 },
    /// It was counted.
    Counted,
}

impl Routine {
    /// Whether a call is to be recorded.
    pub(super) fn judge(&self, node: &NodeId, operation: &'static str, record: &Record) -> Verdict {
        let (what, now) = (fingerprint(operation, record), record.event_time);
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = calls.len() < CALLS_MAX;
        match calls.get_mut(&(node.clone(), operation)) {
            Some(seen)
                if seen.what == what && now.duration_since(seen.recorded_at) < RECORDED_AT_LEAST_EVERY =>
            {
                seen.repeated += 1;
                Verdict::Counted
            }
            Some(seen) => {
                let repeated = seen.repeated;
                *seen = Seen { what, recorded_at: now, repeated: 0 };
                Verdict::Record { repeated }
            }
            None => {
                if has_room {
                    calls.insert((node.clone(), operation), Seen { what, recorded_at: now, repeated: 0 });
                }
                Verdict::Record { repeated: 0 }
            }
        }
    }

    /// Forgets a call that could not be recorded: the next one counts as the first.
    pub(super) fn forget(&self, node: &NodeId, operation: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(node.clone(), operation));
    }
}

/// What makes two calls the same. Credentials change every half hour and are no difference.
fn fingerprint(operation: &str, record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.error_code.hash(&mut hasher);
    record.source_ip_address.hash(&mut hasher);
    record.user_agent.hash(&mut hasher);
    record.user_identity.arn.hash(&mut hasher);
    if !EVER_NEW.contains(&operation)
        && let Some(parameters) = &record.request_parameters
    {
        parameters.to_string().hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use postern_audit::{IdentityType, UserIdentity};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn record(second: i64, address: &str, version: &str) -> Record {
        let at = Timestamp::from_second(1_795_000_000 + second).unwrap();
        let who = UserIdentity::new(IdentityType::AssumedRole);
        let region = "us-east-1".parse().unwrap();
        let mut record =
            Record::api_call(Uuid::nil(), at, "ssm.amazonaws.com", "UpdateInstanceInformation", region, who);
        record.source_ip_address = address.to_owned();
        record.request_parameters = Some(json!({"agentVersion": version}));
        record
    }

    #[test]
    fn the_first_and_every_change_are_recorded_and_the_rest_is_counted() {
        let routine = Routine::default();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let judge = |record: &Record| routine.judge(&node, "UpdateInstanceInformation", record);
        assert_eq!(judge(&record(0, "::1", "1")), Verdict::Record { repeated: 0 });
        assert_eq!(judge(&record(300, "::1", "1")), Verdict::Counted);
        assert_eq!(judge(&record(600, "::1", "1")), Verdict::Counted);
        assert_eq!(judge(&record(900, "::1", "2")), Verdict::Record { repeated: 2 });
        assert_eq!(judge(&record(1200, "::2", "2")), Verdict::Record { repeated: 0 });
        let refused = Record { error_code: Some("AccessDenied".into()), ..record(1500, "::2", "2") };
        assert_eq!(judge(&refused), Verdict::Record { repeated: 0 });
        assert_eq!(judge(&refused), Verdict::Counted);
        let next_day = Record { event_time: record(1500 + 86_400, "", "").event_time, ..refused };
        assert_eq!(judge(&next_day), Verdict::Record { repeated: 1 });
        let other = "mi-00000000000000000".parse().unwrap();
        assert_eq!(routine.judge(&other, "GetDocument", &next_day), Verdict::Record { repeated: 0 });
        routine.forget(&node, "UpdateInstanceInformation");
        assert_eq!(judge(&next_day), Verdict::Record { repeated: 0 });
    }
}
