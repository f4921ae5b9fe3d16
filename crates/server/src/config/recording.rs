//! Section `recording`: how sessions are recorded.

use std::str::FromStr;
use std::time::Duration;

use super::reader::Reader;

/// How sessions are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// What output must have reached before the client sees it.
    pub strictness: RecordingStrictness,
    /// The most bytes of one recording. A session whose recording reaches it ends.
    pub bytes_max: usize,
    /// How long a recording is kept after its end. `None`: for ever.
    pub keep: Option<Duration>,
    /// The most bytes of the search index. The text of the oldest recordings leaves it when there are more.
    pub search_bytes_max: usize,
}

/// What output must have reached before the client sees it. A recording that cannot be written ends its session
/// in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecordingStrictness {
    /// The operating system: a crash of the server loses nothing.
    #[default]
    Written,
    /// The disk: a crash of the machine loses nothing either. Slower.
    Durable,
}

impl Recording {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            strictness: reader.parsed("recording.strictness").unwrap_or_default(),
            // A working day of 37 KB/s; a program that floods a terminal at full speed fills it within a minute.
            bytes_max: reader.number("recording.bytes_max", 1 << 20..=1 << 40).unwrap_or(1 << 30),
            keep: reader.days("recording.keep_days"),
            // Text and index of some ten thousand hours of work.
            search_bytes_max: reader
                .number("recording.search_bytes_max", 1 << 20..=1 << 40)
                .unwrap_or(1 << 33),
        }
    }
}

impl FromStr for RecordingStrictness {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "written" => Ok(Self::Written),
            "durable" => Ok(Self::Durable),
            _ => Err(format!("{text:?} is neither \"written\" nor \"durable\"")),
        }
    }
}
