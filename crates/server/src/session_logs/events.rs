//! From a recording to a batch of events, and the place in the recording where it ends.

use std::io;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postern_recording::{Output, Place, Reached, Recording};
use postern_session_log::{Following, RecordContext, lines, texts};
use serde::{Deserialize, Serialize};

use super::EventForm;

/// Bytes of a recording that are read at a time, at first.
const WINDOW_BYTES: u64 = 1 << 20;
/// Bytes of messages in a batch: less than a batch may have, with what it counts for each.
const BATCH_BYTES_MAX: usize = 900_000;
/// Events in a batch. Source: `PutLogEvents`, CloudWatch Logs API reference (10,000).
const BATCH_EVENTS_MAX: usize = 5_000;

/// A place in what a recording shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cursor {
    /// Bytes of the recording's file before it.
    bytes: u64,
    /// The time up to it, in microseconds since the recording began.
    elapsed_us: u64,
    /// Bytes of output behind that which are done.
    skip: u64,
}

/// What is to be written next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) messages: Vec<String>,
    /// Where it ends.
    pub(super) next: Cursor,
    pub(super) reached: Reached,
}

/// What to make of a recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) form: EventForm,
    pub(super) context: RecordContext<'a>,
    /// When the recording began.
    pub(super) began: Timestamp,
}

impl Cursor {
    fn at(place: Place, skip: u64) -> Self {
        Self {
            bytes: place.bytes,
            elapsed_us: u64::try_from(place.elapsed.as_micros()).unwrap_or(u64::MAX),
            skip,
        }
    }

    fn place(self) -> Place {
        Place { bytes: self.bytes, elapsed: Duration::from_micros(self.elapsed_us) }
    }
}

