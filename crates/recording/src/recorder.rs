//! One recording, while it is written.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::asciicast;
use crate::disk::{self, Disk, Durability, Files, Paths};
use crate::events::Terminal;
use crate::position::Position;
use crate::summary::{RecordingEnd, RecordingInfo, RecordingStatus, RecordingSummary};

/// Room for lines that is kept between batches; a batch may take more for the moment.
const LINES_BYTES_KEPT: usize = 64 * 1024;

/// Something to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Output of the session. A message without terminal output has no bytes, but its number counts.
    Output {
        /// Its number in the session.
        sequence_number: i64,
        /// The bytes, cut anywhere.
        bytes: Bytes,
        /// When it came.
        at: Timestamp,
    },
    /// A line about a session whose own bytes are not recorded.
    Note {
        /// The text, without line end.
        text: String,
        /// When it was.
        at: Timestamp,
    },
    /// The terminal's new size.
    Resize {
        /// Characters in a row.
        cols: u16,
        /// Rows.
        rows: u16,
        /// When it came.
        at: Timestamp,
    },
}

/// How much of a recording there was at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Bytes of the cast.
    pub bytes: u64,
    /// Their SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// One recording, while it is written. Dropped without [`finish`](Self::finish), as in a crash, it can be
/// [reopened](crate::RecordingDirectory::reopen).
#[derive(Debug)]
pub struct Recorder {
    directory: PathBuf,
    paths: Paths,
    info: RecordingInfo,
    durability: Durability,
    /// What the file may hold, the last few bytes of its end apart.
    bytes_max: u64,
    disk: Box<dyn Disk>,
    position: Position,
    /// The hash of all that is on record; `None` until somebody asks a recording that was taken up again.
    hash: Option<Sha256>,
    /// Lines of the batch that is being written; kept for its memory.
    lines: Vec<u8>,
    /// Whether an error ended the recording.
    has_failed: bool,
}

impl Recorder {
    pub(crate) fn new(
        directory: PathBuf,
        paths: Paths,
        info: RecordingInfo,
        durability: Durability,
        bytes_max: u64,
        disk: Files,
        position: Position,
    ) -> Self {
        let (disk, lines) = (Box::new(disk), Vec::new());
        let hash = (position.cast_bytes == 0).then(Sha256::new);
        Self { directory, paths, info, durability, bytes_max, disk, position, hash, lines, has_failed: false }
    }

    /// The number of the first output that is not on record.
    #[must_use]
    pub fn next_sequence(&self) -> i64 {
        self.position.next_sequence
    }

    /// How many bytes of the cast are on record.
    #[must_use]
    pub fn recorded_bytes(&self) -> u64 {
        self.position.cast_bytes
    }

    /// How much is on record so far, and its hash: whoever keeps them can tell later whether that part is still the same.
    /// A recording that was taken up again is read for it once.
    ///
    /// # Errors
    /// The recording cannot be read.
    pub fn recorded(&mut self) -> io::Result<Recorded> {
        let bytes = self.position.cast_bytes;
        let hash = match &self.hash {
            Some(hash) => hash.clone(),
            None => self.hash.insert(hash_of(&self.paths.cast, bytes)?).clone(),
        };
        Ok(Recorded { bytes, sha256: digits(&hash.finalize()) })
    }

    /// Writes a batch; what it holds is on record when this returns. Output that already is on record is skipped.
    ///
    /// # Errors
    /// Any error, also a gap in the numbers or the limit of its size, ends the recording: it is closed as interrupted with what it held before
    /// the batch, and takes nothing any more. Nothing of the batch may be shown to anyone.
    pub fn append(&mut self, batch: &[Entry]) -> io::Result<()> {
        if self.has_failed {
            return Err(io::Error::other("the recording has failed before"));
        }
        self.write(batch).inspect_err(|error| self.abandon(error))
    }

