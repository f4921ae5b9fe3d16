//! Which command runs, by the marks of the shell or by guesses.

use std::time::Duration;

use crate::clean;
use crate::line::Line;
use crate::marks::Mark;
use crate::prompt;
use crate::screen::TextLine;

/// The most commands of a recording that are told. Nobody types so many; a program can.
pub const COMMANDS_MAX: u32 = 100_000;
/// The most characters of a command's text.
pub const COMMAND_CHARS_MAX: usize = 4096;
/// The most characters of a directory's path.
pub const DIRECTORY_CHARS_MAX: usize = 1024;
/// Shells within shells whose commands go on meanwhile. Of more, the outermost is forgotten.
const OUTER_MAX: usize = 16;
/// No prompt is longer.
const PROMPT_CELLS_MAX: usize = 256;
/// Lines of one input that wait for their command.
const HELD_LINES_MAX: usize = 256;

/// A command that a shell ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its number in the recording, from 1.
    pub number: u32,
    /// Its text, of one or more lines, as the shell told it or as it stood on the screen; empty if neither shows it.
    pub text: String,
    /// The working directory it began in, if the shell tells it.
    pub directory: Option<String>,
    /// When it began, since the beginning of the recording.
    pub started_at: Duration,
    /// When it ended. `None`: it runs, or nobody said so.
    pub ended_at: Option<Duration>,
    /// Its exit code, if the shell tells it.
    pub exit_code: Option<i32>,
    /// The shell sends no marks: everything here is a guess.
    pub is_heuristic: bool,
}

/// What is typed.
#[derive(Debug)]
struct Input {
    /// The cell of the line that it begins at.
    from: usize,
    /// Earlier lines of it.
    lines: String,
    /// When the newest of those was entered.
    entered_at: Option<Duration>,
}

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(crate) struct Commands {
    started: u32,
    running: Option<Command>,
    /// Commands that run while a shell in them runs others, the outermost first.
    outer: Vec<Command>,
    /// A mark has come: nothing is guessed any more.
    is_marked: bool,
    /// The shell says when commands end.
    tells_ends: bool,
    input: Option<Input>,
    /// What the shell says will be executed next.
    announced: Option<String>,
    directory: Option<String>,
    /// The last line that ended at a prompt.
    last_line: String,
    is_at_prompt: bool,
    /// The prompt that is guessed to stand in the line.
    guessed_prompt: Option<String>,
    /// Lines of the input, whose command has no number yet.
    held: Vec<TextLine>,
    /// Commands that are new or have changed.
    changed: Vec<Command>,
    is_truncated: bool,
}

