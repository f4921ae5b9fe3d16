//! What the sequences of a terminal do to the line that the cursor is in.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use vte::{Params, Perform};

use crate::clean;
use crate::commands::Commands;
use crate::line::Line;
use crate::marks::Mark;

/// A line of text that stood on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// When it stood there whole: the time of the last character, since the beginning of the recording.
    pub at: Duration,
    /// Its characters, without controls. Never blank.
    pub text: String,
    /// The number of the command that it belongs to, if any is known: as its output, or as what was typed.
    pub command: Option<u32>,
}

/// Lines that a program draws again and again are given once: so many of the newest are remembered.
const RECENT_LINES: usize = 512;

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Screen {
    /// The time of what comes.
    pub(crate) at: Duration,
    pub(crate) line: Line,
    pub(crate) commands: Commands,
    /// Lines that have ended.
    pub(crate) lines: Vec<TextLine>,
    /// Whether the parser has understood anything since this was reset.
    pub(crate) has_acted: bool,
    changed_at: Duration,
    /// The row of the screen that the line begins in, counted from 0, since the cursor was put into one.
    row: Option<usize>,
    saved: Option<Saved>,
    is_alternate: bool,
    /// Hashes of lines, in a ring.
    recent: Vec<u64>,
    recent_next: usize,
}

/// Where the cursor was in the line.
#[derive(Debug, Clone, Copy)]
struct Saved {
    cursor: usize,
}

impl Screen {
    pub(crate) fn new(cols: u16) -> Self {
        Self {
            at: Duration::ZERO,
            line: Line::new(cols),
            commands: Commands::default(),
            lines: Vec::new(),
            has_acted: false,
            changed_at: Duration::ZERO,
            row: None,
            saved: None,
            is_alternate: false,
            recent: Vec::new(),
            recent_next: 0,
        }
    }

    pub(crate) fn is_alternate(&self) -> bool {
        self.is_alternate
    }

    /// A line feed: within a line of several rows it goes down, behind the last it ends the line.
    fn line_feed(&mut self) {
        if self.line.row() < self.line.last_row() {
            self.line.go_to_row(self.line.row() + 1);
            return;
        }
        let (column, rows) = (self.line.column(), self.line.last_row());
        self.end_line();
        self.row = self.row.map(|row| row + rows + 1);
        self.begin_line(column);
    }

    fn end_line(&mut self) {
        let Some(text_line) = self.text_line() else { return };
        let ended = self.commands.handle_line(text_line, &self.line, self.at);
        if let Some(text_line) = ended
            && (!self.is_alternate || self.is_news(&text_line.text))
        {
            self.lines.push(text_line);
        }
    }

    /// The cursor leaves the line for another place on the screen.
    pub(crate) fn leave(&mut self, column: usize) {
        if let Some(text_line) = self.text_line()
            && self.is_news(&text_line.text)
        {
            self.lines.push(TextLine { command: self.commands.running(), ..text_line });
        }
        self.row = None;
        self.begin_line(column);
    }

    fn begin_line(&mut self, column: usize) {
        self.line.clear(column);
        self.saved = None;
    }

    fn text_line(&self) -> Option<TextLine> {
        if self.line.is_empty() {
            return None;
        }
        let text = self.line.text();
        (!text.is_empty()).then_some(TextLine { at: self.changed_at, text, command: None })
    }

    /// Whether a line has not been given lately.
    fn is_news(&mut self, text: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        text.trim_start().hash(&mut hasher);
        let hash = hasher.finish();
        if self.recent.contains(&hash) {
            return false;
        }
        match self.recent.get_mut(self.recent_next) {
            Some(place) => *place = hash,
            None => self.recent.push(hash),
        }
        self.recent_next = (self.recent_next + 1) % RECENT_LINES;
        true
    }

    /// To a row and column of the screen, counted from 0.
    fn go_to_place(&mut self, row: usize, column: usize) {
        let inside = self.row.and_then(|first| row.checked_sub(first));
        if inside.is_some_and(|row| self.line.go_to_row(row)) {
            self.line.go_to_column(column);
        } else {
            self.leave(column);
            self.row = Some(row);
        }
    }

