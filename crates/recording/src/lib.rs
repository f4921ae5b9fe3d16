//! Recorded sessions: written as they happen, taken up again after a crash, read back.
//!
//! A recording is a pair of files in one directory: `<session>.cast`, what the terminal showed, as
//! [asciicast v3](https://docs.asciinema.org/manual/asciicast/v3/); and `<session>.json`, who, where, when and why it
//! ended. While the session runs there is a third, `<session>.position`: how far the record goes; while the recording is
//! being removed another, `<session>.removal`.
//!
//! The caller forwards output only after [`Recorder::append`] has returned, so everything that anyone has seen is on
//! record, whatever crashes when. Any error ends the recording (and must end the session): nothing is skipped.
//!
//! Everything here blocks; asynchronous callers use a thread for it.

mod asciicast;
mod directory;
mod disk;
mod events;
mod export;
mod lines;
mod output;
mod position;
mod reader;
mod recorder;
mod removal;
mod summary;
#[cfg(test)]
mod tests;
mod text;

pub use directory::{Listing, RecordingDirectory};
pub use disk::Durability;
pub use events::{Event, EventKind, EventParser, Terminal};
pub use export::{Escapes, Exporter, Form};
pub use lines::CastLines;
pub use output::{Output, Outputs, Place, Reached};
pub use reader::{Events, Part, Recording};
pub use recorder::{Entry, Recorded, Recorder};
pub use removal::{Removal, RemovalOrder, RemoveError};
pub use summary::{RecordingEnd, RecordingInfo, RecordingStatus, RecordingSummary};
