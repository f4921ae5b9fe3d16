//! What happened in a session, parsed from its asciicast, wherever that comes from.

use std::io;
use std::time::Duration;

use serde::Deserialize;

use crate::asciicast::{Header, HeaderTerminal, TERMINAL_DEFAULT};

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Characters in a row.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
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

/// Parses an asciicast v3 that comes in pieces.
#[derive(Debug)]
pub struct EventParser {
    /// What errors call it.
    name: String,
    line_number: usize,
    /// The header; `None` while nothing has been recorded.
    header: Option<Header>,
    at_us: u64,
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl EventParser {
    /// A parser for a cast that errors call `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), line_number: 0, header: None, at_us: 0, rest: Vec::new() }
    }

    /// A parser for what follows a line of a cast that was at this time, whose header is not looked at any more.
    pub(crate) fn resumed(name: impl Into<String>, at: Duration) -> Self {
        let term = HeaderTerminal { cols: TERMINAL_DEFAULT.cols, rows: TERMINAL_DEFAULT.rows };
        let header = Header { version: 3, term, timestamp: 0, title: None };
        let at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        Self { header: Some(header), at_us, ..Self::new(name) }
    }

    /// Whether the header has come.
    #[must_use]
    pub fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// The terminal's first size.
    #[must_use]
    pub fn terminal(&self) -> Terminal {
        match &self.header {
            Some(header) => Terminal { cols: header.term.cols, rows: header.term.rows },
            None => TERMINAL_DEFAULT,
        }
    }

    /// The recording's title.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.header.as_ref()?.title.as_deref()
    }

    /// When it begins, in seconds since 1970.
    pub(crate) fn timestamp(&self) -> Option<i64> {
        self.header.as_ref().map(|header| header.timestamp)
    }

    /// Takes more of the cast, cut anywhere, and adds what happened to `events`.
    ///
    /// # Errors
    /// It is not a cast. What came before the line that is wrong is in `events`.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> io::Result<()> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                self.rest.extend_from_slice(line);
            } else if self.rest.is_empty() {
                events.extend(self.line(line)?);
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(line);
                events.extend(self.line(&whole)?);
            }
        }
        Ok(())
    }

    /// Takes a whole line. The header, comments and empty lines are no events.
    pub(crate) fn line(&mut self, line: &[u8]) -> io::Result<Option<Event>> {
        self.line_number += 1;
        if matches!(line, [b'#', ..] | [b'\n']) {
            return Ok(None);
        }
        if self.header.is_some() {
            return self.event(line).map(Some);
        }
        let header: Header = self.parse(line)?;
        if header.version != 3 {
            return Err(self.invalid(format!("asciicast version {} is not known", header.version)));
        }
        self.header = Some(header);
        Ok(None)
    }

    fn event(&mut self, line: &[u8]) -> io::Result<Event> {
        let (interval, code, data): (f64, String, String) = self.parse(line)?;
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
        Ok(Event { at: Duration::from_micros(self.at_us), kind })
    }

    fn parse<'l, T: Deserialize<'l>>(&self, line: &'l [u8]) -> io::Result<T> {
        serde_json::from_slice(line).map_err(|error| self.invalid(error.to_string()))
    }

    fn invalid(&self, what: String) -> io::Error {
        let text = format!("{}, line {}: {what}", self.name, self.line_number);
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

/// `80x24`.
fn parse_terminal(text: &str) -> Option<Terminal> {
    let (cols, rows) = text.split_once('x')?;
    Some(Terminal { cols: cols.parse().ok()?, rows: rows.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_cut_anywhere_is_the_same() {
        let cast = concat!(
            "{\"version\":3,\"term\":{\"cols\":90,\"rows\":30},\"timestamp\":1800000000,\"title\":\"t\"}\n",
            "# a comment\n\n[0.5,\"o\",\"€\"]\n[0.25,\"r\",\"100x40\"]\n[1,\"x\",\"0\"]\n[1,\"o\",\"unfini",
        );
        let expected = [
            Event { at: Duration::from_millis(500), kind: EventKind::Output("€".to_owned()) },
            Event {
                at: Duration::from_millis(750),
                kind: EventKind::Resize(Terminal { cols: 100, rows: 40 }),
            },
            Event { at: Duration::from_millis(1750), kind: EventKind::Exit("0".to_owned()) },
        ];
        for length in 1..=cast.len() {
            let (mut parser, mut events) = (EventParser::new("c"), Vec::new());
            for piece in cast.as_bytes().chunks(length) {
                parser.push(piece, &mut events).unwrap();
            }
            assert_eq!(events, expected, "in pieces of {length}");
            assert_eq!((parser.terminal().cols, parser.title()), (90, Some("t")));
        }
    }

    #[test]
    fn what_comes_before_a_wrong_line_is_kept() {
        let (mut parser, mut events) = (EventParser::new("the cast"), Vec::new());
        let cast = b"{\"version\":3,\"term\":{\"cols\":90,\"rows\":30},\"timestamp\":1}\n[1,\"o\",\"a\"]\n[-1,\"o\",\"b\"]\n";
        let error = parser.push(cast, &mut events).unwrap_err().to_string();
        assert!(error.starts_with("the cast, line 3: "), "{error}");
        assert_eq!(events.len(), 1);
    }
}
