//! Whatever is changed, removed, moved or forged is found, by whoever has a public key.

use std::fs;
use std::path::{Path, PathBuf};

use postern_audit::format::chain::Hash;
use postern_audit::format::tombstone::{RECORDINGS_EVENT_NAME, RemovedRecording, Tombstone};
use postern_audit::format::verify::{Report, TrustedKey, verify};
use postern_audit::format::{RecordedFile, SESSION_ENDED, SESSION_RECORDING_PROGRESS};
use postern_audit::{Class, IdentityType, LookupQuery, Record, Trail, TrailOptions, UserIdentity};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{Hand, options, record};

/// A trail with something of everything: segments, heads, two keys, log files, digests, recordings.
struct Sample {
    temp: TempDir,
    /// The first of its keys, as an auditor got it in the beginning.
    key: TrustedKey,
}

impl Sample {
    async fn new() -> Self {
        let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
        let options = TrailOptions { segment_bytes_max: 8000, ..options(temp.path()) };
        let trail = Trail::open(options, [7; 32], hand.clock()).await.unwrap();
        let key = TrustedKey::parse(trail.public_keys(None, None)[0].value.as_bytes()).unwrap();
        for number in 0..12 {
            let start = record("StartSession", "alice", number, hand.now());
            let pending = trail.begin(Class::Write, start.clone()).await.unwrap();
            trail
                .write(Class::Read, record("DescribeSessions", "bob", 100 + number, hand.now()))
                .await
                .unwrap();
            trail.complete(pending, start).await.unwrap();
            // After the seventh the key is renewed.
            hand.advance(if number == 7 { 366 * 24 * 3600 } else { 1300 });
            trail.tend().await.unwrap();
        }
        let recordings = temp.path().join("recordings");
        fs::create_dir(&recordings).unwrap();
        let cast = b"{\"version\":3}\n[0.1,\"o\",\"secret\"]\n";
        fs::write(recordings.join("alice-1.cast"), cast).unwrap();
        trail.write(Class::Write, session(&hand, SESSION_RECORDING_PROGRESS, &cast[..14])).await.unwrap();
        trail.write(Class::Write, session(&hand, SESSION_ENDED, cast)).await.unwrap();
        trail.close().await;
        Self { temp, key }
    }

    fn directory(&self) -> PathBuf {
        self.temp.path().join("audit")
    }

    fn verify(&self) -> Report {
        let recordings = self.temp.path().join("recordings");
        verify(&self.directory(), std::slice::from_ref(&self.key), Some(&recordings)).unwrap()
    }