impl Commands {
    pub(crate) fn take_changed(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.changed)
    }

    pub(crate) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// A mark that came while the line stood so. Gives lines that have waited for it.
    pub(crate) fn handle_mark(&mut self, mark: Mark, line: &Line, at: Duration) -> Vec<TextLine> {
        if let Mark::Directory(path) = mark {
            self.directory =
                Some(clean::visible_line(&path, DIRECTORY_CHARS_MAX)).filter(|path| !path.is_empty());
            return Vec::new();
        }
        if let Mark::CommandLine(text) = mark {
            self.announced = Some(text);
            return Vec::new();
        }
        self.stop_guessing(at);
        match mark {
            Mark::Prompt => self.begin_prompt(at),
            Mark::Input => {
                self.begin_prompt(at);
                self.input = Some(Input { from: line.cursor(), lines: String::new(), entered_at: None });
            }
            Mark::Executed(text) => return self.execute(text, line, at),
            Mark::Finished(exit_code) => return self.finish(exit_code, at),
            Mark::Directory(_) | Mark::CommandLine(_) => {}
        }
        self.release(None)
    }

    fn stop_guessing(&mut self, at: Duration) {
        if !std::mem::replace(&mut self.is_marked, true) {
            self.guessed_prompt = None;
            self.end_running(None, at);
        }
    }

    /// A prompt: what still runs is the shell that shows it, or has ended without a word.
    fn begin_prompt(&mut self, at: Duration) {
        if self.tells_ends {
            self.outer.extend(self.running.take());
            if self.outer.len() > OUTER_MAX {
                self.outer.remove(0);
            }
        } else {
            self.end_running(None, at);
        }
        self.input = None;
        self.announced = None;
        self.last_line.clear();
        self.is_at_prompt = true;
    }

    fn execute(&mut self, text: Option<String>, line: &Line, at: Duration) -> Vec<TextLine> {
        if self.running.is_some() {
            return self.release(None);
        }
        let announced = text.or_else(|| self.announced.take());
        let input = self.input.take();
        let text = announced.unwrap_or_else(|| match input {
            Some(input) => input.lines + &line.text_from(input.from),
            None => prompt::behind_prompt(&self.last_line).to_owned(),
        });
        let number = self.start(&text, at, false);
        self.release(number)
    }

    fn finish(&mut self, exit_code: Option<i32>, at: Duration) -> Vec<TextLine> {
        self.tells_ends = true;
        let entered = self.input.take().filter(|input| !input.lines.trim().is_empty());
        let mut number = None;
        if self.running.is_none() {
            // The shell says only when commands end: this one began when its line was entered.
            let entered = entered.and_then(|input| Some((input.entered_at?, input.lines)));
            match entered {
                Some((entered_at, lines)) => {
                    let text = self.announced.take().unwrap_or(lines);
                    number = self.start(&text, entered_at, false);
                }
                None => self.running = self.outer.pop(),
            }
        }
        self.end_running(exit_code, at);
        self.is_at_prompt = false;
        self.release(number)
    }

    /// `None`: there have been too many.
    fn start(&mut self, text: &str, at: Duration, is_heuristic: bool) -> Option<u32> {
        self.announced = None;
        self.is_at_prompt = false;
        if self.started == COMMANDS_MAX {
            self.is_truncated = true;
            return None;
        }
        self.started += 1;
        let command = Command {
            number: self.started,
            text: clean::text(text.trim(), COMMAND_CHARS_MAX),
            directory: self.directory.clone(),
            started_at: at,
            ended_at: None,
            exit_code: None,
            is_heuristic,
        };
        self.changed.push(command.clone());
        self.running = Some(command);
        Some(self.started)
    }

    fn end_running(&mut self, exit_code: Option<i32>, at: Duration) {
        if let Some(command) = self.running.take() {
            self.changed.push(Command { ended_at: Some(at), exit_code, ..command });
        }
    }

    /// Lines that waited, with the command that they are of.
    fn release(&mut self, number: Option<u32>) -> Vec<TextLine> {
        let mut lines = std::mem::take(&mut self.held);
        lines.iter_mut().for_each(|line| line.command = number);
        lines
    }

    /// Lines that wait for a command which will not come.
    pub(crate) fn release_all(&mut self) -> Vec<TextLine> {
        self.release(None)
    }

    /// A line has ended. It comes back with its command, unless it is of one that has not begun.
    pub(crate) fn handle_line(
        &mut self,
        mut text_line: TextLine,
        line: &Line,
        at: Duration,
    ) -> Option<TextLine> {
        if let Some(input) = &mut self.input {
            let piece = line.text_from(input.from);
            if input.lines.len() + piece.len() <= 4 * COMMAND_CHARS_MAX {
                input.lines.push_str(&piece);
                input.lines.push('\n');
            }
            input.from = 0;
            input.entered_at = Some(at);
        } else if self.is_at_prompt {
            self.last_line.clone_from(&text_line.text);
        } else {
            self.guess_start(&text_line.text, at);
        }
        let waits = self.running.is_none() && (self.input.is_some() || self.is_at_prompt);
        if waits && self.held.len() < HELD_LINES_MAX {
            self.held.push(text_line);
            return None;
        }
        text_line.command = self.running();
        Some(text_line)
    }

    /// The number of the command that runs.
    pub(crate) fn running(&self) -> Option<u32> {
        self.running.as_ref().map(|command| command.number)
    }

    fn guess_start(&mut self, text: &str, at: Duration) {
        let Some(prompt) = self.guessed_prompt.take() else { return };
        if let Some(typed) = prompt::typed(text, &prompt).filter(|typed| !typed.is_empty()) {
            self.start(typed, at, true);
        }
    }

    /// Output has paused while the line stood so.
    pub(crate) fn handle_pause(&mut self, line: &Line, at: Duration) {
        if self.is_marked || line.is_empty() || line.cursor() > PROMPT_CELLS_MAX {
            return;
        }
        let Some(text) = line.text_before_cursor().filter(|text| prompt::is_prompt(text)) else { return };
        // What is typed may end as prompts do.
        if self.guessed_prompt.as_ref().is_some_and(|prompt| text.starts_with(prompt)) {
            return;
        }
        self.end_running(None, at);
        self.guessed_prompt = Some(text);
    }
}
