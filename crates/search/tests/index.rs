//! Recordings are taken in, found, and taken out again.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use postern_ids::SessionId;
use postern_recording::{Entry, Recorder, RecordingDirectory, RecordingEnd, RecordingInfo};
use postern_search::{Hit, HitKind, Reading, SearchIndex, SearchPage, SearchQuery, Step, Words};
use tempfile::TempDir;

struct Fixture {
    directory: TempDir,
    recordings: RecordingDirectory,
    index: SearchIndex,
}

fn id(text: &str) -> SessionId {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

impl Fixture {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let recordings = RecordingDirectory::open(directory.path().join("recordings")).unwrap();
        let index = SearchIndex::open(&directory.path().join("search.db")).await.unwrap();
        Self { directory, recordings, index }
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("search.db")
    }

    fn record(&self, session: &str) -> Recording {
        let info = RecordingInfo {
            session_id: id(session),
            owner: "arn:aws:iam::000000000000:user/alice".parse().unwrap(),
            node: "mi-0123456789abcdef0".parse().unwrap(),
            node_name: Some("web\u{1b}[31m-1".to_owned()),
            document: "SSM-SessionManagerRunShell".to_owned(),
            session_type: "Standard_Stream".to_owned(),
            reason: Some("incident 4711".to_owned()),
            started_at: at(0),
        };
        Recording { recorder: self.recordings.create(&info).unwrap(), info, second: 0 }
    }

    /// A recording of these outputs, a second apart.
    fn recorded(&self, session: &str, outputs: &[&str]) -> RecordingInfo {
        let mut recording = self.record(session);
        outputs.iter().for_each(|output| recording.say(output));
        recording.end()
    }

    /// Takes a recording in as far as it goes.
    async fn read(&self, mut reading: Reading) -> (Reading, Step) {
        loop {
            let recording = self.recordings.recording(reading.session()).unwrap().unwrap();
            let (next, step) = self.index.advance(reading, recording).await.unwrap();
            if step != Step::More {
                return (next, step);
            }
            reading = next;
        }
    }

    async fn take_in(&self, info: &RecordingInfo) {
        let (_, step) = self.read(self.index.begin(info).await.unwrap()).await;
        assert_eq!(step, Step::Complete);
    }

    async fn page(
        &self,
        words: &str,
        sessions: &[&str],
        after: Option<postern_search::Cursor>,
        limit: usize,
    ) -> SearchPage {
        let sessions = sessions.iter().map(|session| id(session)).collect();
        self.index
            .search(&SearchQuery { words: Words::parse(words).unwrap(), sessions, after, limit })
            .await
            .unwrap()
    }

    async fn hits(&self, words: &str, sessions: &[&str]) -> Vec<Hit> {
        let page = self.page(words, sessions, None, 100).await;
        assert!(page.next.is_none());
        page.hits
    }

    async fn texts(&self, words: &str, sessions: &[&str]) -> Vec<String> {
        self.hits(words, sessions).await.into_iter().map(|hit| hit.text).collect()
    }
}

struct Recording {
    recorder: Recorder,
    info: RecordingInfo,
    second: i64,
}

impl Recording {
    fn say(&mut self, text: &str) {
        let sequence_number = self.recorder.next_sequence();
        self.second += 1;
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        self.recorder.append(&[Entry::Output { sequence_number, bytes, at: at(self.second) }]).unwrap();
    }

    fn end(self) -> RecordingInfo {
        let end = RecordingEnd { at: at(self.second + 1), reason: "user".to_owned(), exit_code: Some(0) };
        self.recorder.finish(&end).unwrap();
        self.info
    }
}

/// Whether any file of the index holds these bytes.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    ["", "-wal"].iter().any(|suffix| {
        let file = std::fs::read(format!("{}{suffix}", path.display())).unwrap_or_default();
        file.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test]