impl Making<'_> {
    /// The next batch behind `cursor`.
    pub(super) fn batch(&self, recording: &Recording, mut cursor: Cursor) -> io::Result<Batch> {
        let mut window_bytes = WINDOW_BYTES;
        loop {
            let read = recording.outputs(cursor.place(), window_bytes)?;
            let shown = Shown::of(read.outputs, cursor.skip, read.next);
            let batch = self.batch_of(&shown, read.reached);
            if !batch.messages.is_empty() || read.reached != Reached::More {
                return Ok(batch);
            }
            if shown.text.is_empty() {
                cursor = Cursor::at(read.next, 0);
            } else {
                // Too little for an event, as where much of it is escape sequences.
                window_bytes = window_bytes.saturating_mul(2);
            }
        }
    }

    fn batch_of(&self, shown: &Shown, reached: Reached) -> Batch {
        let following = if reached == Reached::End { Following::Nothing } else { Following::More };
        let mut taken = Taken::default();
        let is_all = match self.form {
            EventForm::Streaming => lines(&shown.text, following).into_iter().all(|record| {
                let time = self.time(shown.elapsed_at(record.end));
                taken.take(self.context.record(&time, &record.lines), record.end)
            }),
            EventForm::AtEnd => texts(&shown.text, following).into_iter().all(|end| {
                let text = shown.text[taken.end..end].to_owned();
                taken.take(text, end)
            }),
        };
        let reached = if is_all { reached } else { Reached::More };
        let end = if reached == Reached::End { shown.text.len() } else { taken.end };
        Batch { messages: taken.messages, next: shown.cursor_at(end), reached }
    }

    fn time(&self, elapsed: Duration) -> String {
        let elapsed = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
        let at = self.began.checked_add(elapsed).unwrap_or(Timestamp::MAX);
        // Whole seconds, as AWS's agent has them.
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// What a batch has taken.
#[derive(Default)]
struct Taken {
    messages: Vec<String>,
    bytes: usize,
    end: usize,
}

impl Taken {
    /// `false`: there is no room for it.
    fn take(&mut self, message: String, end: usize) -> bool {
        let bytes = self.bytes + message.len();
        if !self.messages.is_empty() && (bytes > BATCH_BYTES_MAX || self.messages.len() >= BATCH_EVENTS_MAX) {
            return false;
        }
        self.messages.push(message);
        (self.bytes, self.end) = (bytes, end);
        true
    }
}

/// Output as one text, and where each part of it comes from.
struct Shown {
    text: String,
    /// Bytes of output before the text.
    skip: usize,
    /// Where each event's output begins, counted with what is skipped.
    marks: Vec<(usize, Place, Place)>,
    next: Place,
}

impl Shown {
    fn of(outputs: Vec<Output>, skip: u64, next: Place) -> Self {
        let (mut text, mut marks) = (String::new(), Vec::with_capacity(outputs.len()));
        for output in outputs {
            marks.push((text.len(), output.from, output.to));
            text.push_str(&output.text);
        }
        let skip = text.floor_char_boundary(usize::try_from(skip).unwrap_or(usize::MAX).min(text.len()));
        text.drain(..skip);
        Self { text, skip, marks, next }
    }

    /// The mark of the output that holds the byte at `end`.
    fn mark(&self, end: usize) -> Option<&(usize, Place, Place)> {
        let behind = self.marks.partition_point(|(start, ..)| *start <= end);
        behind.checked_sub(1).and_then(|index| self.marks.get(index))
    }

    /// When what ends at `end` was shown.
    fn elapsed_at(&self, end: usize) -> Duration {
        self.mark((self.skip + end).saturating_sub(1)).map_or(self.next.elapsed, |(_, _, to)| to.elapsed)
    }

    fn cursor_at(&self, end: usize) -> Cursor {
        if end == self.text.len() {
            return Cursor::at(self.next, 0);
        }
        match self.mark(self.skip + end) {
            Some((start, from, _)) => Cursor::at(*from, u64::try_from(self.skip + end - start).unwrap_or(0)),
            None => Cursor::at(self.next, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_recording::{Entry, Recorder, RecordingDirectory, RecordingEnd, RecordingInfo};
    use serde_json::Value;

    use super::*;

    const CONTEXT: RecordContext<'_> = RecordContext {
        region: "us-east-1",
        target: "mi-0",
        user_arn: "arn",
        run_as_user: "",
        session: "one",
    };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    struct Recorded {
        directory: RecordingDirectory,
        recorder: Option<Recorder>,
        number: i64,
        _temporary: tempfile::TempDir,
    }

    impl Recorded {
        fn begin() -> Self {
            let temporary = tempfile::tempdir().unwrap();
            let directory = RecordingDirectory::open(temporary.path()).unwrap();
            let info = RecordingInfo {
                session_id: "one".parse().unwrap(),
                owner: "arn:aws:iam::000000000000:user/admin".parse().unwrap(),
                node: "mi-0123456789abcdef0".parse().unwrap(),
                node_name: None,
                document: "SSM-SessionManagerRunShell".to_owned(),
                session_type: "Standard_Stream".to_owned(),
                reason: None,
                started_at: at(0),
            };
            let recorder = Some(directory.create(&info).unwrap());
            Self { directory, recorder, number: 0, _temporary: temporary }
        }

        fn shows(&mut self, bytes: &'static [u8]) {
            let (sequence_number, at) = (self.number, at(1000 * self.number));
            let output = Entry::Output { sequence_number, bytes: bytes.into(), at };
            self.recorder.as_mut().unwrap().append(&[output]).unwrap();
            self.number += 1;
        }

        fn ends(&mut self) {
            let end = RecordingEnd {
                at: at(1000 * self.number),
                reason: "shell-exit".to_owned(),
                exit_code: Some(0),
            };
            self.recorder.take().unwrap().finish(&end).unwrap();
        }

        fn batch(&self, form: EventForm, cursor: Cursor) -> Batch {
            let recording = self.directory.recording(&"one".parse().unwrap()).unwrap().unwrap();
            // As it is stored between two batches.
            let stored = serde_json::to_value(cursor).unwrap();
            let cursor = serde_json::from_value(stored).unwrap();
            Making { form, context: CONTEXT, began: at(0) }.batch(&recording, cursor).unwrap()
        }
    }

    /// The lines of records, and the time of the last.
    fn lines_of(batch: &Batch) -> (Vec<String>, String) {
        let (mut lines, mut time) = (Vec::new(), String::new());
        for message in &batch.messages {
            let record: Value = serde_json::from_str(message).unwrap();
            let data = record["sessionData"].as_array().unwrap();
            lines.extend(data.iter().map(|line| line.as_str().unwrap().to_owned()));
            record["eventTime"].as_str().unwrap().clone_into(&mut time);
        }
        (lines, time)
    }

    #[test]
    fn lines_come_as_they_are_complete_and_the_rest_at_the_end() {
        let mut recorded = Recorded::begin();
        let nothing = recorded.batch(EventForm::Streaming, Cursor::default());
        assert_eq!((nothing.messages.len(), nothing.reached), (0, Reached::AllYet));
        recorded.shows(b"$ ls\r\nfi");
        let first = recorded.batch(EventForm::Streaming, nothing.next);
        assert_eq!(lines_of(&first), (vec!["$ ls".to_owned()], "2027-01-15T08:00:00Z".to_owned()));
        let again = recorded.batch(EventForm::Streaming, first.next);
        assert_eq!((again.messages.len(), again.next), (0, first.next));
        recorded.shows("le €".as_bytes());
        recorded.shows(b"\r\n$ ");
        let second = recorded.batch(EventForm::Streaming, first.next);
        assert_eq!(lines_of(&second), (vec!["file €".to_owned()], "2027-01-15T08:00:02Z".to_owned()));
        recorded.shows(b"torn \xe2\x82");
        recorded.ends();
        let last = recorded.batch(EventForm::Streaming, second.next);
        assert_eq!(lines_of(&last).0, ["$ torn \u{fffd}"]);
        assert_eq!(last.reached, Reached::End);
        let over = recorded.batch(EventForm::Streaming, last.next);
        assert_eq!((over.messages.len(), over.reached, over.next), (0, Reached::End, last.next));
    }

    #[test]
    fn a_session_that_showed_nothing_has_no_events() {
        let mut recorded = Recorded::begin();
        recorded.ends();
        for form in [EventForm::Streaming, EventForm::AtEnd] {
            let batch = recorded.batch(form, Cursor::default());
            assert_eq!((batch.messages.len(), batch.reached), (0, Reached::End));
        }
    }

    #[test]
    fn much_output_is_in_batches_that_join_to_the_same() {
        let mut recorded = Recorded::begin();
        let line: &'static [u8] = b"\x1b[1m0123456789\x1b[0m \"quoted\" \xe2\x82\xac\r\n";
        let piece: &'static [u8] = line.repeat(5_000).leak();
        for _ in 0..12 {
            recorded.shows(piece);
        }
        recorded.ends();
        for form in [EventForm::Streaming, EventForm::AtEnd] {
            let (mut cursor, mut messages, mut batches) = (Cursor::default(), Vec::new(), 0);
            loop {
                let batch = recorded.batch(form, cursor);
                let bytes: usize = batch.messages.iter().map(|message| message.len() + 26).sum();
                assert!(bytes <= postern_logs::BATCH_BYTES_MAX, "{bytes} bytes");
                assert!(batch.messages.iter().all(|message| message.len() <= 256 * 1024));
                assert!(batch.reached == Reached::End || batch.next != cursor, "it goes on");
                (cursor, batches) = (batch.next, batches + 1);
                messages.extend(batch.messages);
                if batch.reached == Reached::End {
                    break;
                }
            }
            assert!(batches > 2, "{batches} batches");
            match form {
                EventForm::AtEnd => assert_eq!(messages.concat().as_bytes(), piece.repeat(12)),
                EventForm::Streaming => {
                    let all = Batch { messages, next: cursor, reached: Reached::End };
                    let (lines, _) = lines_of(&all);
                    assert_eq!(lines.len(), 60_000);
                    assert!(lines.iter().all(|line| line == "0123456789 \"quoted\" €"));
                }
            }
        }
    }
}
