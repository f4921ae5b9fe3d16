//! What of a line is text: neither escape sequences nor control characters.

use vte::{Parser, Perform};

/// Reads one line, character by character.
pub(crate) struct Stripper {
    parser: Parser,
    /// Nothing is open: the next character, if it is one for people, is text.
    is_ground: bool,
}

impl Stripper {
    pub(crate) fn new() -> Self {
        Self { parser: Parser::new(), is_ground: true }
    }

    /// The text that a character is, or makes: none, itself, or a blank for a tab.
    pub(crate) fn text(&mut self, character: char) -> Option<char> {
        if self.is_ground && !character.is_control() {
            return Some(character);
        }
        if self.is_ground && character == '\t' {
            return Some(' ');
        }
        let mut printed = Printed(None);
        self.parser.advance(&mut printed, character.encode_utf8(&mut [0; 4]).as_bytes());
        self.is_ground = printed.0.is_some();
        // Only a terminal draws it.
        printed.0.filter(|character| !character.is_control())
    }
}

/// What a terminal would draw.
struct Printed(Option<char>);

impl Perform for Printed {
    fn print(&mut self, character: char) {
        self.0 = Some(character);
    }
}
