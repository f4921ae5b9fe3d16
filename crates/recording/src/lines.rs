//! The lines of a cast that may still grow.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use crate::disk::named;

/// Reads a cast from its beginning, whole lines at a time.
#[derive(Debug)]
pub struct CastLines {
    path: PathBuf,
    file: File,
    at: u64,
}

impl CastLines {
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path).map_err(|error| named(&path, error))?;
        Ok(Self { path, file, at: 0 })
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next lines before `end`, which is where a line ends: at most `bytes_max` bytes, or one line if that is longer.
    ///
    /// # Errors
    /// The file cannot be read, or ends before `end`.
    pub fn next(&mut self, end: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        while lines.last() != Some(&b'\n') && self.at + length(&lines) < end {
            let (before, rest) = (lines.len(), end - self.at - length(&lines));
            self.read(&mut lines, rest.min(bytes_max)).map_err(|error| named(&self.path, error))?;
            let is_end = |byte: &u8| *byte == b'\n';
            // Of a line that is too long nothing follows but its end.
            let last = match before {
                0 => lines.iter().rposition(is_end),
                _ => lines.iter().position(is_end),
            };
            lines.truncate(last.map_or(lines.len(), |last| last + 1));
        }
        self.at += length(&lines);
        Ok(lines)
    }

    /// Reads so many bytes behind what is in `lines`.
    fn read(&mut self, lines: &mut Vec<u8>, bytes: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.at + length(lines)))?;
        match (&self.file).take(bytes).read_to_end(lines)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits 64 bits")
}