async fn lines_are_found_with_their_time_and_command() {
    let fixture = Fixture::new().await;
    let prompt = "\x1b]7;file://h/srv\x07\x1b]133;A\x07$ \x1b]133;B\x07";
    let outputs = [
        prompt,
        "cat /etc/motd\r\n\x1b]133;C\x07",
        "Hello \x1b[1mworld\x1b[0m\r\n",
        "\x1b]133;D;0\x07",
        prompt,
    ];
    fixture.take_in(&fixture.recorded("one", &outputs)).await;
    let hits = fixture.hits("hello world", &["one"]).await;
    let [Hit { session, at, kind, text, marks, command }] = &hits[..] else { panic!("{hits:?}") };
    assert_eq!(
        (session, *at, *kind, text.as_str()),
        (&id("one"), Duration::from_secs(3), HitKind::Output, "Hello world")
    );
    let marks: Vec<_> = marks.iter().map(|mark| (mark.start, mark.end)).collect();
    assert_eq!(marks, [(0, 5), (6, 11)]);
    let command = command.as_ref().unwrap();
    assert_eq!(
        (&*command.text, command.directory.as_deref(), command.exit_code),
        ("cat /etc/motd", Some("/srv"), Some(0))
    );
    // What was typed stands in its line, and is there once.
    assert_eq!(fixture.texts("/etc/motd", &["one"]).await, ["$ cat /etc/motd"]);
    let facts = fixture.hits("alice \"incident 4711\"", &["one"]).await;
    assert_eq!((facts[0].kind, facts[0].text.contains('\u{1b}')), (HitKind::Session, false));
    assert_eq!(fixture.texts("nothing", &["one"]).await, Vec::<String>::new());

    let page = fixture.index.timeline(&id("one"), 0, 10).await.unwrap().unwrap();
    assert_eq!((page.commands.len(), page.has_more, page.timeline.is_complete), (1, false, true));
    assert_eq!(page.commands[0].ended_at, Some(Duration::from_secs(4)));
    assert!(fixture.index.timeline(&id("two"), 0, 10).await.unwrap().is_none());
}

#[tokio::test]
async fn a_command_of_several_lines_is_found_as_a_whole() {
    let fixture = Fixture::new().await;
    let outputs = [
        "\x1b]133;A\x07$ \x1b]133;B\x07for x in 1\r\n> do id\r\n> done\r\n\x1b]133;C;cmdline_url=for%20x%20in%201%0Ado%20id%0Adone\x07",
    ];
    fixture.take_in(&fixture.recorded("one", &outputs)).await;
    let hits = fixture.hits("\"in 1 do id done\"", &["one"]).await;
    assert_eq!(hits.iter().map(|hit| hit.kind).collect::<Vec<_>>(), [HitKind::Command]);
}

#[tokio::test]
async fn only_the_sessions_that_are_named_are_looked_in() {
    let fixture = Fixture::new().await;
    for session in ["one", "two", "three"] {
        let output = format!("secret {session}\r\n");
        fixture.take_in(&fixture.recorded(session, &[&output])).await;
    }
    assert_eq!(fixture.texts("secret", &["three", "one"]).await, ["secret three", "secret one"]);
    assert_eq!(fixture.texts("secret", &[]).await, Vec::<String>::new());
    assert!(!fixture.page("secret", &["one"], None, 9).await.is_incomplete);
    assert!(fixture.page("secret", &["one", "none"], None, 9).await.is_incomplete);
}

#[tokio::test]
async fn pages_go_on_where_the_one_before_ended() {
    let fixture = Fixture::new().await;
    let many: String = (0..1200).map(|number| format!("hit {number}\r\nmiss\r\n")).collect();
    fixture.take_in(&fixture.recorded("one", &[&many])).await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.page("hit", &["one"], after, 7).await;
        found.extend(page.hits.into_iter().map(|hit| hit.text));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..1200).rev().map(|number| format!("hit {number}")).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_session_that_runs_is_found_as_far_as_it_has_come() {
    let fixture = Fixture::new().await;
    let mut recording = fixture.record("one");
    recording.say("alpha\r\nbe");
    let reading = fixture.index.begin(&recording.info).await.unwrap();
    let (reading, step) = fixture.read(reading).await;
    assert_eq!(step, Step::UpToDate);
    let page = fixture.page("alpha", &["one"], None, 9).await;
    assert_eq!((page.hits.len(), page.is_incomplete), (1, true));
    recording.say("ta\r\n");
    recording.end();
    let (_, step) = fixture.read(reading).await;
    assert_eq!(step, Step::Complete);
    assert_eq!(fixture.texts("beta", &["one"]).await, ["beta"]);
    assert_eq!(fixture.index.sessions().await.unwrap(), [(id("one"), true)]);
}

