//! Output in, lines and commands out.

use std::time::Duration;

use vte::Parser;

use crate::commands::Command;
use crate::screen::{Screen, TextLine};

/// Bytes that are parsed at a time.
const PIECE_BYTES: usize = 4096;
/// Of a sequence that is longer than this nothing is kept, and its end is looked for: the parser holds all of one.
const SEQUENCE_BYTES_MAX: usize = 64 * 1024;

/// See the [crate's documentation](crate).
pub struct Transcript {
    parser: Parser,
    screen: Screen,
    /// Bytes since the parser last understood anything.
    silent_bytes: usize,
    /// In a sequence that is too long.
    is_skipping: bool,
}

impl Transcript {
    /// The transcript of a terminal with so many characters in a row.
    #[must_use]
    pub fn new(cols: u16) -> Self {
        Self { parser: Parser::new(), screen: Screen::new(cols), silent_bytes: 0, is_skipping: false }
    }

    /// The terminal has another width.
    pub fn handle_resize(&mut self, cols: u16) {
        self.screen.line.set_cols(cols);
    }

    /// Output that came at a time since the beginning, which goes on where the output before ended.
    pub fn handle_output(&mut self, at: Duration, text: &str) {
        self.screen.at = at;
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            if self.is_skipping {
                rest = self.skip(rest);
                continue;
            }
            let (piece, after) = rest.split_at(rest.len().min(PIECE_BYTES));
            self.parse(piece);
            rest = after;
        }
        if !self.screen.is_alternate() {
            self.screen.commands.handle_pause(&self.screen.line, at);
        }
    }

    fn parse(&mut self, piece: &[u8]) {
        self.screen.has_acted = false;
        self.parser.advance(&mut self.screen, piece);
        self.silent_bytes = if self.screen.has_acted { 0 } else { self.silent_bytes + piece.len() };
        if self.silent_bytes > SEQUENCE_BYTES_MAX {
            self.parser = Parser::new();
            self.silent_bytes = 0;
            self.is_skipping = true;
        }
    }

    /// Goes on where the sequence ends: at BEL, CAN, SUB, or the ESC of its terminator.
    fn skip<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        let end = text.iter().position(|byte| matches!(byte, 0x07 | 0x18 | 0x1a | 0x1b));
        self.is_skipping = end.is_none();
        end.and_then(|end| text.get(end..)).unwrap_or_default()
    }

    /// Nothing more comes: the line that the cursor is in has ended.
    pub fn finish(&mut self) {
        self.screen.leave(0);
        self.screen.lines.extend(self.screen.commands.release_all());
    }

    /// Lines that have ended since this was last asked.
    #[must_use]
    pub fn take_lines(&mut self) -> Vec<TextLine> {
        std::mem::take(&mut self.screen.lines)
    }

    /// Commands that have begun or changed since this was last asked; what is said last of one is what counts.
    #[must_use]
    pub fn take_commands(&mut self) -> Vec<Command> {
        self.screen.commands.take_changed()
    }

    /// There have been more commands than are told.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.screen.commands.is_truncated()
    }
}
