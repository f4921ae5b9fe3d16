//! What a copy shows meanwhile, on standard error.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use postern_copy::{FileError, Progress};

use crate::amount::bytes;
use crate::failure;
use crate::visible;

/// Between two updates of the line.
const UPDATE_AFTER: Duration = Duration::from_millis(100);
/// Characters for the name of a file; the line fits 80 columns.
const NAME_CHARS: usize = 36;

/// One line a file if standard error is a terminal, and what failed in any case.
#[derive(Debug)]
pub(super) struct Bar {
    is_shown: bool,
    file: Option<File>,
}

#[derive(Debug)]
struct File {
    name: String,
    size: u64,
    from: u64,
    done: u64,
    began: Instant,
    shown: Option<Instant>,
}

impl Bar {
    pub(super) fn new(quiet: bool) -> Self {
        Self { is_shown: !quiet && std::io::stderr().is_terminal(), file: None }
    }

    fn draw(&mut self, now: Instant, end: &str) {
        let Some(file) = self.file.as_mut().filter(|_| self.is_shown) else { return };
        file.shown = Some(now);
        let line = file.line(now);
        // If nobody sees it, it is copied all the same.
        let _ = write!(std::io::stderr(), "\r{line}\u{1b}[K{end}");
    }
}

impl Progress for Bar {
    fn begin(&mut self, name: &str, size: u64, from: u64) {
        let now = Instant::now();
        let name = visible::line(name).into_owned();
        self.file = Some(File { name, size, from, done: from, began: now, shown: None });
        self.draw(now, "");
    }

    fn advance(&mut self, bytes: u64) {
        let Some(file) = &mut self.file else { return };
        file.done += bytes;
        let now = Instant::now();
        if file.shown.is_none_or(|shown| now.duration_since(shown) >= UPDATE_AFTER) {
            self.draw(now, "");
        }
    }

    fn finish(&mut self) {
        self.draw(Instant::now(), "\n");
        self.file = None;
    }

    fn fail(&mut self, error: &FileError) {
        if self.file.take().is_some_and(|file| file.shown.is_some()) {
            eprintln!();
        }
        eprintln!("postern: {}", visible::line(&failure::text(error)));
    }
}

impl File {
    fn line(&self, now: Instant) -> String {
        let name: String = self.name.chars().take(NAME_CHARS).collect();
        // An empty file is there at once.
        let percent = self.done.min(self.size).saturating_mul(100).checked_div(self.size).unwrap_or(100);
        let seconds = now.duration_since(self.began).as_secs_f64().max(0.001);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for people"
        )]
        let rate = ((self.done - self.from) as f64 / seconds) as u64;
        let left = self.size.saturating_sub(self.done);
        let left = left.checked_div(rate).map_or_else(|| "--:--".to_owned(), clock);
        format!("{name:<NAME_CHARS$} {percent:>3}% {:>9} {:>9}/s {left}", bytes(self.done), bytes(rate))
    }
}

fn clock(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes:02}:{seconds:02}"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        assert_eq!((clock(5), clock(3599), clock(7260)), ("00:05".into(), "59:59".into(), "2h01m".into()));
    }

    #[test]
    fn a_line_fits_a_terminal() {
        let began = Instant::now();
        let name = "a/very/long/name/of/a/file/that/does/not/fit.bin".to_owned();
        let file = File { name, size: 1000, from: 0, done: 500, began, shown: None };
        let line = file.line(began + Duration::from_secs(1));
        assert_eq!(line, "a/very/long/name/of/a/file/that/does  50%     500 B     500 B/s 00:01");
        let empty = File { name: "e".into(), size: 0, from: 0, done: 0, began, shown: None };
        assert!(empty.line(began).contains("100%"));
    }
}
