//! Recordings are whole, whatever happens while they are written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use postern_ids::SessionId;
use proptest::prelude::*;
use tempfile::TempDir;

mod removal;

use crate::disk::Disk;
use crate::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
}

fn info(session: &str) -> RecordingInfo {
    RecordingInfo {
        session_id: session.parse().unwrap(),
        owner: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
        node: "mi-0123456789abcdef0".parse().unwrap(),
        node_name: Some("web-1".to_owned()),
        document: "SSM-SessionManagerRunShell".to_owned(),
        session_type: "Standard_Stream".to_owned(),
        reason: Some("a full disk".to_owned()),
        started_at: at(0),
    }
}

fn output(sequence_number: i64, bytes: &[u8], ms: i64) -> Entry {
    Entry::Output { sequence_number, bytes: Bytes::copy_from_slice(bytes), at: at(ms) }
}

fn resize(cols: u16, rows: u16, ms: i64) -> Entry {
    Entry::Resize { cols, rows, at: at(ms) }
}

fn ended(ms: i64) -> RecordingEnd {
    RecordingEnd { at: at(ms), reason: "shell-exit".to_owned(), exit_code: Some(0) }
}

fn one() -> SessionId {
    "one".parse().unwrap()
}

/// A directory with the recording `one` begun.
fn begun() -> (TempDir, RecordingDirectory, Recorder) {
    let temp = TempDir::new().unwrap();
    let directory = RecordingDirectory::open(temp.path().join("recordings")).unwrap();
    let recorder = directory.create(&info("one")).unwrap();
    (temp, directory, recorder)
}

fn file(directory: &RecordingDirectory, name: &str) -> PathBuf {
    directory.path().join(name)
}

fn events(directory: &RecordingDirectory) -> Vec<Event> {
    let recording = directory.recording(&one()).unwrap().unwrap();
    recording.events().unwrap().collect::<Result<_, _>>().unwrap()
}

/// What the terminal showed.
fn shown(directory: &RecordingDirectory) -> String {
    String::from_utf8(exported(directory, Form::Text(Escapes::Keep))).unwrap()
}

fn exported(directory: &RecordingDirectory, form: Form) -> Vec<u8> {
    let recording = directory.recording(&one()).unwrap().unwrap();
    let (mut exporter, mut out) = (Exporter::new(form, "one"), Vec::new());
    exporter.push(&fs::read(recording.cast_path()).unwrap(), &mut out).unwrap();
    out
}

fn summary(directory: &RecordingDirectory) -> RecordingSummary {
    directory.recording(&one()).unwrap().unwrap().summary
}

#[test]
fn a_recording_can_be_read_back() {
    let (_temp, directory, mut recorder) = begun();
    assert_eq!(recorder.next_sequence(), 0);
    recorder
        .append(&[output(0, b"", 1), resize(132, 50, 2), output(1, b"$ ", 250), output(2, b"ls\r\n", 250)])
        .unwrap();
    recorder.append(&[output(3, b"", 300), resize(80, 25, 400), output(4, b"caf\xc3", 1500)]).unwrap();
    recorder.append(&[output(5, b"\xa9 \xff", 1500)]).unwrap();
    assert_eq!(recorder.next_sequence(), 6);
    recorder.finish(&RecordingEnd { exit_code: Some(3), ..ended(2000) }).unwrap();

    let recording = directory.recording(&one()).unwrap().unwrap();
    let opened = recording.events().unwrap();
    assert_eq!(opened.terminal(), Terminal { cols: 132, rows: 50 });
    assert_eq!(opened.title(), Some("one on web-1 (mi-0123456789abcdef0)"));
    let event = |ms, kind| Event { at: Duration::from_millis(ms), kind };
    let text = |text: &str| EventKind::Output(text.to_owned());
    assert_eq!(
        opened.collect::<Result<Vec<_>, _>>().unwrap(),
        [
            event(250, text("$ ls\r\n")),
            event(400, EventKind::Resize(Terminal { cols: 80, rows: 25 })),
            event(1500, text("caf")),
            event(1500, text("é \u{fffd}")),
            event(2000, EventKind::Exit("3".to_owned())),
        ]
    );

    let summary = recording.summary;
    assert_eq!(summary.info, info("one"));
    assert_eq!(summary.status, RecordingStatus::Finished);
    assert_eq!((summary.ended_at, summary.exit_code), (Some(at(2000)), Some(3)));
    assert_eq!(summary.end_reason.as_deref(), Some("shell-exit"));
    let cast = fs::read(file(&directory, "one.cast")).unwrap();
    assert_eq!(summary.bytes, Some(u64::try_from(cast.len()).unwrap()));
    assert_eq!(summary.sha256, Some(digest_of(&cast)));
    assert!(!file(&directory, "one.position").exists());
    assert!(directory.unfinished().unwrap().is_empty());
}