    fn up(&mut self, count: usize) {
        let row = self.line.row().checked_sub(count);
        if !row.is_some_and(|row| self.line.go_to_row(row)) {
            let (column, first) = (self.line.column(), self.row);
            let from = self.line.row();
            self.leave(column);
            self.row = first.map(|first| (first + from).saturating_sub(count));
        }
    }

    fn down(&mut self, count: usize) {
        if !self.line.go_to_row(self.line.row() + count) {
            let (column, first) = (self.line.column(), self.row);
            let from = self.line.row();
            self.leave(column);
            self.row = first.map(|first| first + from + count);
        }
    }

    fn restore_cursor(&mut self) {
        match self.saved {
            Some(Saved { cursor }) => self.line.go_to(cursor),
            None => self.leave(0),
        }
    }

    fn private_mode(&mut self, mode: u16, is_set: bool) {
        if matches!(mode, 47 | 1047 | 1049) {
            self.leave(0);
            self.is_alternate = is_set;
        }
    }
}

impl Perform for Screen {
    fn print(&mut self, character: char) {
        self.has_acted = true;
        if clean::is_hidden(character) {
            return;
        }
        if self.line.is_full() {
            self.end_line();
            self.begin_line(0);
        }
        self.line.print(character);
        self.changed_at = self.at;
    }

    fn execute(&mut self, byte: u8) {
        self.has_acted = true;
        match byte {
            b'\n' | 0x0b | 0x0c => self.line_feed(),
            b'\r' => self.line.carriage_return(),
            0x08 => self.line.back(1),
            b'\t' => self.line.tabulate(),
            _ => {}
        }
    }

    fn put(&mut self, _: u8) {
        self.has_acted = true;
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.has_acted = true;
        if let Some(mark) = Mark::read(params) {
            let lines = self.commands.handle_mark(mark, &self.line, self.at);
            self.lines.extend(lines);
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        self.has_acted = true;
        let mut numbers = params.iter().filter_map(|param| param.first().copied());
        if intermediates == b"?" {
            if matches!(action, 'h' | 'l') {
                numbers.for_each(|mode| self.private_mode(mode, action == 'h'));
            }
            return;
        }
        if !intermediates.is_empty() {
            return;
        }
        let first = numbers.next().unwrap_or(0);
        let second = numbers.next().unwrap_or(0);
        let count = usize::from(first.max(1));
        match action {
            'A' => self.up(count),
            'B' | 'e' => self.down(count),
            'C' | 'a' => self.line.forward(count),
            'D' => self.line.back(count),
            'E' => {
                self.line.carriage_return();
                self.down(count);
            }
            'F' => {
                self.line.carriage_return();
                self.up(count);
            }
            'G' | '`' => self.line.go_to_column(count - 1),
            'H' | 'f' => self.go_to_place(count - 1, usize::from(second.max(1)) - 1),
            'd' => self.go_to_place(count - 1, self.line.column()),
            'J' if first == 0 => self.line.erase_below(),
            'J' | 'L' | 'M' | 'S' | 'T' | 'r' => self.leave(self.line.column()),
            'K' => match first {
                0 => self.line.erase_right(),
                1 => self.line.erase_left(),
                _ => self.line.erase_row(),
            },
            'P' => self.line.delete(count),
            '@' => self.line.insert(count),
            'X' => self.line.erase(count),
            'b' => self.line.repeat(count),
            's' => self.saved = Some(Saved { cursor: self.line.cursor() }),
            'u' => self.restore_cursor(),
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        self.has_acted = true;
        if !intermediates.is_empty() {
            return;
        }
        match byte {
            b'7' => self.saved = Some(Saved { cursor: self.line.cursor() }),
            b'8' => self.restore_cursor(),
            b'D' => self.line_feed(),
            b'E' => {
                self.line.carriage_return();
                self.line_feed();
            }
            b'M' => self.up(1),
            b'c' => self.leave(0),
            _ => {}
        }
    }
}
