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

/// Opens the trail as after a crash; what is there by then is read from the disk.
async fn reopened(directory: &Path, hand: &Hand) -> Vec<Record> {
    let trail = open(directory, hand).await;
    trail.close().await;
    records(directory)
}

/// A copy of a trail's directory, as a crash would have left it at this moment.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(path, target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_crash_between_intent_and_outcome_leaves_an_unknown_outcome_once() {
    let (temp, crashed, hand) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    let pending = trail.begin(Class::Write, record("StartSession", "alice", 1, hand.now())).await.unwrap();
    copy(temp.path(), crashed.path());
    trail.complete(pending, record("StartSession", "alice", 1, hand.now())).await.unwrap();
    trail.close().await;
    hand.advance(60);
    for _ in 0..2 {
        let records = reopened(crashed.path(), &hand).await;
        let [unknown] = &records[..] else { panic!("{records:#?}") };
        assert_eq!(unknown.error_code.as_deref(), Some("OutcomeUnknown"));
        assert!(unknown.error_message.as_ref().unwrap().contains("may have taken effect"));
        let addendum = unknown.addendum.as_ref().unwrap();
        assert_eq!(addendum.reason, postern_audit::AddendumReason::ServiceOutage);
        assert_eq!(addendum.original_request_id.as_deref(), Some("request-1"));
    }
}

#[tokio::test]
async fn a_torn_end_is_cut_and_nothing_before_it() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    for number in 0..3 {
        trail.write(Class::Read, record("Call", "alice", number, hand.now())).await.unwrap();
    }
    let crashed = TempDir::new().unwrap();
    copy(temp.path(), crashed.path());
    trail.close().await;
    let path = segments(crashed.path()).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> =
        whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1).collect();
    // Heads are signed later: only what is durable counts.
    let _ = fs::remove_file(crashed.path().join("audit/heads.jsonl"));
    let last = ends[ends.len() - 2];
    for cut in [last, last + 1, last + 20, last + 200, whole.len() - 1] {
        let torn = TempDir::new().unwrap();
        copy(crashed.path(), torn.path());
        fs::write(segments(torn.path()).pop().unwrap(), &whole[..cut]).unwrap();
        assert_eq!(reopened(torn.path(), &hand).await.len(), 2, "cut at {cut} of {}", whole.len());
        // Or the blocks of the last batch were never written.
        let mut zeros = whole.clone();
        zeros[cut..].fill(0);
        let torn = TempDir::new().unwrap();
        copy(crashed.path(), torn.path());
        fs::write(segments(torn.path()).pop().unwrap(), &zeros).unwrap();
        assert_eq!(reopened(torn.path(), &hand).await.len(), 2, "zeros from {cut} of {}", whole.len());
    }
}

#[tokio::test]
async fn damage_is_told_with_its_place_and_changes_nothing() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    trail.write(Class::Read, record("Call", "alice", 1, hand.now())).await.unwrap();
    trail.close().await;
    let path = segments(temp.path()).pop().unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    let cases = [
        (whole.replacen("alice", "mary!", 1), "line 4, byte "),
        (whole.lines().skip(1).map(|line| format!("{line}\n")).collect(), "line 1, byte 0: "),
        (whole.lines().take(4).map(|line| format!("{line}\n")).collect(), "but a head was signed for line"),
        (format!("{whole}{whole}"), "of the chain is missing"),
    ];
    for (damaged, expected) in cases {
        fs::write(&path, &damaged).unwrap();
        let options = crate::support::options(temp.path());
        let error = postern_audit::Trail::open(options, [7; 32], hand.clock()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!error.remedy().is_empty());
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
    fs::write(&path, &whole).unwrap();
    // Another sealing key, another account, or a key that is gone.
    let options = crate::support::options(temp.path());
    let error = postern_audit::Trail::open(options.clone(), [8; 32], hand.clock()).await.unwrap_err();
    assert!(error.to_string().contains("sealed with another master key"), "{error}");
    let mut other = options.clone();
    other.trail.account_id = "999999999999".parse().unwrap();
    let error = postern_audit::Trail::open(other, [7; 32], hand.clock()).await.unwrap_err();
    assert!(error.to_string().contains("111122223333/us-east-1/postern"), "{error}");
    fs::remove_dir_all(temp.path().join("audit/chain")).unwrap();
    let error = postern_audit::Trail::open(options, [7; 32], hand.clock()).await.unwrap_err();
    assert!(error.to_string().contains("a head was signed"), "{error}");
}

#[tokio::test]
async fn private_keys_are_not_on_the_disk_in_clear() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    open(temp.path(), &hand).await.close().await;
    for entry in fs::read_dir(temp.path().join("audit/keys")).unwrap() {
        let contents = fs::read(entry.unwrap().path()).unwrap();
        // The object identifier of RSA keys, which begins each PKCS#8 file of one.
        let oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        assert!(!contents.windows(oid.len()).any(|window| window == oid));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_get_one_chain() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..50 {
        let (trail, hand) = (trail.clone(), hand.clone());
        callers.spawn(async move {
            for number in 0..20 {
                let record = record("Call", "alice", caller * 100 + number, hand.now());
                let pending = trail.begin(Class::Write, record.clone()).await.unwrap();
                trail.complete(pending, record).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    trail.close().await;
    let mut found: Vec<u128> = records(temp.path()).iter().map(|record| record.event_id.as_u128()).collect();
    found.sort_unstable();
    let expected: Vec<u128> =
        (0..50).flat_map(|caller| (0..20).map(move |number| caller * 100 + number)).collect();
    assert_eq!(found, expected);
}
