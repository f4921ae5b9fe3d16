//! The lines of an asciicast v3 file.
//!
//! Source: <https://docs.asciinema.org/manual/asciicast/v3/>. Events are `[interval, code, data]`, the interval in
//! seconds since the event before.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::events::Terminal;
use crate::text::{self, Carry};

/// The terminal's size until it is known.
pub(crate) const TERMINAL_DEFAULT: Terminal = Terminal { cols: 80, rows: 24 };
/// The most characters in a row that are recorded. Whoever is recorded says the size, and a player makes room for every
/// character of it: a terminal of 65,535 by 65,535 would keep the recording from being watched. No screen shows more.
pub(crate) const COLS_MAX: u16 = 1000;
/// The most rows that are recorded, for the same reason.
pub(crate) const ROWS_MAX: u16 = 1000;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) term: HeaderTerminal,
    /// Seconds since 1970.
    pub(crate) timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HeaderTerminal {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

/// The size as it is recorded: at least one character, and no more than a player can show.
pub(crate) fn recordable(terminal: Terminal) -> Terminal {
    Terminal { cols: terminal.cols.clamp(1, COLS_MAX), rows: terminal.rows.clamp(1, ROWS_MAX) }
}

/// Writes the header line.
pub(crate) fn push_header(lines: &mut Vec<u8>, terminal: Terminal, started_at: Timestamp, title: &str) {
    let header = Header {
        version: 3,
        term: HeaderTerminal { cols: terminal.cols, rows: terminal.rows },
        timestamp: started_at.as_second(),
        title: Some(title.to_owned()),
    };
    serde_json::to_writer(&mut *lines, &header).expect("numbers and strings are always JSON");
    lines.push(b'\n');
}

/// Writes events, each with its distance from the one before.
///
/// Times are counted in whole milliseconds since 1970 and only then subtracted, so rounding does not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// The time of the last event.
    pub(crate) last_ms: i64,
}

impl Timeline {
    pub(crate) fn starting(at: Timestamp) -> Self {
        Self { last_ms: at.as_millisecond() }
    }

    /// How far `at` is from the last event. The clock of the machine may have been set back.
    fn interval_ms(&self, at: Timestamp) -> u64 {
        u64::try_from(at.as_millisecond() - self.last_ms).unwrap_or(0)
    }

    /// Whether an event at `at` would come at the same moment as the last.
    pub(crate) fn is_same_moment(&self, at: Timestamp) -> bool {
        self.interval_ms(at) == 0
    }

    /// Begins a line up to the opening quote of its data.
    fn open(&mut self, lines: &mut Vec<u8>, code: char, at: Timestamp) {
        let interval_ms = self.interval_ms(at);
        self.last_ms = self.last_ms.max(at.as_millisecond());
        let mut start = String::new();
        write!(start, "[{}.{:03},\"{code}\",\"", interval_ms / 1000, interval_ms % 1000)
            .expect("writing to a String cannot fail");
        lines.extend_from_slice(start.as_bytes());
    }

    /// Output. The bytes of a character that is not complete yet wait in `carry`.
    /// `false`: there was nothing else, so no event was written.
    pub(crate) fn push_output(
        &mut self,
        lines: &mut Vec<u8>,
        carry: &mut Carry,
        bytes: &[u8],
        at: Timestamp,
    ) -> bool {
        let before = (*self, lines.len());
        self.open(lines, 'o', at);
        let opened = lines.len();
        text::push(lines, carry, bytes);
        if lines.len() == opened {
            *self = before.0;
            lines.truncate(before.1);
            return false;
        }
        close(lines);
        true
    }

    /// The terminal's new size.
    pub(crate) fn push_resize(&mut self, lines: &mut Vec<u8>, terminal: Terminal, at: Timestamp) {
        self.open(lines, 'r', at);
        lines.extend_from_slice(format!("{}x{}", terminal.cols, terminal.rows).as_bytes());
        close(lines);
    }

    /// The program's exit code; always the last event.
    pub(crate) fn push_exit(&mut self, lines: &mut Vec<u8>, exit_code: i32, at: Timestamp) {
        self.open(lines, 'x', at);
        lines.extend_from_slice(exit_code.to_string().as_bytes());
        close(lines);
    }

    /// The last incomplete character, for which nothing more will come.
    pub(crate) fn push_rest(&mut self, lines: &mut Vec<u8>, carry: &mut Carry, at: Timestamp) {
        if !carry.is_empty() {
            self.open(lines, 'o', at);
            text::flush(lines, carry);
            close(lines);
        }
    }
}

/// Ends a line.
fn close(lines: &mut Vec<u8>) {
    lines.extend_from_slice(b"\"]\n");
}

/// Takes the end of the last line away, so that more output joins it. `lines` must end with an output event.
pub(crate) fn reopen_output(lines: &mut Vec<u8>, carry: &mut Carry, bytes: &[u8]) {
    lines.truncate(lines.len() - b"\"]\n".len());
    text::push(lines, carry, bytes);
    close(lines);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    #[test]
    fn a_file_reads_as_the_format_says() {
        let (mut lines, mut carry) = (Vec::new(), Carry::default());
        push_header(&mut lines, TERMINAL_DEFAULT, at(0), "a \"title\"");
        let mut timeline = Timeline::starting(at(0));
        timeline.push_resize(&mut lines, Terminal { cols: 132, rows: 50 }, at(5));
        timeline.push_output(&mut lines, &mut carry, b"$ \x1b[0m\xe2\x82", at(1250));
        reopen_output(&mut lines, &mut carry, b"\xac\r\n\xe2");
        timeline.push_rest(&mut lines, &mut carry, at(1249));
        timeline.push_exit(&mut lines, -1, at(61_250));
        let expected = concat!(
            r#"{"version":3,"term":{"cols":80,"rows":24},"timestamp":1800000000,"title":"a \"title\""}"#,
            "\n",
            "[0.005,\"r\",\"132x50\"]\n",
            "[1.245,\"o\",\"$ \\u001b[0m€\\r\\n\"]\n",
            "[0.000,\"o\",\"\u{fffd}\"]\n",
            "[60.000,\"x\",\"-1\"]\n",
        );
        assert_eq!(String::from_utf8(lines).unwrap(), expected);
    }

    #[test]
    fn rounding_does_not_add_up() {
        let mut timeline = Timeline::starting(at(0));
        let mut lines = Vec::new();
        // 1.4 ms apart: rounded one by one, 1000 of them would come to 1.000 s.
        for step in 1..=1000 {
            let at = Timestamp::from_microsecond(1_800_000_000_000_000 + step * 1400).unwrap();
            timeline.push_output(&mut lines, &mut Carry::default(), b"x", at);
        }
        let sum_ms: i64 = String::from_utf8(lines)
            .unwrap()
            .lines()
            .map(|line| line[1..6].replace('.', "").parse::<i64>().unwrap())
            .sum();
        assert_eq!(sum_ms, 1400);
    }
}
