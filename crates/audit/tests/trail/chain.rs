//! Records get on the chain, durably, and stay what they are across crashes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Hand, open, record};
use postern_audit::format::chain::{Kind, Line};
use postern_audit::format::segment::{self, Position};
use postern_audit::{Class, Record};
use tempfile::TempDir;

fn segments(directory: &Path) -> Vec<PathBuf> {
    let chain = directory.join("audit/chain");
    let (segments, others) = segment::list(&chain).unwrap();
    assert!(others.is_empty(), "{others:?}");
    segments.into_iter().map(|first| chain.join(segment::file_name(first))).collect()
}

/// Everything on the chain, after its links have been checked: the kinds and the bodies.
fn chain(directory: &Path) -> Vec<(Kind, Option<u64>, serde_json::Value)> {
    let mut last = Position::START;
    let mut found = Vec::new();
    for path in segments(directory) {
        let text = fs::read(path).unwrap();
        for line in text.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n') {
            let line = Line::parse(line).unwrap();
            assert_eq!((line.sequence, line.previous), (last.sequence + 1, last.hash));
            last = Position { sequence: line.sequence, hash: line.hash };
            found.push((line.kind, line.completes, serde_json::from_slice(line.body.unwrap()).unwrap()));
        }
    }
    found
}

fn records(directory: &Path) -> Vec<Record> {
    let shown = chain(directory).into_iter().filter(|(kind, ..)| kind.is_shown());
    let records = shown.map(|(_, _, body)| serde_json::from_value::<Record>(body).unwrap());
    // What the trail writes about itself is not the subject here.
    records.filter(|record| !record.event_name.starts_with("AuditTrail")).collect()
}

#[tokio::test]
async fn records_are_on_the_chain_when_the_call_returns() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    let read = record("DescribeSessions", "alice", 1, hand.now());
    trail.write(Class::Read, read.clone()).await.unwrap();
    let pending = trail.begin(Class::Write, record("StartSession", "alice", 2, hand.now())).await.unwrap();
    assert_eq!(records(temp.path()), std::slice::from_ref(&read), "an intent is no record");
    let started = record("StartSession", "alice", 2, hand.now());
    trail.complete(pending, started.clone()).await.unwrap();
    assert_eq!(records(temp.path()), [read, started]);
    let kinds: Vec<_> =
        chain(temp.path()).into_iter().map(|(kind, completes, _)| (kind, completes)).collect();
    let expected = [
        (Kind::Segment, None),
        (Kind::Key, None),
        (Kind::Record, None),
        (Kind::Record, None),
        (Kind::Intent, None),
        (Kind::Record, Some(5)),
    ];
    assert_eq!(kinds, expected);
    trail.close().await;
}

#[tokio::test]
async fn a_call_that_was_cut_off_has_an_unknown_outcome() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    let pending = trail.begin(Class::Write, record("StartSession", "alice", 1, hand.now())).await.unwrap();
    drop(pending);
    trail.write(Class::Read, record("DescribeSessions", "bob", 2, hand.now())).await.unwrap();
    trail.close().await;
    let records = records(temp.path());
    let cut = records.iter().find(|record| record.event_name == "StartSession").unwrap();
    assert_eq!(cut.error_code.as_deref(), Some("OutcomeUnknown"));
    assert_eq!(records.len(), 2);
}