    /// The files that a verifier can answer for: not the index, which is derived, nor sealed keys, which are secret.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.temp.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if path.is_dir() {
                    directories.push(path);
                } else if !name.starts_with("index.db") && !name.ends_with(".sealed") {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    fn file(&self, part: &str) -> PathBuf {
        self.files().into_iter().find(|path| path.to_str().unwrap().contains(part)).unwrap()
    }

    /// The findings after a change, which is undone.
    fn after(&self, path: &Path, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Vec<String> {
        let before = fs::read(path).unwrap();
        match change(&before) {
            Some(after) => fs::write(path, after).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let report = self.verify();
        fs::write(path, before).unwrap();
        report.findings.iter().map(ToString::to_string).collect()
    }
}

fn session(hand: &Hand, event: &str, cast: &[u8]) -> Record {
    let file = RecordedFile {
        kind: "asciicast".to_owned(),
        file: "alice-1.cast".to_owned(),
        bytes: u64::try_from(cast.len()).unwrap(),
        sha256: Hash::of(cast),
    };
    Record::service_event(
        Uuid::from_u128(7),
        hand.now(),
        "ssm.amazonaws.com",
        event,
        "us-east-1".parse().unwrap(),
        UserIdentity::new(IdentityType::IamUser),
        json!({"sessionId": "alice-1", "recording": [file]}),
    )
}

#[tokio::test]
async fn what_was_written_is_sound() {
    let sample = Sample::new().await;
    let report = sample.verify();
    assert!(report.is_sound(), "{:#?}", report.findings);
    let checked = report.checked;
    assert!(checked.segments > 3 && checked.heads > 3 && checked.digests > 3, "{checked:?}");
    assert!(checked.log_files > checked.digests && checked.recordings == 1, "{checked:?}");
    // 12 calls of each kind, what the recording says, and the trail's beginning and end.
    assert_eq!(checked.records, 24 + 2 + 2);
    let (last, signed) = (report.last_line.unwrap(), report.last_signed.unwrap());
    assert_eq!((last.sequence, last.hash), (signed.sequence, signed.hash));
    assert!(report.notes.is_empty(), "{:?}", report.notes);
    // The later key vouches for the earlier one, too; and without any the files at least fit each other.
    let keys: Vec<_> =
        sample.files().into_iter().filter(|path| path.starts_with(sample.directory().join("keys"))).collect();
    assert_eq!(keys.len(), 2);
    for key in keys {
        let report = verify(&sample.directory(), &[TrustedKey::read(&key).unwrap()], None).unwrap();
        assert!(report.is_sound(), "{:#?}", report.findings);
    }
    let report = verify(&sample.directory(), &[], None).unwrap();
    assert!(report.is_sound() && report.notes.len() == 1, "{report:#?}");
}

#[tokio::test]
async fn every_changed_bit_is_found() {
    let sample = Sample::new().await;
    let files = sample.files();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let place = (0..files.len(), any::<prop::sample::Index>(), 0..8_u8);
    runner
        .run(&place, |(file, index, bit)| {
            let path = &files[file];
            let findings = sample.after(path, |contents| {
                let mut contents = contents.to_owned();
                let at = index.index(contents.len());
                contents[at] ^= 1 << bit;
                Some(contents)
            });
            prop_assert!(!findings.is_empty(), "{}", path.display());
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn every_missing_or_cut_file_is_found() {
    let sample = Sample::new().await;
    for path in sample.files() {
        let shown = path.display();
        assert!(!sample.after(&path, |_| None).is_empty(), "{shown} was removed");
        let cut = |contents: &[u8]| Some(contents[..contents.len() / 2].to_owned());
        assert!(!sample.after(&path, cut).is_empty(), "{shown} was cut");
        assert!(!sample.after(&path, |_| Some(Vec::new())).is_empty(), "{shown} was emptied");
    }
    for added in ["audit/chain/x", "audit/keys/x.json", "audit/objects/postern-audit/x", "audit/objects/x"] {
        let path = sample.temp.path().join(added);
        fs::write(&path, "x").unwrap();
        let findings = sample.verify().findings;
        assert!(findings.iter().any(|finding| finding.file == path), "{added}: {findings:?}");
        fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn findings_name_the_place() {
    let sample = Sample::new().await;
    let segment = sample.file("chain/00000000000000000001");
    let first_line = |contents: &[u8]| contents.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    // A record is altered: the finding is at its line, and says where its hash stands.
    let found = sample.after(&segment, |contents| {
        Some(String::from_utf8(contents.to_owned()).unwrap().replacen("bob", "eve", 1).into_bytes())
    });
    let [finding] = &found[..] else { panic!("{found:#?}") };
    assert!(
        finding.contains(".jsonl, line 5, byte ") && finding.ends_with("the body does not fit its hash"),
        "{finding}"
    );
    // A line is taken out.
    let found = sample.after(&segment, |contents| {
        let start = first_line(contents);
        let end = start + first_line(&contents[start..]);
        Some([&contents[..start], &contents[end..]].concat())
    });
    let expected = "line 2 of the chain is expected, not 3";
    assert!(found[0].contains(".jsonl, line 2, byte ") && found[0].ends_with(expected), "{found:#?}");
    // Two lines change places.
    let found = sample.after(&segment, |contents| {
        let mut lines: Vec<_> = contents.split_inclusive(|byte| *byte == b'\n').collect();
        lines.swap(3, 4);
        Some(lines.concat())
    });
    assert!(found[0].contains("line 4, byte ") && found[0].ends_with("is expected, not 5"), "{found:#?}");
    // A whole segment is gone.
    let segments: Vec<_> =
        sample.files().into_iter().filter(|path| path.to_str().unwrap().contains("chain/")).collect();
    let found = sample.after(&segments[1], |_| None);
    assert!(found[0].contains("of the chain are missing before this file"), "{found:#?}");
    // The beginning is gone.
    let found = sample.after(&segment, |_| None);
    assert!(
        found.iter().any(|finding| finding.contains("missing, and no tombstone tells why")),
        "{found:#?}"
    );
    // The end is gone, though not torn: a head was signed for more.
    let found =
        sample.after(segments.last().unwrap(), |contents| Some(contents[..first_line(contents)].to_owned()));
    assert!(found.iter().any(|finding| finding.contains("but a head was signed for line")), "{found:#?}");
    // The last heads are gone.
    let found = sample.after(&sample.directory().join("heads.jsonl"), |contents| {
        Some(contents[..first_line(contents)].to_owned())
    });
    assert!(found.iter().any(|finding| finding.contains("is missing at the end of the file")), "{found:#?}");
    // The recording has one byte more, or another in its second part.
    let cast = sample.temp.path().join("recordings/alice-1.cast");
    let found = sample.after(&cast, |contents| Some([contents, b"x"].concat()));
    assert!(found[0].ends_with("byte 33: something was added to the recording after its end"), "{found:#?}");
    let found = sample.after(&cast, |contents| Some([&contents[..30], b"S", &contents[31..]].concat()));
    assert!(
        found[0].ends_with("byte 14: some byte from here to byte 33 is not as it was recorded"),
        "{found:#?}"
    );
}

/// What the chain says before a recording goes.
async fn bury(sample: &Sample, hash_value: Hash) {
    let hand = Hand::new();
    let trail = Trail::open(options(sample.temp.path()), [7; 32], hand.clock()).await.unwrap();
    let removed = RemovedRecording {
        session_id: "alice-1".to_owned(),
        owner: "arn:aws:iam::111122223333:user/alice".to_owned(),
        target: "mi-0123456789abcdef0".to_owned(),
        start_time: hand.now(),
        end_time: Some(hand.now()),
        ordered_time: hand.now(),
        name: "alice-1.cast".to_owned(),
        bytes: 33,
        hash_value,
    };
    let tombstone = Tombstone {
        by: "arn:aws:iam::111122223333:user/bob".to_owned(),
        reason: "a mistake".to_owned(),
        recordings: vec![removed],
        ..Tombstone::default()
    };
    let event = Record { event_name: RECORDINGS_EVENT_NAME.to_owned(), ..session(&hand, "", b"") };
    trail.write_tombstone(event, &tombstone).await.unwrap();
    let query = LookupQuery { limit: 50, ..LookupQuery::default() };
    let events = trail.lookup(&query).await.unwrap().events;
    let found = events.iter().find(|event| event.record.event_name == RECORDINGS_EVENT_NAME).unwrap();
    assert_eq!(Tombstone::from_record(&found.record).unwrap(), tombstone);
    trail.close().await;
}

#[tokio::test]
async fn a_recording_that_is_missing_needs_a_tombstone() {
    let sample = Sample::new().await;
    let cast = sample.temp.path().join("recordings/alice-1.cast");
    let contents = fs::read(&cast).unwrap();
    assert!(sample.after(&cast, |_| None)[0].ends_with("the recording is missing"));
    bury(&sample, Hash::of(&contents)).await;
    // As long as it is there, it is checked.
    assert!(sample.verify().is_sound());
    assert!(!sample.after(&cast, |_| Some(b"other".to_vec())).is_empty());
    fs::remove_file(&cast).unwrap();
    let report = sample.verify();
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert_eq!((report.checked.recordings, report.checked.removed_recordings), (0, 1));
}

#[tokio::test]
async fn a_recording_that_was_changed_and_then_removed_is_found() {
    let sample = Sample::new().await;
    bury(&sample, Hash::of(b"changed")).await;
    let found = sample.after(&sample.temp.path().join("recordings/alice-1.cast"), |_| None);
    assert!(found[0].ends_with("what was removed was not the recording as it was recorded"), "{found:#?}");
}

/// Somebody with the disk, but without the keys, makes the trail anew with keys of their own.
#[tokio::test]
async fn a_trail_of_other_keys_is_found() {
    let (sample, forged) = (Sample::new().await, Sample::new().await);
    let report = verify(&forged.directory(), std::slice::from_ref(&sample.key), None).unwrap();
    assert!(report.findings.iter().any(|finding| finding.what.contains("nobody vouches for")), "{report:#?}");
    // Or puts their own head in place of the last.
    let heads = fs::read_to_string(forged.directory().join("heads.jsonl")).unwrap();
    let found = sample.after(&sample.directory().join("heads.jsonl"), |contents| {
        let text = String::from_utf8(contents.to_owned()).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        *lines.last_mut().unwrap() = heads.lines().last().unwrap();
        Some((lines.join("\n") + "\n").into_bytes())
    });
    assert!(!found.is_empty());
}
