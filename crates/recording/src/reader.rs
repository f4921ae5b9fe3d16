//! Reading recordings back: the file, or what happened.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::disk::{Paths, named};
use crate::events::{Event, EventParser, Terminal};
use crate::lines::CastLines;
use crate::position::Position;
use crate::summary::{RecordingStatus, RecordingSummary};

/// A recording that can be read, whether it is complete or not.
#[derive(Debug)]
pub struct Recording {
    /// What is known about it.
    pub summary: RecordingSummary,
    paths: Paths,
}

/// Some bytes of a recording's asciicast file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How many bytes of the file can be read by now: all of them, or what is on record. They end with a whole line.
    pub readable: u64,
}

impl Recording {
    pub(crate) fn new(summary: RecordingSummary, paths: Paths) -> Self {
        Self { summary, paths }
    }

    /// The asciicast v3 file.
    #[must_use]
    pub fn cast_path(&self) -> &Path {
        &self.paths.cast
    }

    /// What happened, in order.
    ///
    /// # Errors
    /// The file cannot be read, or is not a cast.
    pub fn events(&self) -> io::Result<Events> {
        Events::open(self.cast_path())
    }

    /// The lines of the file, from its beginning.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn lines(&self) -> io::Result<CastLines> {
        CastLines::open(self.paths.cast.clone())
    }

    /// How many bytes of the file can be read: all of it, or, while it is written, what is on record. What lies behind
    /// may yet be taken back.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn readable_bytes(&self) -> io::Result<u64> {
        if self.summary.status == RecordingStatus::Running {
            match fs::read(&self.paths.position) {
                Ok(records) => return self.recorded_bytes(&records),
                // It was completed since.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(named(&self.paths.position, error)),
            }
        }
        let metadata = fs::metadata(self.cast_path()).map_err(|error| named(self.cast_path(), error))?;
        Ok(metadata.len())
    }

    fn recorded_bytes(&self, records: &[u8]) -> io::Result<u64> {
        let newest = Position::newest(records, &self.summary.info.session_id);
        newest.map(|position| position.cast_bytes).ok_or_else(|| {
            let text =
                format!("{}: neither record of the position is complete", self.paths.position.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    /// At most so many bytes of the file, from a place in it; none from its end or behind.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn part(&self, from: u64, bytes_max: u64) -> io::Result<Part> {
        let readable = self.readable_bytes()?;
        let wanted = bytes_max.min(readable.saturating_sub(from));
        let mut bytes = Vec::new();
        if wanted > 0 {
            let path = self.cast_path();
            let read = File::open(path).and_then(|mut file| {
                file.seek(SeekFrom::Start(from))?;
                file.take(wanted).read_to_end(&mut bytes)
            });
            read.map_err(|error| named(path, error))?;
        }
        Ok(Part { bytes, readable })
    }
}

/// The events of a recording. A last line that is not complete is left out: it is still being written, or was when
/// the server crashed.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    lines: BufReader<File>,
    line: Vec<u8>,
    parser: EventParser,
    has_failed: bool,
}

impl Events {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path).map_err(|error| named(path, error))?;
        let mut events = Self {
            path: path.to_owned(),
            lines: BufReader::with_capacity(64 * 1024, file),
            line: Vec::new(),
            parser: EventParser::new(path.display().to_string()),
            has_failed: false,
        };
        while !events.parser.has_header() && events.next_line()? {
            events.parser.line(&events.line)?;
        }
        Ok(events)
    }

    /// The terminal's first size.
    #[must_use]
    pub fn terminal(&self) -> Terminal {
        self.parser.terminal()
    }

    /// The recording's title.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.parser.title()
    }

    /// Reads a line. `false`: there is no further complete one.
    fn next_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.lines.read_until(b'\n', &mut self.line).map_err(|error| named(&self.path, error))?;
        Ok(self.line.ends_with(b"\n"))
    }

    fn next_event(&mut self) -> io::Result<Option<Event>> {
        while self.next_line()? {
            if let Some(event) = self.parser.line(&self.line)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}

impl Iterator for Events {
    type Item = io::Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let event = self.next_event().transpose()?;
        self.has_failed = event.is_err();
        Some(event)
    }
}
