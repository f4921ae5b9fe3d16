//! The line that the cursor is in: one logical line, of as many rows as it needs.
//!
//! Source of the sequences: XTerm Control Sequences, <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>.

use unicode_width::UnicodeWidthChar as _;

/// The most cells of a line. A longer one is cut into lines of this length.
pub const LINE_CELLS_MAX: usize = 4096;
/// Of a gap that the cursor jumped over, no more is kept as spaces: a jump costs a program nothing.
const GAP_CELLS_MAX: usize = 8;
/// Where tabulators stand.
const TAB_CELLS: usize = 8;

/// One place for a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    content: Content,
    /// The first mark that combines with the character.
    mark: Option<char>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Nothing was written here.
    Gap,
    Char(char),
    /// The other half of a wide character.
    WideRest,
}

const GAP: Cell = Cell { content: Content::Gap, mark: None };

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Line {
    cols: usize,
    cells: Vec<Cell>,
    cursor: usize,
    /// The cursor stands on the last cell of a row that is full, and goes to the next row only with the next character.
    is_wrapping: bool,
    /// The last character, for repeating it.
    last: Option<char>,
}

impl Line {
    pub(crate) fn new(cols: u16) -> Self {
        Self { cols: usize::from(cols.max(1)), cells: Vec::new(), cursor: 0, is_wrapping: false, last: None }
    }

    pub(crate) fn set_cols(&mut self, cols: u16) {
        self.cols = usize::from(cols.max(1));
        self.is_wrapping = false;
    }