fn digest_of(bytes: &[u8]) -> String {
    let hash = sha2::Digest::chain_update(<sha2::Sha256 as sha2::Digest>::new(), bytes);
    sha2::Digest::finalize(hash).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_hash_so_far_is_that_of_the_file() {
    let (_temp, directory, mut recorder) = begun();
    let mut parts = Vec::new();
    for (index, batch) in batches().iter().enumerate() {
        recorder.append(batch).unwrap();
        if index == 1 {
            // Another process takes it up.
            drop(recorder);
            recorder = directory.reopen(&one()).unwrap();
        }
        let cast = fs::read(file(&directory, "one.cast")).unwrap();
        let Recorded { bytes, sha256 } = recorder.recorded().unwrap();
        assert_eq!((bytes, &sha256), (u64::try_from(cast.len()).unwrap(), &digest_of(&cast)));
        parts.push((cast.len(), sha256));
    }
    recorder.finish(&ended(5000)).unwrap();
    let cast = fs::read(file(&directory, "one.cast")).unwrap();
    assert_eq!(summary(&directory).sha256, Some(digest_of(&cast)));
    // What was said while it ran still holds of the beginning.
    assert!(parts.iter().all(|(length, sha256)| digest_of(&cast[..*length]) == *sha256));
}

#[test]
fn a_recording_without_output_is_a_valid_cast() {
    let (_temp, directory, recorder) = begun();
    assert!(events(&directory).is_empty(), "not even a header yet");
    recorder.finish(&RecordingEnd { exit_code: None, ..ended(10) }).unwrap();
    assert!(events(&directory).is_empty());
    let cast = fs::read_to_string(file(&directory, "one.cast")).unwrap();
    assert!(
        cast.starts_with(r#"{"version":3,"term":{"cols":80,"rows":24},"timestamp":1800000000,"#),
        "{cast}"
    );
}

#[test]
fn lines_about_a_session_stand_between_its_events_whatever_the_time() {
    let (_temporary, directory, mut recorder) = begun();
    let note = |text: &str, ms| Entry::Note { text: text.to_owned(), at: at(ms) };
    recorder.append(&[note("at the beginning", 0)]).unwrap();
    recorder.append(&[note("at the same time", 0)]).unwrap();
    recorder.append(&[output(0, b"out", 5), note("and later", 5)]).unwrap();
    recorder.finish(&ended(9)).unwrap();
    assert_eq!(shown(&directory), "at the beginning\r\nat the same time\r\noutand later\r\n");
}

#[test]
fn a_session_is_recorded_once() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[output(0, b"x", 1)]).unwrap();
    assert_eq!(directory.create(&info("one")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(shown(&directory), "x");
    recorder.finish(&ended(2)).unwrap();
    assert!(directory.reopen(&one()).is_err(), "it has ended");
    assert_eq!(directory.reopen(&"two".parse().unwrap()).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn duplicates_are_skipped_and_gaps_end_the_recording() {
    let (_temp, directory, mut recorder) = begun();
    recorder
        .append(&[output(0, b"a", 1), output(0, b"a", 2), output(1, b"b", 3), output(0, b"a", 4)])
        .unwrap();
    recorder.append(&[output(1, b"b", 5)]).unwrap();
    assert_eq!(shown(&directory), "ab");
    let error = recorder.append(&[output(2, b"c", 6), output(4, b"e", 7)]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(recorder.append(&[output(2, b"c", 8)]).is_err(), "it has ended");
    assert_eq!(shown(&directory), "ab");
    assert_eq!(summary(&directory).status, RecordingStatus::Interrupted);
}

#[test]
fn no_size_is_recorded_that_a_player_cannot_show() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[resize(65535, 65535, 1), output(0, b"a", 2)]).unwrap();
    recorder.append(&[resize(1001, 1, 3), output(1, b"b", 4)]).unwrap();
    // As it is recorded, it is the same.
    recorder.append(&[resize(2000, 1, 5), output(2, b"c", 6)]).unwrap();
    recorder.finish(&ended(2000)).unwrap();
    let mut events = directory.recording(&one()).unwrap().unwrap().events().unwrap();
    assert_eq!(events.terminal(), Terminal { cols: 1000, rows: 1000 });
    let kinds: Vec<_> = events.by_ref().map(|event| event.unwrap().kind).collect();
    let resizes: Vec<_> = kinds.iter().filter(|kind| matches!(kind, EventKind::Resize(_))).collect();
    assert_eq!(resizes, [&EventKind::Resize(Terminal { cols: 1000, rows: 1 })]);
}

#[test]
fn sizes_that_say_nothing_new_are_left_out() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[resize(100, 30, 1), resize(0, 0, 2), output(0, b"a", 3)]).unwrap();
    recorder.append(&[resize(100, 30, 4), resize(0, 5, 5), output(1, b"b", 6)]).unwrap();
    assert_eq!(events(&directory).len(), 2);
    let recording = directory.recording(&one()).unwrap().unwrap();
    assert_eq!(recording.events().unwrap().terminal(), Terminal { cols: 100, rows: 30 });
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_recordings() {
    use std::os::unix::fs::PermissionsExt;

    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[output(0, b"a", 1)]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.path()), 0o700);
    for name in ["one.cast", "one.json", "one.position"] {
        assert_eq!(mode(&file(&directory, name)), 0o600, "{name}");
    }
}

