//! Writing one recording.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::cast::{self, Carry, Code};
use crate::directory::{Durability, Paths, remove};
use crate::position::Position;
use crate::side_file::{RecordingEnd, RecordingInfo, RecordingStatus, SideFile};

/// What goes on the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An output message. One without bytes only counts.
    Output {
        /// Its number in the agent's direction.
        sequence_number: i64,
        /// What the terminal showed.
        bytes: Bytes,
        /// When.
        at: Timestamp,
    },
    /// The terminal has a new size.
    Resize {
        /// Characters in a row.
        cols: u16,
        /// Rows.
        rows: u16,
        /// When.
        at: Timestamp,
    },
}

/// The size that a terminal has until its client says otherwise.
const DEFAULT_SIZE: (u16, u16) = (80, 24);

/// Writes one recording. After an error it only serves to be finished.
#[derive(Debug)]
pub struct Recorder {
    info: RecordingInfo,
    paths: Paths,
    cast: File,
    position_file: File,
    position: Position,
    durability: Durability,
    /// Reused for the lines of a batch.
    lines: Vec<u8>,
    text: String,
    has_failed: bool,
}

impl Recorder {
    pub(crate) fn begin(
        info: RecordingInfo,
        paths: Paths,
        cast: File,
        position_file: File,
        durability: Durability,
    ) -> io::Result<Self> {
        let position = Position {
            next_sequence: 0,
            cast_bytes: 0,
            last_us: info.started_at.as_microsecond(),
            carry: Carry::default(),
        };
        let recorder = Self::resume(info, paths, cast, position_file, position, durability);
        recorder.position_file.write_all_at(&position.encode(), 0)?;
        Ok(recorder)
    }

    pub(crate) fn resume(
        info: RecordingInfo,
        paths: Paths,
        cast: File,
        position_file: File,
        position: Position,
        durability: Durability,
    ) -> Self {
        let (lines, text) = (Vec::new(), String::new());
        Self { info, paths, cast, position_file, position, durability, lines, text, has_failed: false }
    }

    /// The number of the first output message that is not on the record.
    #[must_use]
    pub fn next_sequence(&self) -> i64 {
        self.position.next_sequence
    }

    /// Puts entries on the record. Output that is there already is skipped. When this returns, they survive the
    /// end of the process, or of the machine, as the directory was opened.
    ///
    /// # Errors
    /// None of the entries counts as recorded, and no further can be.
    pub fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        if self.has_failed {
            return Err(io::Error::other("an earlier write to the recording failed"));
        }
        let mut position = self.position;
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        for entry in entries {
            self.write_entry(&mut lines, &mut position, entry);
        }
        let written = self.write(&lines, position);
        self.has_failed = written.is_err();
        self.lines = lines;
        // A burst of output must not keep its memory for the rest of the session.
        self.lines.shrink_to(64 * 1024);
        written
    }

    fn write_entry(&mut self, lines: &mut Vec<u8>, position: &mut Position, entry: &Entry) {
        match entry {
            Entry::Output { sequence_number, .. } if *sequence_number < position.next_sequence => {}
            Entry::Output { sequence_number, bytes, at } => {
                position.next_sequence = sequence_number + 1;
                self.text.clear();
                position.carry.decode(bytes, &mut self.text);
                if !self.text.is_empty() {
                    self.write_header_once(lines, position, DEFAULT_SIZE);
                    cast::write_event(lines, interval_us(position, *at), Code::Output, &self.text);
                }
            }
            // The first size belongs into the header.
            Entry::Resize { cols, rows, .. } if position.cast_bytes == 0 && lines.is_empty() => {
                self.write_header_once(lines, position, (*cols, *rows));
            }
            Entry::Resize { cols, rows, at } => {
                cast::write_event(lines, interval_us(position, *at), Code::Resize, &format!("{cols}x{rows}"));
            }
        }
    }

    fn write_header_once(&self, lines: &mut Vec<u8>, position: &Position, size: (u16, u16)) {
        if position.cast_bytes == 0 && lines.is_empty() {
            let node = self.info.node_name.as_deref().unwrap_or(self.info.node.as_str());
            let owner = self.info.owner.resource().rsplit('/').next().unwrap_or_default();
            let title = format!("{owner} on {node}");
            cast::write_header(lines, size, self.info.started_at, &title);
        }
    }

    fn write(&mut self, lines: &[u8], mut position: Position) -> io::Result<()> {
        self.cast.write_all_at(lines, position.cast_bytes)?;
        position.cast_bytes += lines.len() as u64;
        if self.durability == Durability::Machine {
            self.cast.sync_data()?;
        }
        self.position_file.write_all_at(&position.encode(), 0)?;
        if self.durability == Durability::Machine {
            self.position_file.sync_data()?;
        }
        self.position = position;
        Ok(())
    }

    /// Completes the recording. One that could not be written to its end is kept up to there, as interrupted.
    ///
    /// # Errors
    /// The end could not be written down; the recording can be reopened.
    pub fn finish(mut self, end: &RecordingEnd) -> io::Result<()> {
        let mut status = RecordingStatus::Finished;
        if self.has_failed || self.write_end(end).is_err() {
            status = RecordingStatus::Interrupted;
        }
        self.cast.set_len(self.position.cast_bytes)?;
        self.cast.sync_all()?;
        let side_file = SideFile {
            status,
            ended_at: Some(end.at),
            end_reason: Some(end.reason.clone()),
            exit_code: end.exit_code,
            cast_bytes: Some(self.position.cast_bytes),
            cast_sha256: Some(sha256_of(&self.paths)?),
            ..SideFile::running(self.info)
        };
        side_file.write(&self.paths.side_file)?;
        fs::remove_file(&self.paths.position)
    }

    fn write_end(&mut self, end: &RecordingEnd) -> io::Result<()> {
        let mut position = self.position;
        let mut lines = Vec::new();
        self.write_header_once(&mut lines, &position, DEFAULT_SIZE);
        if position.carry.length > 0 {
            // The rest of the character will not come.
            position.carry = Carry::default();
            let text = char::REPLACEMENT_CHARACTER.to_string();
            cast::write_event(&mut lines, interval_us(&mut position, end.at), Code::Output, &text);
        }
        if let Some(exit_code) = end.exit_code {
            let interval = interval_us(&mut position, end.at);
            cast::write_event(&mut lines, interval, Code::Exit, &exit_code.to_string());
        }
        self.write(&lines, position)
    }

    /// Removes the recording of a session that did not come about.
    ///
    /// # Errors
    /// None today; what cannot be removed stays.
    pub fn discard(self) -> io::Result<()> {
        remove(&self.paths);
        Ok(())
    }
}

/// Microseconds since the event before, which this event becomes. A clock that was set back gives none.
fn interval_us(position: &mut Position, at: Timestamp) -> u64 {
    let at_us = at.as_microsecond().max(position.last_us);
    let interval = at_us.abs_diff(position.last_us);
    position.last_us = at_us;
    interval
}

fn sha256_of(paths: &Paths) -> io::Result<String> {
    let mut file = File::open(&paths.cast)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
