//! Lines of an asciicast v3.
//!
//! Source: <https://docs.asciinema.org/manual/asciicast/v3/>. The first line is a JSON object, every other an
//! array of the seconds since the event before, a code and a text.

use std::io::Write as _;

use jiff::Timestamp;
use serde::Serialize;

/// The terminal that all agents offer their shells.
const TERM: &str = "xterm-256color";

#[derive(Serialize)]
struct Header<'a> {
    version: u32,
    term: Term,
    /// Seconds since the Unix epoch.
    timestamp: i64,
    title: &'a str,
}

#[derive(Serialize)]
struct Term {
    cols: u16,
    rows: u16,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What happens in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Output,
    Resize,
    Exit,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::Output => "o",
            Self::Resize => "r",
            Self::Exit => "x",
        }
    }
}

/// Writes the first line.
pub(crate) fn write_header(line: &mut Vec<u8>, size: (u16, u16), started_at: Timestamp, title: &str) {
    let term = Term { cols: size.0, rows: size.1, kind: TERM };
    let header = Header { version: 3, term, timestamp: started_at.as_second(), title };
    serde_json::to_writer(&mut *line, &header).expect("a header is JSON, and a Vec takes it");
    line.push(b'\n');
}

/// Writes an event, `interval_us` microseconds after the one before.
pub(crate) fn write_event(line: &mut Vec<u8>, interval_us: u64, code: Code, data: &str) {
    let (seconds, micros) = (interval_us / 1_000_000, interval_us % 1_000_000);
    write!(line, "[{seconds}.{micros:06},\"{}\",", code.as_str()).expect("a Vec takes it");
    serde_json::to_writer(&mut *line, data).expect("a text is JSON, and a Vec takes it");
    line.extend_from_slice(b"]\n");
}

/// The beginning of a character whose end has not come yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carry {
    pub(crate) bytes: [u8; 3],
    pub(crate) length: u8,
}

impl Carry {
    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length).min(self.bytes.len())]
    }

    fn from_slice(incomplete: &[u8]) -> Self {
        let mut carry = Self::default();
        // An incomplete character has at most three bytes.
        let length = incomplete.len().min(carry.bytes.len());
        carry.bytes[..length].copy_from_slice(&incomplete[..length]);
        carry.length = length as u8;
        carry
    }

    /// Reads `bytes` as the continuation of what was carried. What is no UTF-8 becomes U+FFFD, as a terminal shows
    /// it; a character that is not complete is carried on.
    pub(crate) fn decode(&mut self, bytes: &[u8], text: &mut String) {
        let joined;
        let mut rest = bytes;
        if self.length > 0 {
            joined = [self.as_slice(), bytes].concat();
            rest = &joined;
        }
        *self = Self::default();
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(valid) => return text.push_str(valid),
                Err(error) => error,
            };
            let (valid, after) = rest.split_at(error.valid_up_to());
            text.push_str(std::str::from_utf8(valid).expect("the error says that this much is valid"));
            let Some(invalid) = error.error_len() else {
                *self = Self::from_slice(after);
                return;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            rest = &after[invalid..];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_those_of_the_specification() {
        let mut line = Vec::new();
        write_header(
            &mut line,
            (132, 43),
            Timestamp::from_second(1_795_560_408).unwrap(),
            "alice on \"web\"",
        );
        write_event(&mut line, 0, Code::Output, "$ ls\r\n\u{1b}[1m\u{7}\u{e9}");
        write_event(&mut line, 1_500_042, Code::Resize, "80x24");
        write_event(&mut line, 61_000_000, Code::Exit, "0");
        let expected = concat!(
            r#"{"version":3,"term":{"cols":132,"rows":43,"type":"xterm-256color"},"timestamp":1795560408,"title":"alice on \"web\""}"#,
            "\n",
            r#"[0.000000,"o","$ ls\r\n\u001b[1m\u0007é"]"#,
            "\n",
            r#"[1.500042,"r","80x24"]"#,
            "\n",
            r#"[61.000000,"x","0"]"#,
            "\n",
        );
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn a_character_may_be_split_anywhere() {
        let text = "a\u{e9}\u{20ac}\u{1f600}z";
        for at in 0..=text.len() {
            let (mut carry, mut decoded) = (Carry::default(), String::new());
            carry.decode(&text.as_bytes()[..at], &mut decoded);
            carry.decode(&text.as_bytes()[at..], &mut decoded);
            assert_eq!((decoded.as_str(), carry), (text, Carry::default()), "split at {at}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_replaced() {
        let (mut carry, mut decoded) = (Carry::default(), String::new());
        carry.decode(b"a\xff\xc3(\xf0\x9f", &mut decoded);
        assert_eq!(decoded, "a\u{fffd}\u{fffd}(");
        assert_eq!(carry.as_slice(), b"\xf0\x9f");
        carry.decode(b"x", &mut decoded);
        assert_eq!(decoded, "a\u{fffd}\u{fffd}(\u{fffd}x");
    }

    proptest! {
        #[test]
        fn any_split_of_any_bytes_decodes_as_the_whole_does(bytes in proptest::collection::vec(any::<u8>(), 0..40), at in 0usize..40) {
            let at = at.min(bytes.len());
            let (mut carry, mut whole) = (Carry::default(), String::new());
            carry.decode(&bytes, &mut whole);
            let (mut split_carry, mut split) = (Carry::default(), String::new());
            split_carry.decode(&bytes[..at], &mut split);
            split_carry.decode(&bytes[at..], &mut split);
            prop_assert_eq!((split, split_carry), (whole, carry));
        }
    }
}