    /// Begins a line, at a column.
    pub(crate) fn clear(&mut self, column: usize) {
        self.cells.clear();
        self.cursor = column.min(self.cols - 1);
        self.is_wrapping = false;
    }

    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(crate) fn column(&self) -> usize {
        self.cursor - self.row_start()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether no further character has room.
    pub(crate) fn is_full(&self) -> bool {
        self.cursor + 2 > LINE_CELLS_MAX
    }

    /// The row that the cursor is in, of this line's rows.
    pub(crate) fn row(&self) -> usize {
        self.row_start() / self.cols
    }

    /// The last of its rows that anything is in.
    pub(crate) fn last_row(&self) -> usize {
        self.cells.len().saturating_sub(1) / self.cols
    }

    fn row_start(&self) -> usize {
        let inside = if self.is_wrapping { self.cursor - 1 } else { self.cursor };
        inside / self.cols * self.cols
    }

    pub(crate) fn print(&mut self, character: char) {
        let width = character.width().unwrap_or(0);
        if width == 0 {
            self.combine(character);
            return;
        }
        // A wide character goes whole to the next row.
        if width == 2 && self.cols > 1 && self.cursor % self.cols == self.cols - 1 {
            self.cursor += 1;
        }
        self.put(Cell { content: Content::Char(character), mark: None });
        if width == 2 {
            self.put(Cell { content: Content::WideRest, mark: None });
        }
        self.last = Some(character);
        self.is_wrapping = self.cursor.is_multiple_of(self.cols);
    }

    fn put(&mut self, cell: Cell) {
        if self.cursor >= LINE_CELLS_MAX {
            return;
        }
        if self.cells.len() <= self.cursor {
            self.cells.resize(self.cursor + 1, GAP);
        }
        if let Some(place) = self.cells.get_mut(self.cursor) {
            *place = cell;
        }
        self.cursor += 1;
    }

    fn combine(&mut self, mark: char) {
        let cell = self.cursor.checked_sub(1).and_then(|before| self.cells.get_mut(before));
        if let Some(cell) = cell.filter(|cell| matches!(cell.content, Content::Char(_))) {
            cell.mark.get_or_insert(mark);
        }
    }

    /// Repeats the last character (REP).
    pub(crate) fn repeat(&mut self, count: usize) {
        let Some(character) = self.last else { return };
        for _ in 0..count.min(self.cols) {
            if self.is_full() {
                return;
            }
            self.print(character);
        }
    }

    pub(crate) fn carriage_return(&mut self) {
        self.cursor = self.row_start();
        self.is_wrapping = false;
    }

    pub(crate) fn tabulate(&mut self) {
        let column = self.column();
        let next = (column / TAB_CELLS + 1) * TAB_CELLS;
        self.go_to_column(next.min(self.cols - 1).max(column));
    }

    pub(crate) fn go_to_column(&mut self, column: usize) {
        self.cursor = (self.row_start() + column.min(self.cols - 1)).min(LINE_CELLS_MAX - 1);
        self.is_wrapping = false;
    }

    pub(crate) fn forward(&mut self, count: usize) {
        self.go_to_column(self.column().saturating_add(count));
    }

    pub(crate) fn back(&mut self, count: usize) {
        let column = if self.is_wrapping { self.cols - 1 } else { self.column() };
        self.go_to_column(column.saturating_sub(count));
    }

    /// To another of its rows. `false`: it has no such row.
    pub(crate) fn go_to_row(&mut self, row: usize) -> bool {
        if row > self.last_row() && row != self.row() {
            return false;
        }
        let column = self.column().min(self.cols - 1);
        self.cursor = (row * self.cols + column).min(LINE_CELLS_MAX - 1);
        self.is_wrapping = false;
        true
    }

    pub(crate) fn go_to(&mut self, cursor: usize) {
        self.cursor = cursor.min(LINE_CELLS_MAX - 1);
        self.is_wrapping = false;
    }

    /// Erases from the cursor to the end of the screen.
    pub(crate) fn erase_below(&mut self) {
        self.cells.truncate(self.place());
    }

    /// Erases from the cursor to the end of the row.
    pub(crate) fn erase_right(&mut self) {
        self.blank(self.place(), self.row_end());
    }

    /// Erases from the beginning of the row to the cursor.
    pub(crate) fn erase_left(&mut self) {
        self.blank(self.row_start(), self.place() + 1);
    }

    pub(crate) fn erase_row(&mut self) {
        self.blank(self.row_start(), self.row_end());
    }

    pub(crate) fn erase(&mut self, count: usize) {
        self.blank(self.place(), self.place().saturating_add(count).min(self.row_end()));
    }

    /// The cell that the cursor is on.
    fn place(&self) -> usize {
        if self.is_wrapping { self.cursor - 1 } else { self.cursor }
    }

    fn row_end(&self) -> usize {
        self.row_start() + self.cols
    }

    fn blank(&mut self, from: usize, to: usize) {
        if to >= self.cells.len() {
            self.cells.truncate(from);
        } else {
            self.cells.get_mut(from..to).into_iter().flatten().for_each(|cell| *cell = GAP);
        }
    }

    /// Takes characters away at the cursor; what is behind them in the row moves up.
    pub(crate) fn delete(&mut self, count: usize) {
        let (from, end) = (self.place(), self.row_end().min(self.cells.len()));
        let Some(rest) = self.cells.get_mut(from..end) else { return };
        let count = count.min(rest.len());
        rest.rotate_left(count);
        let kept = rest.len() - count;
        rest.iter_mut().skip(kept).for_each(|cell| *cell = GAP);
        self.trim();
    }

    /// Makes room at the cursor; what is behind it in the row moves away, and out at the row's end.
    pub(crate) fn insert(&mut self, count: usize) {
        let (from, row_end) = (self.place(), self.row_end());
        let end = row_end.min(self.cells.len().saturating_add(count)).min(LINE_CELLS_MAX);
        if end > self.cells.len() {
            self.cells.resize(end, GAP);
        }
        let Some(rest) = self.cells.get_mut(from..end) else { return };
        let count = count.min(rest.len());
        rest.rotate_right(count);
        rest.iter_mut().take(count).for_each(|cell| *cell = GAP);
        self.trim();
    }

    fn trim(&mut self) {
        while self.cells.last() == Some(&GAP) {
            self.cells.pop();
        }
    }

    /// What is in it, without spaces at its end.
    pub(crate) fn text(&self) -> String {
        self.text_from(0)
    }

    /// What is in it from a cell on.
    pub(crate) fn text_from(&self, from: usize) -> String {
        let mut text = text_of(self.cells.get(from..).unwrap_or_default());
        text.truncate(text.trim_end().len());
        text
    }

    /// What is before the cursor, if nothing is behind it.
    pub(crate) fn text_before_cursor(&self) -> Option<String> {
        let (before, behind) = self.cells.split_at_checked(self.place())?;
        behind.iter().all(|cell| matches!(cell.content, Content::Gap)).then(|| text_of(before))
    }
}

fn text_of(cells: &[Cell]) -> String {
    let mut text = String::with_capacity(cells.len());
    let mut gap = 0;
    for cell in cells {
        match cell.content {
            Content::Gap => {
                gap += 1;
                if gap <= GAP_CELLS_MAX {
                    text.push(' ');
                }
                continue;
            }
            Content::Char(character) => {
                text.push(character);
                text.extend(cell.mark);
            }
            Content::WideRest => {}
        }
        gap = 0;
    }
    text
}