/// The files of a recording at some moment.
#[derive(Clone)]
struct Snapshot {
    cast: Vec<u8>,
    position: Vec<u8>,
    next_sequence: i64,
}

impl Snapshot {
    fn take(directory: &RecordingDirectory, recorder: &Recorder) -> Self {
        Self {
            cast: fs::read(file(directory, "one.cast")).unwrap(),
            position: fs::read(file(directory, "one.position")).unwrap(),
            next_sequence: recorder.next_sequence(),
        }
    }

    fn put(&self, directory: &RecordingDirectory) {
        fs::write(file(directory, "one.cast"), &self.cast).unwrap();
        fs::write(file(directory, "one.position"), &self.position).unwrap();
    }
}

/// Batches that cut characters, change the size, and hold messages without output.
fn batches() -> Vec<Vec<Entry>> {
    vec![
        vec![resize(90, 30, 1), output(0, b"", 2)],
        vec![output(1, b"$ \xe2", 20)],
        vec![output(2, b"\x82", 30)],
        vec![output(3, b"\xac\r\n", 1040), output(4, b"a\xf0\x9f", 1041), resize(91, 31, 1042)],
        vec![output(5, b"\x98\x80 \xe2\x82", 1050)],
    ]
}

/// Goes on after a crash as a server does: the node sends again what was not acknowledged, and perhaps more.
fn go_on_to_the_end(directory: &RecordingDirectory) {
    let mut recorder = directory.reopen(&one()).unwrap();
    for batch in batches() {
        recorder.append(&batch).unwrap();
    }
    assert_eq!(recorder.next_sequence(), 6);
    assert_eq!(shown(directory), "$ €\r\na😀 ");
}