    fn write(&mut self, batch: &[Entry]) -> io::Result<()> {
        self.lines.clear();
        let mut next = self.position.clone();
        let mut ends_with_output = false;
        for entry in batch {
            match *entry {
                Entry::Output { sequence_number, ref bytes, at } => {
                    if sequence_number < next.next_sequence {
                        continue;
                    }
                    if sequence_number > next.next_sequence {
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidInput,
                            format!("message {} is missing before {sequence_number}", next.next_sequence),
                        ));
                    }
                    next.next_sequence += 1;
                    if bytes.is_empty() {
                        continue;
                    }
                    if ends_with_output && next.timeline.is_same_moment(at) {
                        asciicast::reopen_output(&mut self.lines, &mut next.carry, bytes);
                        continue;
                    }
                    self.ensure_header(&next);
                    ends_with_output |=
                        next.timeline.push_output(&mut self.lines, &mut next.carry, bytes, at);
                }
                Entry::Note { ref text, at } => {
                    self.ensure_header(&next);
                    let line = format!("{text}\r\n");
                    next.timeline.push_output(&mut self.lines, &mut next.carry, line.as_bytes(), at);
                    ends_with_output = false;
                }
                Entry::Resize { cols, rows, at } => {
                    if cols == 0 || rows == 0 {
                        continue;
                    }
                    let terminal = asciicast::recordable(Terminal { cols, rows });
                    if terminal == next.terminal {
                        continue;
                    }
                    next.terminal = terminal;
                    if next.cast_bytes == 0 && self.lines.is_empty() {
                        // Not even the header is written: it will have the right size at once.
                        continue;
                    }
                    next.timeline.push_resize(&mut self.lines, terminal, at);
                    ends_with_output = false;
                }
            }
        }
        // A line of text at the time of the last event moves nothing but the file.
        if next == self.position && self.lines.is_empty() {
            return Ok(());
        }
        self.commit(next)
    }

    /// Puts the header before the first line.
    fn ensure_header(&mut self, position: &Position) {
        if position.cast_bytes == 0 && self.lines.is_empty() {
            let title = self.info.title();
            // One that an earlier release noted may be of any size.
            let terminal = asciicast::recordable(position.terminal);
            asciicast::push_header(&mut self.lines, terminal, self.info.started_at, &title);
        }
    }

    /// Writes the lines, and then how far the recording goes with them.
    fn commit(&mut self, mut next: Position) -> io::Result<()> {
        let lines_bytes = u64::try_from(self.lines.len()).expect("a length fits 64 bits");
        let cast_bytes = next.cast_bytes.saturating_add(lines_bytes);
        if cast_bytes > self.bytes_max {
            let text = format!("it has reached its limit of {} bytes", self.bytes_max);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        if !self.lines.is_empty() {
            self.disk.append(&self.lines)?;
            if self.durability == Durability::PowerFailure {
                self.disk.sync_cast()?;
            }
        }
        next.generation += 1;
        next.cast_bytes = cast_bytes;
        self.disk.write_position(next.offset(), &next.encode(&self.info.session_id))?;
        if self.durability == Durability::PowerFailure {
            self.disk.sync_position()?;
        }
        self.position = next;
        self.hash_lines();
        if self.lines.capacity() > LINES_BYTES_KEPT {
            self.lines = Vec::new();
        }
        Ok(())
    }

    /// Takes lines that are on record into the hash.
    fn hash_lines(&mut self) {
        if let Some(hash) = &mut self.hash {
            hash.update(&self.lines);
        }
    }

    /// Completes the recording.
    ///
    /// # Errors
    /// The recording stays unfinished, and is found by [`RecordingDirectory::unfinished`](crate::RecordingDirectory::unfinished).
    pub fn finish(self, end: &RecordingEnd) -> io::Result<()> {
        if self.has_failed {
            return Err(io::Error::other("the recording has failed before"));
        }
        self.complete(RecordingStatus::Finished, end)
    }

    /// Completes a recording whose session ended while nobody recorded it, as when the server was away.
    ///
    /// # Errors
    /// As for [`finish`](Self::finish).
    pub(crate) fn interrupt(self, end: &RecordingEnd) -> io::Result<()> {
        self.complete(RecordingStatus::Interrupted, end)
    }

    fn complete(mut self, status: RecordingStatus, end: &RecordingEnd) -> io::Result<()> {
        self.lines.clear();
        let mut last = self.position.clone();
        self.ensure_header(&last);
        last.timeline.push_rest(&mut self.lines, &mut last.carry, end.at);
        if let Some(exit_code) = end.exit_code {
            last.timeline.push_exit(&mut self.lines, exit_code, end.at);
        }
        self.disk.append(&self.lines)?;
        self.disk.sync_cast()?;
        self.position.cast_bytes += u64::try_from(self.lines.len()).expect("a length fits 64 bits");
        self.hash_lines();
        self.write_side(status, end)
    }

    /// Replaces the side file by one with the end, after which no position is needed.
    fn write_side(&mut self, status: RecordingStatus, end: &RecordingEnd) -> io::Result<()> {
        let Recorded { bytes, sha256 } = self.recorded()?;
        let summary = RecordingSummary {
            status,
            ended_at: Some(end.at),
            end_reason: Some(end.reason.clone()),
            exit_code: end.exit_code,
            bytes: Some(bytes),
            sha256: Some(sha256),
            ..RecordingSummary::running(self.info.clone())
        };
        // A complete recording is on the disk, whatever was asked for while it was written: it happens once.
        write_summary(&self.paths, &summary, Durability::PowerFailure)?;
        disk::remove_if_there(&self.paths.position)?;
        disk::sync_directory(&self.directory)
    }

    /// Does for a recording that cannot go on what the failing disk lets it: cuts what is half written, so that it can
    /// be played, and says so in the side file. What does not work now is done when the server starts again.
    fn abandon(&mut self, error: &io::Error) {
        self.has_failed = true;
        let at = Timestamp::from_millisecond(self.position.timeline.last_ms).unwrap_or(self.info.started_at);
        let end = RecordingEnd { at, reason: format!("failed:recording: {error}"), exit_code: None };
        let cut = self.disk.truncate(self.position.cast_bytes);
        // The caller has the first error; a second adds nothing that helps.
        let _ = cut.and_then(|()| self.write_side(RecordingStatus::Interrupted, &end));
    }

    /// Removes the recording of a session that did not come about.
    ///
    /// # Errors
    /// A file could not be removed.
    pub fn discard(self) -> io::Result<()> {
        self.paths.remove()
    }

    /// Lets a test stand between the recorder and its files.
    #[cfg(test)]
    pub(crate) fn wrap_disk(&mut self, wrap: impl FnOnce(Box<dyn Disk>) -> Box<dyn Disk>) {
        let unused = Box::new(crate::tests::NoDisk);
        self.disk = wrap(std::mem::replace(&mut self.disk, unused));
    }
}

/// Writes a side file in place of the one before.
pub(crate) fn write_summary(
    paths: &Paths,
    summary: &RecordingSummary,
    durability: Durability,
) -> io::Result<()> {
    let mut contents = serde_json::to_vec_pretty(summary).map_err(io::Error::other)?;
    contents.push(b'\n');
    disk::replace(&paths.side, &paths.side_new, &contents, durability)
}

/// How much is in a file.
pub(crate) fn recorded_in(path: &std::path::Path) -> io::Result<Recorded> {
    let bytes = std::fs::metadata(path).map_err(|error| disk::named(path, error))?.len();
    Ok(Recorded { bytes, sha256: digits(&hash_of(path, bytes)?.finalize()) })
}

/// The hash of the beginning of a file.
fn hash_of(path: &std::path::Path, bytes: u64) -> io::Result<Sha256> {
    let file = File::open(path).map_err(|error| disk::named(path, error))?;
    let mut beginning = io::Read::take(file, bytes);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let length = io::Read::read(&mut beginning, &mut buffer).map_err(|error| disk::named(path, error))?;
        if length == 0 {
            return Ok(hash);
        }
        hash.update(&buffer[..length]);
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
