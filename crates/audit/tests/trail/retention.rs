//! Old records go class by class, and the chain says so.

use std::path::Path;
use std::time::Duration;

use postern_audit::format::tombstone::EVENT_NAME;
use postern_audit::format::verify::{Report, TrustedKey, verify};
use postern_audit::{Class, LookupAttribute, LookupQuery, Retention, Trail, TrailOptions};
use tempfile::TempDir;

use crate::support::{Hand, options, record};

const DAY_S: i64 = 24 * 3600;

fn days(days: u64) -> Option<Duration> {
    Some(Duration::from_secs(days * 24 * 3600))
}

async fn open(directory: &Path, hand: &Hand) -> Trail {
    let options = TrailOptions { segment_bytes_max: 4000, ..options(directory) };
    Trail::open(options, [7; 32], hand.clock()).await.unwrap()
}

/// A call that reads and one that changes something, each day for ten days.
async fn ten_days(directory: &Path, hand: &Hand) -> Trail {
    let trail = open(directory, hand).await;
    for day in 0..10 {
        trail.write(Class::Read, record("DescribeSessions", "alice", day, hand.now())).await.unwrap();
        let start = record("StartSession", "alice", 100 + day, hand.now());
        let pending = trail.begin(Class::Write, start.clone()).await.unwrap();
        trail.complete(pending, start).await.unwrap();
        hand.advance(DAY_S);
        trail.tend().await.unwrap();
    }
    trail
}

async fn found(trail: &Trail, name: &str) -> usize {
    let attribute = Some(LookupAttribute::EventName(name.to_owned()));
    trail.lookup(&LookupQuery { attribute, limit: 50, ..LookupQuery::default() }).await.unwrap().events.len()
}

fn verified(trail: &Trail) -> Report {
    let key = TrustedKey::parse(trail.public_keys(None, None)[0].value.as_bytes()).unwrap();
    verify(&trail.options().directory, &[key], None).unwrap()
}

#[tokio::test]
async fn by_default_everything_is_kept() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = ten_days(temp.path(), &hand).await;
    hand.advance(10_000 * DAY_S);
    let removed = trail.apply_retention(Retention::default(), "arn:a", "a try").await.unwrap();
    assert_eq!(removed, postern_audit::Removed::default());
    assert_eq!((found(&trail, EVENT_NAME).await, found(&trail, "DescribeSessions").await), (0, 10));
    trail.close().await;
}

#[tokio::test]
async fn reads_go_and_the_rest_stays() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = ten_days(temp.path(), &hand).await;
    let retention = Retention { read: days(4), ..Retention::default() };
    let foreseen = trail.foresee_retention(retention).await.unwrap();
    assert_eq!(found(&trail, EVENT_NAME).await, 0);
    assert_eq!(
        trail.foresee_retention(Retention::default()).await.unwrap(),
        postern_audit::Removed::default()
    );
    let removed =
        trail.apply_retention(retention, "arn:aws:iam::1:user/a", "four days are enough").await.unwrap();
    assert_eq!(removed, foreseen);
    assert!(removed.records > 2 && removed.objects > 2 && removed.segments == 0, "{removed:?}");
    let left = found(&trail, "DescribeSessions").await;
    assert!((4..8).contains(&left), "{left}");
    assert_eq!(found(&trail, "StartSession").await, 10);
    let report = verified(&trail);
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert_eq!(report.checked.removed_records, removed.records);
    // The tombstones are records that say on whose order.
    let attribute = Some(LookupAttribute::EventName(EVENT_NAME.to_owned()));
    let query = LookupQuery { attribute, limit: 50, ..LookupQuery::default() };
    let page = trail.lookup(&query).await.unwrap();
    assert!(page.events.iter().all(|event| event.json.contains("arn:aws:iam::1:user/a")));
    // Again, there is nothing to do.
    let again = trail.apply_retention(retention, "arn:a", "again").await.unwrap();
    assert_eq!(again, postern_audit::Removed::default());
    trail.close().await;
    // And nothing comes back.
    let trail = open(temp.path(), &hand).await;
    assert_eq!(found(&trail, "DescribeSessions").await, left);
    trail.close().await;
}

#[tokio::test]
async fn whole_segments_go_when_nothing_in_them_is_kept() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = ten_days(temp.path(), &hand).await;
    let retention = Retention { read: days(2), write: days(5), node: days(1), data: days(1) };
    let removed = trail.apply_retention(retention, "arn:a", "old").await.unwrap();
    assert!(removed.segments > 1 && removed.records > 0, "{removed:?}");
    let report = verified(&trail);
    assert!(report.is_sound(), "{:#?}", report.findings);
    let left = found(&trail, "StartSession").await;
    assert!((5..9).contains(&left), "{left}");
    trail.close().await;
    let trail = open(temp.path(), &hand).await;
    assert_eq!(found(&trail, "StartSession").await, left);
    for _ in 0..3 {
        hand.advance(DAY_S);
        trail.write(Class::Write, record("StartSession", "bob", 900, hand.now())).await.unwrap();
        trail.tend().await.unwrap();
        trail.apply_retention(retention, "arn:a", "old").await.unwrap();
        let report = verified(&trail);
        assert!(report.is_sound(), "{:#?}", report.findings);
    }
    trail.close().await;
}

#[tokio::test]
async fn old_records_of_a_quiet_server_go_too() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let open = async || Trail::open(options(temp.path()), [7; 32], hand.clock()).await.unwrap();
    let trail = open().await;
    trail.write(Class::Read, record("DescribeSessions", "alice", 1, hand.now())).await.unwrap();
    trail.close().await;
    // Far from filling a segment, and nobody but the server itself has anything to record.
    hand.advance(3 * DAY_S);
    let trail = open().await;
    // Three days of digests are due first; a check in the midst of their delivery would miss some.
    trail.tend().await.unwrap();
    let retention = Retention { read: days(1), ..Retention::default() };
    let removed = trail.apply_retention(retention, "arn:a", "old").await.unwrap();
    assert_eq!(removed.records, 1, "{removed:?}");
    assert_eq!(found(&trail, "DescribeSessions").await, 0);
    let report = verified(&trail);
    assert!(report.is_sound(), "{:#?}", report.findings);
    trail.close().await;
}

#[tokio::test]
async fn only_what_tombstones_tell_of_may_be_missing() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = ten_days(temp.path(), &hand).await;
    let retention = Retention { read: days(4), ..Retention::default() };
    trail.apply_retention(retention, "arn:a", "old").await.unwrap();
    trail.close().await;
    // The body of one more record is taken out, as retention does it, though nobody ordered that.
    let chain = temp.path().join("audit/chain");
    let path = std::fs::read_dir(&chain).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let line = text.lines().rev().find(|line| line.contains("\"kind\":\"record\"")).unwrap();
    let stub = format!("{}}}", line.split_once(",\"record\":").unwrap().0);
    std::fs::write(&path, text.replace(line, &stub)).unwrap();
    let report = verified(&trail);
    let [finding] = &report.findings[..] else { panic!("{:#?}", report.findings) };
    assert!(finding.what.ends_with("and no tombstone tells why"), "{finding}");
}