#[test]
fn a_crash_at_any_byte_loses_and_repeats_nothing() {
    let (_temp, directory, mut recorder) = begun();
    let mut snapshots = vec![Snapshot::take(&directory, &recorder)];
    for batch in batches() {
        recorder.append(&batch).unwrap();
        snapshots.push(Snapshot::take(&directory, &recorder));
    }
    drop(recorder);
    let side = fs::read(file(&directory, "one.json")).unwrap();

    let crash = |snapshot: Snapshot, next_sequence: i64| {
        fs::write(file(&directory, "one.json"), &side).unwrap();
        snapshot.put(&directory);
        assert_eq!(directory.unfinished().unwrap(), [one()]);
        let reopened = directory.reopen(&one()).unwrap();
        assert_eq!(reopened.next_sequence(), next_sequence);
        drop(reopened);
        let cast = fs::read(file(&directory, "one.cast")).unwrap();
        assert!(cast.is_empty() || cast.ends_with(b"\n"));
        events(&directory);
        go_on_to_the_end(&directory);
    };
    for pair in snapshots.windows(2) {
        let [before, after] = pair else { unreachable!() };
        // While the cast was written.
        for length in before.cast.len()..=after.cast.len() {
            let cast = after.cast[..length].to_vec();
            crash(Snapshot { cast, ..before.clone() }, before.next_sequence);
        }
        // While the position was written.
        for length in 0..=64 {
            let mut position = before.position.clone();
            let offset =
                [0, 4096].into_iter().find(|at| before.position[*at..][..64] != after.position[*at..][..64]);
            let offset = offset.expect("each batch has a new record");
            position[offset..][..length].copy_from_slice(&after.position[offset..][..length]);
            let is_written = position == after.position;
            let next = if is_written { after.next_sequence } else { before.next_sequence };
            crash(Snapshot { position, ..after.clone() }, next);
        }
    }
}

#[test]
fn a_recording_whose_files_do_not_fit_is_not_taken_up_but_can_be_read() {
    let (_temp, directory, mut recorder) = begun();
    for batch in batches() {
        recorder.append(&batch).unwrap();
    }
    let whole = Snapshot::take(&directory, &recorder);
    let side = fs::read(file(&directory, "one.json")).unwrap();
    let cast = whole.cast[..whole.cast.len() - 5].to_vec();
    let damages =
        [Snapshot { cast, ..whole.clone() }, Snapshot { position: vec![0; whole.position.len()], ..whole }];
    for damaged in damages {
        fs::write(file(&directory, "one.json"), &side).unwrap();
        damaged.put(&directory);
        assert_eq!(directory.reopen(&one()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        directory.interrupt(&one(), &RecordingEnd { exit_code: None, ..ended(5000) }).unwrap();
        assert!(shown(&directory).starts_with("$ €\r\na"));
        assert_eq!(summary(&directory).status, RecordingStatus::Interrupted);
        assert!(directory.unfinished().unwrap().is_empty());
    }
}

#[test]
fn an_interrupted_recording_says_so() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[output(0, b"abc", 1)]).unwrap();
    drop(recorder);
    assert_eq!(directory.unfinished().unwrap(), [one()]);
    assert_eq!(summary(&directory).status, RecordingStatus::Running);
    directory.interrupt(&one(), &RecordingEnd { exit_code: None, ..ended(60) }).unwrap();
    let summary = summary(&directory);
    assert_eq!((summary.status, summary.ended_at), (RecordingStatus::Interrupted, Some(at(60))));
    assert_eq!(shown(&directory), "abc");
    assert!(directory.unfinished().unwrap().is_empty());
}

#[test]
fn remains_are_cleared_away() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[output(0, b"abc", 1)]).unwrap();
    let position = fs::read(file(&directory, "one.position")).unwrap();
    recorder.finish(&ended(2)).unwrap();
    // Crashed after the end was written, and in the middle of beginning another one.
    fs::write(file(&directory, "one.position"), position).unwrap();
    fs::write(file(&directory, "two.position"), "").unwrap();
    fs::write(file(&directory, "two.cast"), "").unwrap();
    fs::write(file(&directory, "two.json.new"), "{").unwrap();
    assert!(directory.unfinished().unwrap().is_empty());
    let mut names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["one.cast", "one.json"]);
}

#[test]
fn a_discarded_recording_leaves_nothing() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[output(0, b"abc", 1)]).unwrap();
    recorder.discard().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    assert!(directory.recording(&one()).unwrap().is_none());
}

/// Stands where the real files were.
#[derive(Debug)]
pub(crate) struct NoDisk;