#[tokio::test]
async fn what_a_crash_cut_off_begins_again() {
    let fixture = Fixture::new().await;
    let mut recording = fixture.record("one");
    recording.say("alpha\r\n");
    drop(fixture.read(fixture.index.begin(&recording.info).await.unwrap()).await);
    let path = fixture.path();
    fixture.index.close().await;
    let index = SearchIndex::open(&path).await.unwrap();
    assert_eq!(index.sessions().await.unwrap(), [(id("one"), false)]);
    let fixture = Fixture { index, ..fixture };
    fixture.take_in(&recording.end()).await;
    assert_eq!(fixture.texts("alpha", &["one"]).await, ["alpha"]);
    while fixture.index.purge().await.unwrap() {}
    assert_eq!(fixture.texts("alpha", &["one"]).await, ["alpha"]);
}

#[tokio::test]
async fn what_is_forgotten_is_not_found_and_soon_not_there() {
    let fixture = Fixture::new().await;
    let lines: String = (0..5000).map(|number| format!("filler{number} text\r\n")).collect();
    fixture.take_in(&fixture.recorded("one", &[&lines, "zebrasecret passphrase\r\n", &lines])).await;
    fixture.take_in(&fixture.recorded("two", &[&lines, "kept\r\n"])).await;
    fixture.index.compact().await.unwrap();
    assert!(holds(&fixture.path(), b"zebrasecret"));
    fixture.index.forget(&id("one")).await.unwrap();
    assert_eq!(fixture.texts("zebrasecret", &["one", "two"]).await, Vec::<String>::new());
    while fixture.index.purge().await.unwrap() {}
    fixture.index.compact().await.unwrap();
    assert!(!holds(&fixture.path(), b"zebrasecret") && !holds(&fixture.path(), b"ebrasecre"));
    assert_eq!(fixture.texts("kept", &["two"]).await, ["kept"]);
    assert_eq!(fixture.texts("filler4999", &["two"]).await, ["filler4999 text"]);
    assert_eq!(fixture.index.sessions().await.unwrap(), [(id("two"), true)]);
}

#[tokio::test]
async fn what_is_forgotten_while_it_is_read_stays_forgotten() {
    let fixture = Fixture::new().await;
    let mut recording = fixture.record("one");
    recording.say("alpha\r\n");
    let (reading, _) = fixture.read(fixture.index.begin(&recording.info).await.unwrap()).await;
    fixture.index.forget(&id("one")).await.unwrap();
    recording.say("beta\r\n");
    recording.end();
    let (_, step) = fixture.read(reading).await;
    assert_eq!(step, Step::Forgotten);
    assert_eq!(fixture.index.sessions().await.unwrap(), []);
}

#[tokio::test]
async fn the_oldest_text_goes_when_there_is_no_room() {
    let fixture = Fixture::new().await;
    let lines: String = (0..3000).map(|number| format!("line{number} of text\r\n")).collect();
    for session in ["one", "two"] {
        fixture.take_in(&fixture.recorded(session, &["$ ", "ls\r\n", &lines])).await;
    }
    assert!(!fixture.index.shrink(u64::MAX).await.unwrap());
    assert!(fixture.index.shrink(250_000).await.unwrap());
    while fixture.index.shrink(250_000).await.unwrap() {}
    assert_eq!(fixture.texts("line2999", &["one"]).await, Vec::<String>::new());
    assert!(fixture.page("line2999", &["one"], None, 9).await.is_incomplete);
    assert_eq!(fixture.texts("line2999", &["two"]).await, ["line2999 of text"]);
    assert_eq!(fixture.index.timeline(&id("one"), 0, 9).await.unwrap().unwrap().commands.len(), 1);
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_made_anew() {
    let fixture = Fixture::new().await;
    fixture.take_in(&fixture.recorded("one", &["alpha\r\n"])).await;
    let path = fixture.path();
    fixture.index.close().await;
    std::fs::write(
        &path,
        b"this is no database, and longer than a header of one hundred bytes would be: ....................",
    )
    .unwrap();
    let index = SearchIndex::open(&path).await.unwrap();
    assert_eq!(index.sessions().await.unwrap(), []);
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_damaged_recording_is_found_up_to_the_damage() {
    let fixture = Fixture::new().await;
    let info = fixture.recorded("one", &["alpha\r\n", "beta\r\n"]);
    let path = fixture.recordings.path().join("one.cast");
    let cast = std::fs::read_to_string(&path).unwrap().replace("\"beta", "beta");
    std::fs::write(&path, cast).unwrap();
    fixture.take_in(&info).await;
    assert_eq!(fixture.texts("alpha", &["one"]).await, ["alpha"]);
    assert!(fixture.page("alpha", &["one"], None, 9).await.is_incomplete);
}
