//! Recordings in other forms.

use std::io::{self, Write};
use std::time::Duration;

use crate::events::{Event, EventKind, EventParser};

/// What becomes of escape sequences in plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// The terminal's bytes as they were. Whoever shows them to a terminal lets the node control it.
    Keep,
    /// Only characters, tabs and line feeds: safe to show and to search.
    Strip,
}

/// What a recording is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// asciicast v2, for players that do not know v3. That version has no exit status.
    /// Source: <https://docs.asciinema.org/manual/asciicast/v2/>.
    AsciicastV2,
    /// What the terminal showed.
    Text(Escapes),
}

/// Writes a recording, which comes in pieces, in another form.
#[derive(Debug)]
pub struct Exporter {
    form: Form,
    parser: EventParser,
    stripper: Stripper,
    is_begun: bool,
}

impl Exporter {
    /// An exporter of the cast that errors call `name`.
    pub fn new(form: Form, name: impl Into<String>) -> Self {
        Self { form, parser: EventParser::new(name), stripper: Stripper::default(), is_begun: false }
    }

    /// Takes more of the cast, cut anywhere, and writes what it comes to.
    ///
    /// # Errors
    /// It is not a cast, or `out` cannot be written. What came before a line that is wrong is written.
    pub fn push(&mut self, cast: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let mut events = Vec::new();
        let parsed = self.parser.push(cast, &mut events);
        if !self.is_begun && self.parser.has_header() {
            self.is_begun = true;
            self.write_header(out)?;
        }
        for event in events {
            self.write_event(event, out)?;
        }
        parsed
    }

    fn write_header(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.form != Form::AsciicastV2 {
            return Ok(());
        }
        let terminal = self.parser.terminal();
        let header = serde_json::json!({
            "version": 2,
            "width": terminal.cols,
            "height": terminal.rows,
            "timestamp": self.parser.timestamp(),
            "title": self.parser.title(),
        });
        writeln!(out, "{header}")
    }

    fn write_event(&mut self, event: Event, out: &mut dyn Write) -> io::Result<()> {
        match (self.form, event.kind) {
            (Form::Text(Escapes::Keep), EventKind::Output(text)) => out.write_all(text.as_bytes()),
            (Form::Text(Escapes::Strip), EventKind::Output(text)) => {
                out.write_all(self.stripper.strip(&text).as_bytes())
            }
            (Form::Text(_), _) => Ok(()),
            (Form::AsciicastV2, kind) => write_v2(event.at, kind, out),
        }
    }
}

fn write_v2(at: Duration, kind: EventKind, out: &mut dyn Write) -> io::Result<()> {
    let (code, data) = match kind {
        EventKind::Output(text) => ("o", text),
        EventKind::Resize(terminal) => ("r", format!("{}x{}", terminal.cols, terminal.rows)),
        EventKind::Marker(label) => ("m", label),
        EventKind::Exit(_) | EventKind::Other { .. } => return Ok(()),
    };
    let data = serde_json::to_string(&data).map_err(io::Error::other)?;
    writeln!(out, "[{}.{:06}, \"{code}\", {data}]", at.as_secs(), at.subsec_micros())
}

/// Takes escape sequences and control characters out of a text that comes in pieces.
/// Source of the grammar: ECMA-48, sections 5.3 to 5.6 and 8.3.
#[derive(Debug, Default)]
struct Stripper {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Text,
    /// After ESC, and after ESC with intermediate bytes.
    Escape,
    /// In a control sequence (CSI).
    Sequence,
    /// In a control string (OSC, DCS, SOS, PM, APC), which ends with ST or BEL.
    ControlString,
    /// After ESC in a control string.
    StringEscape,
}

impl Stripper {
    fn strip(&mut self, text: &str) -> String {
        text.chars().filter(|char| self.is_text(*char)).collect()
    }

    /// Whether this character is text for people.
    fn is_text(&mut self, char: char) -> bool {
        use State::{ControlString, Escape, Sequence, StringEscape, Text};
        self.state = match (self.state, char) {
            (ControlString, '\u{1b}') => StringEscape,
            (_, '\u{1b}') => Escape,
            // CAN and SUB cancel whatever is going on.
            (_, '\u{18}' | '\u{1a}') => Text,
            (ControlString, '\u{07}' | '\u{9c}') => Text,
            (ControlString, _) => ControlString,
            (StringEscape, '\\') => Text,
            (Escape | StringEscape, '[') => Sequence,
            (Escape | StringEscape, ']' | 'P' | 'X' | '^' | '_') => ControlString,
            (Escape | StringEscape, ' '..='/') => Escape,
            (Escape | StringEscape, _) => Text,
            (Sequence, '@'..='~') => Text,
            (Sequence, ' '..='?' | '\0'..='\u{1f}') => Sequence,
            (Text, '\u{9b}') => Sequence,
            (Text, '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}') => ControlString,
            (Text, _) => return char == '\n' || char == '\t' || !char.is_control(),
            (Sequence, _) => Text,
        };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_stripped_however_they_are_cut() {
        let cases = [
            ("plain\ttext\r\nnext", "plain\ttext\nnext"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pq#0\u{1b}\\x\u{1b}_y\u{1b}\\z", "xz"),
            ("\u{1b}(B\u{1b}=\u{1b}>a\u{1b}7b\u{1b}#8c", "abc"),
            ("a\u{8}\u{7}\u{0}b\u{7f}", "ab"),
            ("\u{9b}31mc1\u{9d}x\u{9c}y", "c1y"),
            ("\u{1b}[?25h\u{1b}[38;2;1;2;3m€😀", "€😀"),
            ("\u{1b}[12\u{18}x", "x"),
            ("\u{1b}[1\u{1b}[2mx", "x"),
            ("unfinished \u{1b}[12", "unfinished "),
        ];
        for (text, expected) in cases {
            assert_eq!(Stripper::default().strip(text), expected, "{text:?}");
            let mut stripper = Stripper::default();
            let pieces: String = text.chars().map(|char| stripper.strip(&char.to_string())).collect();
            assert_eq!(pieces, expected, "{text:?} in pieces");
        }
    }
}