impl Disk for NoDisk {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn truncate(&mut self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_cast(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn write_position(&mut self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_position(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A disk with room for so many bytes, and so many writes of the position.
#[derive(Debug)]
struct FullDisk {
    disk: Box<dyn Disk>,
    bytes_left: usize,
    positions_left: usize,
}

impl Disk for FullDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fits = bytes.len().min(self.bytes_left);
        self.bytes_left -= fits;
        self.disk.append(&bytes[..fits])?;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.disk.truncate(length)
    }

    fn sync_cast(&mut self) -> io::Result<()> {
        self.disk.sync_cast()
    }

    fn write_position(&mut self, offset: u64, record: &[u8]) -> io::Result<()> {
        self.positions_left = self.positions_left.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        self.disk.write_position(offset, record)
    }

    fn sync_position(&mut self) -> io::Result<()> {
        self.disk.sync_position()
    }
}

#[test]
fn a_full_disk_ends_the_recording_with_what_it_holds() {
    let whole = {
        let (_temp, directory, mut recorder) = begun();
        batches().iter().for_each(|batch| recorder.append(batch).unwrap());
        fs::read(file(&directory, "one.cast")).unwrap().len()
    };
    let limits =
        (0..whole).map(|bytes| (bytes, usize::MAX)).chain((0..5).map(|positions| (usize::MAX, positions)));
    for (bytes_left, positions_left) in limits {
        let (_temp, directory, mut recorder) = begun();
        recorder.wrap_disk(|disk| Box::new(FullDisk { disk, bytes_left, positions_left }));
        let mut recorded = String::new();
        let error = loop {
            let done = batches().iter().try_for_each(|batch| {
                recorder.append(batch)?;
                recorded = shown(&directory);
                io::Result::Ok(())
            });
            if let Err(error) = done {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(recorder.append(&[]).is_err(), "nothing more is taken");
        assert_eq!(shown(&directory), recorded, "what was recorded before is there, and nothing else");
        let summary = summary(&directory);
        assert_eq!(summary.status, RecordingStatus::Interrupted);
        assert!(summary.end_reason.unwrap().starts_with("failed:recording: "));
        assert!(recorder.finish(&ended(1)).is_err());
        assert!(directory.unfinished().unwrap().is_empty());
    }
}

#[test]
fn a_recording_that_reaches_its_limit_ends_with_what_it_holds() {
    let temp = TempDir::new().unwrap();
    let directory = RecordingDirectory::open(temp.path().join("recordings")).unwrap().with_bytes_max(1000);
    let mut recorder = directory.create(&info("one")).unwrap();
    recorder.append(&[output(0, b"kept", 1)]).unwrap();
    drop(recorder);
    // The limit is that of the recording, however often the server was started.
    let mut recorder = directory.reopen(&one()).unwrap();
    let error = recorder.append(&[output(1, &[b'x'; 1000], 2)]).unwrap_err();
    assert_eq!(error.to_string(), "it has reached its limit of 1000 bytes");
    assert!(recorder.append(&[output(1, b"x", 3)]).is_err());
    assert_eq!(shown(&directory), "kept");
    let summary = summary(&directory);
    assert_eq!(summary.status, RecordingStatus::Interrupted);
    assert!(summary.end_reason.unwrap().contains("limit of 1000 bytes"));
}

#[test]
fn strict_recordings_are_the_same() {
    let temp = TempDir::new().unwrap();
    let directory = RecordingDirectory::open(temp.path()).unwrap().with_durability(Durability::PowerFailure);
    let mut recorder = directory.create(&info("one")).unwrap();
    batches().iter().for_each(|batch| recorder.append(batch).unwrap());
    drop(recorder);
    go_on_to_the_end(&directory);
    directory.reopen(&one()).unwrap().finish(&ended(2000)).unwrap();
    assert_eq!(shown(&directory), "$ €\r\na😀 \u{fffd}");
}

#[test]
fn a_last_line_that_is_not_complete_is_left_out() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[output(0, b"abc", 1)]).unwrap();
    recorder.append(&[output(1, b"def", 2)]).unwrap();
    let cast = fs::read(file(&directory, "one.cast")).unwrap();
    for length in 0..cast.len() {
        fs::write(file(&directory, "one.cast"), &cast[..length]).unwrap();
        assert!("abc".starts_with(&shown(&directory)), "{length}");
    }
    fs::write(
        file(&directory, "one.cast"),
        [&cast, b"# a comment\n\n[1, \"?\", \"x\"]\nnot JSON\n".as_slice()].concat(),
    )
    .unwrap();
    let recording = directory.recording(&one()).unwrap().unwrap();
    let mut events = recording.events().unwrap().skip(2);
    assert!(matches!(events.next(), Some(Ok(Event { kind: EventKind::Other { .. }, .. }))));
    let error = events.next().unwrap().unwrap_err().to_string();
    assert!(error.contains("one.cast, line 7: "), "{error}");
    assert!(events.next().is_none());
}

#[test]
fn recordings_are_listed_by_their_beginning() {
    let (_temp, directory, recorder) = begun();
    recorder.finish(&ended(1)).unwrap();
    directory.create(&RecordingInfo { started_at: at(-5), ..info("two") }).unwrap();
    directory.create(&RecordingInfo { started_at: at(0), ..info("a.json") }).unwrap();
    fs::write(file(&directory, "bad.json"), "{}").unwrap();
    fs::write(file(&directory, ".hidden"), "").unwrap();
    let listing = directory.list().unwrap();
    let names: Vec<_> =
        listing.recordings.iter().map(|recording| recording.info.session_id.as_str()).collect();
    assert_eq!(names, ["two", "a.json", "one"]);
    let [error] = &listing.unreadable[..] else { panic!("{:?}", listing.unreadable) };
    assert!(error.to_string().contains("bad.json: "), "{error}");
    assert!(RecordingDirectory::read(directory.path().join("missing")).list().is_err());
}

#[test]
fn recordings_are_exported() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[output(0, b"\x1b[31mred\x1b[", 1500), resize(100, 30, 1600)]).unwrap();
    recorder.append(&[output(1, b"0m\r\n", 2000)]).unwrap();
    recorder.finish(&ended(3000)).unwrap();
    assert_eq!(exported(&directory, Form::Text(Escapes::Strip)), b"red\n");
    assert_eq!(shown(&directory), "\u{1b}[31mred\u{1b}[0m\r\n");

    let v2 = exported(&directory, Form::AsciicastV2);
    let expected = concat!(
        r#"{"version":2,"width":80,"height":24,"timestamp":1800000000,"title":"one on web-1 (mi-0123456789abcdef0)"}"#,
        "\n",
        r#"[1.500000, "o", "\u001b[31mred\u001b["]"#,
        "\n",
        "[1.600000, \"r\", \"100x30\"]\n",
        r#"[2.000000, "o", "0m\r\n"]"#,
        "\n",
    );
    assert_eq!(String::from_utf8(v2).unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    // Each message with its time; `true` in `crashes`: the server crashes after that message, and gets the last few again.
    fn whatever_is_sent_is_recorded_once(
        messages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..12), 0..3i64), 1..30),
        crashes in prop::collection::vec(any::<bool>(), 30),
    ) {
        let (_temp, directory, mut recorder) = begun();
        let mut ms = 0;
        let mut sent: Vec<Entry> = Vec::new();
        for (index, (bytes, pause)) in messages.iter().enumerate() {
            ms += pause;
            sent.push(output(i64::try_from(index).unwrap(), bytes, ms));
            recorder.append(&sent[sent.len().saturating_sub(3)..]).unwrap();
            if crashes[index] {
                drop(recorder);
                recorder = directory.reopen(&one()).unwrap();
            }
            prop_assert_eq!(recorder.next_sequence(), i64::try_from(sent.len()).unwrap());
        }
        recorder.finish(&ended(ms)).unwrap();
        let bytes: Vec<u8> = messages.into_iter().flat_map(|(bytes, _)| bytes).collect();
        prop_assert_eq!(shown(&directory), String::from_utf8_lossy(&bytes));
        prop_assert_eq!(events(&directory).last().unwrap().at, Duration::from_millis(u64::try_from(ms).unwrap()));
    }
}
