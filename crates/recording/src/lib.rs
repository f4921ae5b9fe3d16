//! Recorded sessions: written as they happen, found again after a crash, read back.
//!
//! A recording is `<session>.cast`, an [asciicast v3](https://docs.asciinema.org/manual/asciicast/v3/) that any
//! player replays, and `<session>.json` beside it: who, where, when, and why it ended. While the session runs,
//! `<session>.position` says up to where the cast is sound, so that a crash costs nothing that was seen.
//!
//! Everything here blocks; programs with an async runtime call it from a thread that may.

mod cast;
mod directory;
mod position;
mod recorder;
mod side_file;

pub use directory::{Durability, RecordingDirectory};
pub use recorder::{Entry, Recorder};
pub use side_file::{RecordingEnd, RecordingInfo, RecordingStatus, SideFile};
