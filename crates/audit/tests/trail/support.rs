//! A trail in a directory of its own, with a clock that stands until it is moved.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use postern_audit::{Clock, IdentityType, Record, Trail, TrailOptions, UserIdentity};
use serde_json::json;
use uuid::Uuid;

/// 2027-01-15T08:00:00Z.
pub(crate) const NOON_S: i64 = 1_800_000_000;

/// A clock that stands until it is moved.
#[derive(Clone)]
pub(crate) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOON_S)))
    }

    pub(crate) fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::new(move || hand.now())
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

pub(crate) fn options(directory: &Path) -> TrailOptions {
    TrailOptions::new(directory.join("audit"), "111122223333".parse().unwrap(), "us-east-1".parse().unwrap())
}

pub(crate) async fn open(directory: &Path, hand: &Hand) -> Trail {
    Trail::open(options(directory), [7; 32], hand.clock()).await.unwrap()
}

/// A call of `user`, number `number`.
pub(crate) fn record(name: &str, user: &str, number: u128, at: Timestamp) -> Record {
    let identity = UserIdentity {
        user_name: Some(user.to_owned()),
        access_key_id: Some(format!("AKIA{user}")),
        ..UserIdentity::new(IdentityType::IamUser)
    };
    let id = Uuid::from_u128(number);
    let mut record =
        Record::api_call(id, at, "ssm.amazonaws.com", name, "us-east-1".parse().unwrap(), identity);
    record.read_only = Some(!name.starts_with("Start"));
    record.request_parameters = Some(json!({"target": format!("mi-{number:017x}")}));
    record.request_id = Some(format!("request-{number}"));
    record
}
