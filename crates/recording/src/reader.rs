//! Reading recordings back.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::asciicast::Header;
use crate::disk::named;
use crate::summary::RecordingSummary;

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Characters in a row.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// A recording that can be read, whether it is complete or not.
#[derive(Debug)]
pub struct Recording {
    /// What is known about it.
    pub summary: RecordingSummary,
    cast: PathBuf,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, since the beginning of the recording.
    pub at: Duration,
    /// What.
    pub kind: EventKind,
}

/// What happened. More kinds may be in files that other programs wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The terminal showed this. It comes from the node: whoever shows it must expect any escape sequence.
    Output(String),
    /// The terminal got another size.
    Resize(Terminal),
    /// The program ended with this status.
    Exit(String),
    /// A point that somebody marked.
    Marker(String),
    /// Something else.
    Other {
        /// Its code.
        code: String,
        /// Its data.
        data: String,
    },
}

impl Recording {
    pub(crate) fn new(summary: RecordingSummary, cast: PathBuf) -> Self {
        Self { summary, cast }
    }

    /// The asciicast v3 file.
    #[must_use]
    pub fn cast_path(&self) -> &Path {
        &self.cast
    }

    /// What happened, in order.
    ///
    /// # Errors
    /// The file cannot be read, or is not a cast.
    pub fn events(&self) -> io::Result<Events> {
        Events::open(&self.cast)
    }
}

/// The events of a recording. A last line that is not complete is left out: it is still being written, or was when
/// the server crashed.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    lines: BufReader<File>,
    line: Vec<u8>,
    line_number: usize,
    /// The header; `None` while nothing has been recorded.
    header: Option<Header>,
    at_us: u64,
    has_failed: bool,
}

impl Events {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path).map_err(|error| named(path, error))?;
        let mut events = Self {
            path: path.to_owned(),
            lines: BufReader::with_capacity(64 * 1024, file),
            line: Vec::new(),
            line_number: 0,
            header: None,
            at_us: 0,
            has_failed: false,
        };
        if events.next_line()? {
            let header: Header = events.parse()?;
            if header.version != 3 {
                return Err(events.invalid(format!("asciicast version {} is not known", header.version)));
            }
            events.header = Some(header);
        }
        Ok(events)
    }

    /// The terminal's first size.
    #[must_use]
    pub fn terminal(&self) -> Terminal {
        match &self.header {
            Some(header) => Terminal { cols: header.term.cols, rows: header.term.rows },
            None => crate::asciicast::TERMINAL_DEFAULT,
        }
    }

    /// The recording's title.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.header.as_ref()?.title.as_deref()
    }

    /// Reads a line. `false`: there is no further complete one.
    fn next_line(&mut self) -> io::Result<bool> {
        loop {
            self.line.clear();
            self.lines.read_until(b'\n', &mut self.line).map_err(|error| named(&self.path, error))?;
            self.line_number += 1;
            match self.line.as_slice() {
                [b'#', .., b'\n'] | [b'\n'] => {}
                line => return Ok(line.ends_with(b"\n")),
            }
        }
    }

    fn parse<'l, T: Deserialize<'l>>(&'l self) -> io::Result<T> {
        serde_json::from_slice(&self.line).map_err(|error| self.invalid(error.to_string()))
    }

    fn invalid(&self, what: String) -> io::Error {
        let text = format!("{}, line {}: {what}", self.path.display(), self.line_number);
        io::Error::new(io::ErrorKind::InvalidData, text)
    }

    fn next_event(&mut self) -> io::Result<Option<Event>> {
        if self.header.is_none() || !self.next_line()? {
            return Ok(None);
        }
        let (interval, code, data): (f64, String, String) = self.parse()?;
        let interval =
            Duration::try_from_secs_f64(interval).map_err(|error| self.invalid(error.to_string()))?;
        // Whole microseconds, as the format has them: the sum of many fractions would be off.
        let interval_us =
            u64::try_from((interval + Duration::from_nanos(500)).as_micros()).unwrap_or(u64::MAX);
        self.at_us = self.at_us.saturating_add(interval_us);
        let kind = match code.as_str() {
            "o" => EventKind::Output(data),
            "r" => EventKind::Resize(
                parse_terminal(&data).ok_or_else(|| self.invalid(format!("{data:?} is not a size")))?,
            ),
            "x" => EventKind::Exit(data),
            "m" => EventKind::Marker(data),
            _ => EventKind::Other { code, data },
        };
        Ok(Some(Event { at: Duration::from_micros(self.at_us), kind }))
    }
}

impl Iterator for Events {
    type Item = io::Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let event = self.next_event().transpose()?;
        self.has_failed = event.is_err();
        Some(event)
    }
}

/// `80x24`.
fn parse_terminal(text: &str) -> Option<Terminal> {
    let (cols, rows) = text.split_once('x')?;
    Some(Terminal { cols: cols.parse().ok()?, rows: rows.parse().ok()? })
}
