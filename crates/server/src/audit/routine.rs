//! What nodes do over and over: the first time and every change are recorded, the rest is counted.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use postern_audit::Record;
use postern_ids::NodeId;

/// After this time the same call is recorded again, with the number of those in between.
const RECORDED_AT_LEAST_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Changes of one node's one operation that are recorded in an hour. A node that says something else each time, say by its
/// user agent, must not be able to fill the disk; beyond that they are counted.
const CHANGES_PER_HOUR_MAX: u32 = 12;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Calls that are remembered, some 100 bytes each: fifteen kinds by a hundred thousand nodes. Beyond that everything
/// is recorded.
const CALLS_MAX: usize = 1_500_000;
/// Operations whose input is new each time.
const EVER_NEW: [&str; 3] = ["PutInventory", "PutComplianceItems", "UpdateInstanceAssociationStatus"];

/// Remembers what is on the trail already.
#[derive(Debug, Default)]
pub(super) struct Routine(Mutex<HashMap<(NodeId, &'static str), Seen>>);

#[derive(Debug)]
struct Seen {
    what: u64,
    recorded_at: Timestamp,
    missed: Missed,
    /// The hour in which changes are counted, by its beginning, and how many were recorded in it.
    hour: Timestamp,
    changes: u32,
}

/// Calls since the last one that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Missed {
    /// The same as that one.
    pub(super) repeated: u64,
    /// Other ones, beyond what is recorded of one node in an hour.
    pub(super) changed: u64,
}

/// What to do with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Record it, and those before it that were not recorded.
    Record(Missed),
    /// It was counted.
    Counted,
}

impl Routine {
    /// Whether a call is to be recorded.
    pub(super) fn judge(&self, node: &NodeId, operation: &'static str, record: &Record) -> Verdict {
        let (what, now) = (fingerprint(operation, record), record.event_time);
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = calls.len() < CALLS_MAX;
        let Some(seen) = calls.get_mut(&(node.clone(), operation)) else {
            if has_room {
                calls.insert((node.clone(), operation), Seen::new(what, now));
            }
            return Verdict::Record(Missed::default());
        };
        seen.judge(what, now)
    }

    /// Forgets a call that could not be recorded: the next one counts as the first.
    pub(super) fn forget(&self, node: &NodeId, operation: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(node.clone(), operation));
    }
}

impl Seen {
    fn new(what: u64, now: Timestamp) -> Self {
        Self { what, recorded_at: now, missed: Missed::default(), hour: now, changes: 0 }
    }

    fn judge(&mut self, what: u64, now: Timestamp) -> Verdict {
        if now.duration_since(self.hour) >= HOUR {
            (self.hour, self.changes) = (now, 0);
        }
        let is_due = now.duration_since(self.recorded_at) >= RECORDED_AT_LEAST_EVERY;
        if what == self.what && !is_due {
            self.missed.repeated += 1;
            return Verdict::Counted;
        }
        if what != self.what && self.changes >= CHANGES_PER_HOUR_MAX {
            self.missed.changed += 1;
            return Verdict::Counted;
        }
        self.changes += u32::from(what != self.what);
        (self.what, self.recorded_at) = (what, now);
        Verdict::Record(std::mem::take(&mut self.missed))
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

    fn recorded(repeated: u64) -> Verdict {
        Verdict::Record(Missed { repeated, changed: 0 })
    }

    #[test]
    fn the_first_and_every_change_are_recorded_and_the_rest_is_counted() {
        let routine = Routine::default();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let judge = |record: &Record| routine.judge(&node, "UpdateInstanceInformation", record);
        assert_eq!(judge(&record(0, "::1", "1")), recorded(0));
        assert_eq!(judge(&record(300, "::1", "1")), Verdict::Counted);
        assert_eq!(judge(&record(600, "::1", "1")), Verdict::Counted);
        assert_eq!(judge(&record(900, "::1", "2")), recorded(2));
        assert_eq!(judge(&record(1200, "::2", "2")), recorded(0));
        let refused = Record { error_code: Some("AccessDenied".into()), ..record(1500, "::2", "2") };
        assert_eq!(judge(&refused), recorded(0));
        assert_eq!(judge(&refused), Verdict::Counted);
        let next_day = Record { event_time: record(1500 + 86_400, "", "").event_time, ..refused };
        assert_eq!(judge(&next_day), recorded(1));
        let other = "mi-00000000000000000".parse().unwrap();
        assert_eq!(routine.judge(&other, "GetDocument", &next_day), recorded(0));
        routine.forget(&node, "UpdateInstanceInformation");
        assert_eq!(judge(&next_day), recorded(0));
    }

    #[test]
    fn a_node_that_is_another_each_time_is_counted_too() {
        let routine = Routine::default();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let call = |second: i64| {
            let user_agent = Some(format!("agent {second}"));
            let record = Record { user_agent, ..record(second, "::1", "1") };
            routine.judge(&node, "UpdateInstanceInformation", &record)
        };
        // An hour of a call in each second: the first, the changes that there is room for, and nothing more.
        let on_record = (0..3_600).filter(|&second| call(second) != Verdict::Counted).count();
        assert_eq!(on_record, 1 + usize::try_from(CHANGES_PER_HOUR_MAX).unwrap());
        let missed = 3_600 - 1 - u64::from(CHANGES_PER_HOUR_MAX);
        assert_eq!(call(3_600), Verdict::Record(Missed { repeated: 0, changed: missed }));
    }
}
