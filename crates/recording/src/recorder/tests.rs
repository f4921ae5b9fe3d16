//! Recordings in temporary directories: what is written, and what a crash or a full disk leaves.

use std::fs::OpenOptions;
use std::path::Path;

use jiff::ToSpan as _;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::RecordingDirectory;

const START: i64 = 1_795_560_408_000_000;

fn at(us: i64) -> Timestamp {
    Timestamp::from_microsecond(START).unwrap() + us.microseconds()
}

fn info() -> RecordingInfo {
    RecordingInfo {
        session_id: "alice-1".parse().unwrap(),
        owner: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
        node: "mi-0123456789abcdef0".parse().unwrap(),
        node_name: Some("web".into()),
        document: "SSM-SessionManagerRunShell".into(),
        session_type: "Standard_Stream".into(),
        reason: None,
        started_at: at(0),
    }
}

fn output(sequence_number: i64, bytes: &[u8], us: i64) -> Entry {
    Entry::Output { sequence_number, bytes: Bytes::copy_from_slice(bytes), at: at(us) }
}

fn end() -> RecordingEnd {
    RecordingEnd { at: at(5_000_000), reason: "shell-exit".into(), exit_code: Some(7) }
}

fn directory() -> (TempDir, RecordingDirectory) {
    let temporary = TempDir::new().unwrap();
    let directory = RecordingDirectory::open(temporary.path(), Durability::Process).unwrap();
    (temporary, directory)
}

fn cast(temporary: &TempDir) -> String {
    fs::read_to_string(temporary.path().join("alice-1.cast")).unwrap()
}

#[test]
fn a_recording_from_start_to_end() {
    let (temporary, directory) = directory();
    let mut recorder = directory.create(&info()).unwrap();
    // The handshake counts and does not show.
    recorder.append(&[output(0, b"", 10), output(1, b"", 20)]).unwrap();
    recorder
        .append(&[Entry::Resize { cols: 132, rows: 43, at: at(30) }, output(2, b"$ ", 1_000_000)])
        .unwrap();
    recorder
        .append(&[output(3, b"ls\r\n", 2_000_000), Entry::Resize { cols: 80, rows: 24, at: at(3_000_000) }])
        .unwrap();
    assert_eq!(recorder.next_sequence(), 4);
    recorder.finish(&end()).unwrap();
    let expected = [
        r#"{"version":3,"term":{"cols":132,"rows":43,"type":"xterm-256color"},"timestamp":1795560408,"title":"alice on web"}"#,
        r#"[1.000000,"o","$ "]"#,
        r#"[1.000000,"o","ls\r\n"]"#,
        r#"[1.000000,"r","80x24"]"#,
        r#"[2.000000,"x","7"]"#,
        "",
    ];
    assert_eq!(cast(&temporary), expected.join("\n"));
    let side_file = SideFile::read(&temporary.path().join("alice-1.json")).unwrap();
    assert_eq!(side_file.status, RecordingStatus::Finished);
    assert_eq!((side_file.end_reason.as_deref(), side_file.exit_code), (Some("shell-exit"), Some(7)));
    assert_eq!(side_file.cast_bytes, Some(cast(&temporary).len() as u64));
    assert!(!temporary.path().join("alice-1.position").exists());
    assert!(directory.reopen(&info().session_id).is_err(), "it has ended");
}

#[test]
fn repeated_output_is_recorded_once() {
    let (temporary, directory) = directory();
    let mut recorder = directory.create(&info()).unwrap();
    recorder.append(&[output(0, b"a", 1)]).unwrap();
    recorder.append(&[output(0, b"a", 2), output(1, b"b", 3), output(1, b"b", 4)]).unwrap();
    recorder.finish(&end()).unwrap();
    assert_eq!(cast(&temporary).matches("\"o\"").count(), 2);
}

