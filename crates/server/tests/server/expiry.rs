//! Old records of the audit trail go by order of whoever may, and the trail says so.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use postern_audit::format::verify::verify;
use postern_audit::{Class, Clock, IdentityType, Record, Trail, TrailOptions, UserIdentity};
use postern_server::config::Config;
use postern_store::MasterKey;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Answer, Keys, TestServer, config, signed, unix_seconds};

const DAY_S: i64 = 24 * 60 * 60;
const DAYS: i64 = 10;
const ADMIN: &str = "arn:aws:iam::000000000000:user/admin";

fn settings(config: &mut Config) {
    config.audit.expire_min_days = 2;
    // Ten days of hourly digests would be most of the test's time.
    config.audit.digest_interval = Duration::from_secs(24 * 60 * 60);
}

/// A server that has run for ten days, as far as its audit trail tells: each day a call that reads and one that changes
/// something.
async fn ten_days_old() -> TestServer {
    let directory = TestServer::start().await.stop().await;
    let data = directory.path().join("data");
    std::fs::remove_dir_all(data.join("audit")).unwrap();
    write_ten_days(&data, &config(directory.path())).await;
    TestServer::start_in(directory, settings).await.unwrap()
}

async fn write_ten_days(data: &Path, config: &Config) {
    let master_key: [u8; 32] = std::fs::read(data.join("keys/master.key")).unwrap().try_into().unwrap();
    let sealing_key = *MasterKey::new(master_key).derive("audit signing keys").expose_secret();
    let options = TrailOptions {
        bucket: config.audit.bucket.clone(),
        digest_interval: Duration::from_secs(24 * 60 * 60),
        ..TrailOptions::new(data.join("audit"), config.account.clone(), config.region.clone())
    };
    let seconds = Arc::new(AtomicI64::new(unix_seconds() - DAYS * DAY_S));
    let hand = Arc::clone(&seconds);
    let now = move || Timestamp::from_second(hand.load(Ordering::SeqCst)).unwrap();
    let trail = Trail::open(options, sealing_key, Clock::new(now.clone())).await.unwrap();
    for day in 0..DAYS {
        let read = record("DescribeSessions", day, now());
        trail.write(Class::Read, read).await.unwrap();
        trail.write(Class::Write, record("StartSession", DAYS + day, now())).await.unwrap();
        seconds.fetch_add(DAY_S, Ordering::SeqCst);
        trail.tend().await.unwrap();
    }
    trail.close().await;
}

fn record(name: &str, number: i64, at: Timestamp) -> Record {
    let id = uuid::Uuid::from_u128(u128::try_from(number).unwrap());
    let who = UserIdentity::new(IdentityType::IamUser);
    let mut record = Record::api_call(id, at, "ssm.amazonaws.com", name, "us-east-1".parse().unwrap(), who);
    record.user_agent = Some("ten-days".to_owned());
    record
}

async fn expire(server: &TestServer, keys: &Keys, days: i64, is_dry_run: bool) -> Answer {
    let input = json!({
        "Classes": ["read"], "OlderThanDays": days, "Reason": "nobody looks at them", "DryRun": is_dry_run,
    });
    let request = server.json_request("Postern_20261101.ExpireAuditRecords", &input);
    server.send(signed(request, keys, "postern")).await
}

/// The records of an event that were there before the server, or all of them.
async fn found(server: &TestServer, name: &str) -> Vec<Value> {
    let input = json!({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}]});
    let request = server.json_request("CloudTrail_20131101.LookupEvents", &input);
    let answer = server.send(signed(request, &server.admin(), "cloudtrail")).await.json();
    let events = answer["Events"].as_array().unwrap().iter();
    events.map(|event| serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap()).collect()
}

fn is_sound(directory: &TempDir) {
    let report = verify(&directory.path().join("data/audit"), &[], None).unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert!(report.checked.removed_records > 0, "{report:#?}");
}

#[tokio::test]
async fn old_records_go_by_order_and_leave_a_record_of_it() {
    let server = ten_days_old().await;
    let keys = server.admin();
    let foreseen = expire(&server, &keys, 4, true).await.json();
    let records = foreseen["Records"].as_i64().unwrap();
    assert!((4..=7).contains(&records), "{foreseen}");
    assert_eq!((&foreseen["DryRun"], found(&server, "DescribeSessions").await.len()), (&json!(true), 10));
    assert_eq!(found(&server, "AuditRecordsRemoved").await, Vec::<Value>::new());

    let removed = expire(&server, &keys, 4, false).await.json();
    assert_eq!((&removed["Records"], &removed["DryRun"]), (&json!(records), &json!(false)));
    let left = usize::try_from(10 - records).unwrap();
    assert_eq!(found(&server, "DescribeSessions").await.len(), left);
    assert_eq!(found(&server, "StartSession").await.len(), 10);
    let tombstones = found(&server, "AuditRecordsRemoved").await;
    assert!(!tombstones.is_empty());
    for tombstone in tombstones {
        let details = &tombstone["serviceEventDetails"];
        assert_eq!((&details["by"], &details["reason"]), (&json!(ADMIN), &json!("nobody looks at them")));
    }
    let [call, dry] = &found(&server, "ExpireAuditRecords").await[..] else { panic!("two calls") };
    assert_eq!(call["eventSource"], "postern");
    assert_eq!(call["responseElements"]["records"], json!(records));
    assert_eq!(call["requestParameters"]["classes"], json!(["read"]));
    assert_eq!(dry["requestParameters"]["dryRun"], json!(true));
    assert_eq!(call["resources"][0]["type"], "AWS::CloudTrail::Trail");
    is_sound(&server.stop().await);
}

#[tokio::test]
async fn what_is_recent_stays_whoever_asks() {
    let server = ten_days_old().await;
    for is_dry_run in [true, false] {
        let refused = expire(&server, &server.admin(), 1, is_dry_run).await;
        assert_eq!(refused.code(), "RetentionTooShortException", "{refused:?}");
    }
    assert_eq!(found(&server, "DescribeSessions").await.len(), 10);
    assert_eq!(expire(&server, &server.admin(), 0, true).await.code(), "ValidationException");
    server.stop().await;
}
