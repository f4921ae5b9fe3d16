//! What a recorded terminal says: its lines of text, and the commands of a shell.
//!
//! [`Transcript`] takes the output of a session as it came, and gives the lines that stood on the screen and the commands
//! that ran, each with its time. It does no I/O, reads no clock, and holds at most some ten kilobytes, whatever the output.
//!
//! Commands are told by the marks of shell integrations (see [`marks`]). Of a shell that sends none they are guessed from
//! its prompt and the line that was echoed behind it, and say so ([`Command::is_heuristic`]).
//!
//! This is no terminal: only the line that the cursor is in is kept, with its rows where it is longer than the screen is
//! wide. What a program writes elsewhere on the screen begins another line. So nothing that was written is lost to what
//! was drawn over it, and the work is in proportion to the output. Whoever controls the shell controls what it says: a
//! timeline helps to find a place in a recording, and proves nothing that the recording does not show.

mod clean;
mod commands;
mod line;
mod marks;
mod prompt;
mod screen;
mod transcript;

pub use clean::visible_line;
pub use commands::{COMMAND_CHARS_MAX, COMMANDS_MAX, Command, DIRECTORY_CHARS_MAX};
pub use line::LINE_CELLS_MAX;
pub use screen::TextLine;
pub use transcript::Transcript;
