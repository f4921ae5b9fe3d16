//! What a recording shows, read from a place in it.

use std::io;
use std::time::Duration;

use crate::events::{EventKind, EventParser};
use crate::reader::Recording;
use crate::summary::RecordingStatus;

/// A place between two lines of a recording's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Bytes of the file before it.
    pub bytes: u64,
    /// What time has passed up to it, since the beginning of the recording.
    pub elapsed: Duration,
}

/// Output of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where the event stands.
    pub from: Place,
    /// Where it ends, and when it was.
    pub to: Place,
    /// What was shown.
    pub text: String,
}

/// Output from a place on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outputs {
    /// What was shown, in order.
    pub outputs: Vec<Output>,
    /// Where to read on.
    pub next: Place,
    /// What of the recording there is.
    pub reached: Reached,
}

/// How far it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// There is more on record.
    More,
    /// All that is on record by now.
    AllYet,
    /// All of a recording that is complete.
    End,
}

impl Recording {
    /// What was shown from `from` on: events of about `bytes_max` bytes of the file, at least one if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or is not a cast.
    pub fn outputs(&self, from: Place, bytes_max: u64) -> io::Result<Outputs> {
        let mut bytes_wanted = bytes_max;
        let (lines, readable) = loop {
            let mut part = self.part(from.bytes, bytes_wanted)?;
            let complete = part.bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            let is_all = from.bytes + length(part.bytes.len()) >= part.readable;
            if complete > 0 || is_all {
                part.bytes.truncate(complete);
                break (part.bytes, part.readable);
            }
            bytes_wanted = bytes_wanted.saturating_mul(2);
        };
        let name = self.cast_path().display().to_string();
        let mut parser =
            if from.bytes == 0 { EventParser::new(name) } else { EventParser::resumed(name, from.elapsed) };
        let (mut outputs, mut next) = (Vec::new(), from);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let before = next;
            next.bytes += length(line.len());
            let Some(event) = parser.line(line)? else { continue };
            next.elapsed = event.at;
            if let EventKind::Output(text) = event.kind {
                outputs.push(Output { from: before, to: next, text });
            }
        }
        // Behind the last whole line of a complete recording nothing follows, whatever a crash has left there.
        let is_whole = next.bytes >= readable || lines.is_empty();
        let reached = match (is_whole, self.summary.status) {
            (false, _) => Reached::More,
            (true, RecordingStatus::Running) => Reached::AllYet,
            (true, RecordingStatus::Finished | RecordingStatus::Interrupted) => Reached::End,
        };
        Ok(Outputs { outputs, next, reached })
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("a length fits 64 bits")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{Entry, RecordingDirectory, RecordingEnd, RecordingInfo};

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    fn all(directory: &RecordingDirectory, bytes_max: u64) -> (String, Place, Reached) {
        let recording = directory.recording(&"one".parse().unwrap()).unwrap().unwrap();
        let (mut text, mut place) = (String::new(), Place::default());
        loop {
            let read = recording.outputs(place, bytes_max).unwrap();
            text.extend(read.outputs.iter().map(|output| &*output.text));
            assert!(read.outputs.iter().all(|output| output.from.bytes < output.to.bytes));
            place = read.next;
            if read.reached != Reached::More {
                return (text, place, read.reached);
            }
        }
    }

    #[test]
    fn a_recording_is_read_on_from_any_place() {
        let directory = tempfile::tempdir().unwrap();
        let directory = RecordingDirectory::open(directory.path()).unwrap();
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
        let mut recorder = directory.create(&info).unwrap();
        assert_eq!(all(&directory, 1), (String::new(), Place::default(), Reached::AllYet));
        let mut expected = String::new();
        for number in 0..20 {
            let text = format!("line {number} €\r\n");
            expected.push_str(&text);
            let output = Entry::Output { sequence_number: number, bytes: text.into(), at: at(250 * number) };
            let resize = Entry::Resize { cols: 90, rows: 30 + number as u16, at: at(250 * number + 10) };
            recorder.append(&[output, resize]).unwrap();
        }
        for bytes_max in [1, 50, 1 << 20] {
            let (text, place, reached) = all(&directory, bytes_max);
            assert_eq!((&text, reached), (&expected, Reached::AllYet), "{bytes_max} bytes at a time");
            assert_eq!(place.elapsed, Duration::from_millis(250 * 19 + 10), "{bytes_max} bytes at a time");
        }
        let end = RecordingEnd { at: at(9000), reason: "shell-exit".to_owned(), exit_code: Some(0) };
        recorder.finish(&end).unwrap();
        assert_eq!(all(&directory, 64).2, Reached::End);
    }
}