#[test]
fn files_are_for_their_owner_only_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let (temporary, directory) = directory();
    let recorder = directory.create(&info()).unwrap();
    assert!(directory.create(&info()).is_err());
    recorder.finish(&end()).unwrap();
    assert!(directory.create(&info()).is_err());
    for file in ["alice-1.cast", "alice-1.json"] {
        let mode = fs::metadata(temporary.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn the_clock_may_be_set_back() {
    let (temporary, directory) = directory();
    let mut recorder = directory.create(&info()).unwrap();
    recorder.append(&[output(0, b"a", 1_000), output(1, b"b", -1_000_000), output(2, b"c", 2_000)]).unwrap();
    let text = cast(&temporary);
    let intervals: Vec<&str> = text.lines().skip(1).map(|line| &line[1..9]).collect();
    assert_eq!(intervals, ["0.001000", "0.000000", "0.001000"]);
}

#[test]
fn a_discarded_recording_leaves_nothing() {
    let (temporary, directory) = directory();
    directory.create(&info()).unwrap().discard().unwrap();
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

/// What an append that was cut off anywhere leaves on the disk.
fn crash(path: &Path, cast_bytes: u64, position: &[u8]) {
    OpenOptions::new().write(true).open(path.join("alice-1.cast")).unwrap().set_len(cast_bytes).unwrap();
    fs::write(path.join("alice-1.position"), position).unwrap();
}

#[test]
fn a_crash_at_any_byte_costs_nothing_that_was_recorded() {
    let (temporary, directory) = directory();
    let path = temporary.path();
    let mut recorder = directory.create(&info()).unwrap();
    recorder.append(&[output(0, "a\u{20ac}".as_bytes(), 1), output(1, b"\xe2\x82", 2)]).unwrap();
    let sound = cast(&temporary);
    let position = fs::read(path.join("alice-1.position")).unwrap();
    recorder.append(&[output(2, b"\xacb", 3)]).unwrap();
    let complete = cast(&temporary);
    drop(recorder);
    for cut in sound.len()..=complete.len() {
        fs::write(path.join("alice-1.cast"), &complete).unwrap();
        crash(path, cut as u64, &position);
        let mut recorder = directory.reopen(&info().session_id).unwrap();
        assert_eq!(recorder.next_sequence(), 2, "cut at {cut}");
        assert_eq!(cast(&temporary), sound);
        recorder.append(&[output(1, b"\xe2\x82", 2), output(2, b"\xacb", 3)]).unwrap();
        assert_eq!(cast(&temporary), complete, "cut at {cut}");
    }
}

#[test]
fn a_damaged_position_is_refused_and_named() {
    let (temporary, directory) = directory();
    directory.create(&info()).unwrap().append(&[output(0, b"a", 1)]).unwrap();
    fs::write(temporary.path().join("alice-1.position"), b"nonsense").unwrap();
    let error = directory.reopen(&info().session_id).unwrap_err();
    assert!(error.to_string().contains("alice-1.position is damaged"), "{error}");
}

#[test]
fn on_a_full_disk_nothing_counts_as_recorded() {
    let (temporary, directory) = directory();
    let mut recorder = directory.create(&info()).unwrap();
    recorder.append(&[output(0, b"a", 1)]).unwrap();
    let sound = cast(&temporary);
    let cast_file =
        std::mem::replace(&mut recorder.cast, OpenOptions::new().write(true).open("/dev/full").unwrap());
    let error = recorder.append(&[output(1, b"b", 2)]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(recorder.next_sequence(), 1);
    assert!(recorder.append(&[output(1, b"b", 2)]).is_err(), "it stays failed");
    recorder.cast = cast_file;
    recorder.finish(&end()).unwrap();
    assert_eq!(cast(&temporary), sound);
    let side_file = SideFile::read(&temporary.path().join("alice-1.json")).unwrap();
    assert_eq!(side_file.status, RecordingStatus::Interrupted);
}

proptest! {
    #[test]
    fn however_output_is_batched_the_recording_is_the_same(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..8), 1..20),
        batch in 1usize..5,
    ) {
        let entries: Vec<Entry> = payloads.iter().zip(0..).map(|(payload, n)| output(n, payload, n)).collect();
        let record = |batch: usize| {
            let (temporary, directory) = directory();
            let mut recorder = directory.create(&info()).unwrap();
            entries.chunks(batch).for_each(|entries| recorder.append(entries).unwrap());
            recorder.finish(&end()).unwrap();
            cast(&temporary)
        };
        prop_assert_eq!(record(batch), record(entries.len()));
    }
}
