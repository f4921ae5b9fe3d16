//! The files that the chain is in.
//!
//! A segment's name is the number of its first line in twenty digits. That line has the kind `segment` and says what
//! was going on when the file was begun, so that a writer needs to read only the last file.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use postern_ids::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::chain::Hash;
use crate::delivery::DeliveryState;
use crate::key::PublicKey;
use crate::limits::BODY_BYTES_MAX;

/// The layout of the chain; a reader refuses others.
pub const FORMAT: u32 = 1;

/// No line is longer than this, with its end: the longest body, and what stands before it.
pub const LINE_BYTES_MAX: usize = BODY_BYTES_MAX + 1024;

/// The body of a segment's first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentStart {
    /// The layout, [`FORMAT`].
    pub format: u32,
    /// The trail that the chain is of.
    pub trail: TrailName,
    /// The intents of earlier segments whose outcome is not written yet.
    pub open_intents: Vec<u64>,
    /// The keys that earlier segments name.
    pub keys: Vec<PublicKey>,
    /// How far deliveries have come.
    pub delivery: DeliveryState,
}

/// Which trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailName {
    /// The account.
    pub account_id: AccountId,
    /// The region.
    pub region: Region,
    /// The name.
    pub name: String,
}

/// The name of the file whose first line has this number.
#[must_use]
pub fn file_name(first: u64) -> String {
    format!("{first:020}.jsonl")
}

/// The number in the name of a segment.
#[must_use]
pub fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".jsonl").filter(|digits| digits.len() == 20)?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The segments in a directory by the number of their first lines, and the names of files that are none.
///
/// # Errors
/// The directory cannot be read.
pub fn list(chain: &Path) -> io::Result<(Vec<u64>, Vec<PathBuf>)> {
    let (mut segments, mut others) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(chain)? {
        let entry = entry?;
        match entry.file_name().to_str().and_then(first_of) {
            Some(first) => segments.push(first),
            None => others.push(entry.path()),
        }
    }
    segments.sort_unstable();
    others.sort();
    Ok((segments, others))
}

/// A head: the number and the hash of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line's number.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Position {
    /// Before the first line.
    pub const START: Self = Self { sequence: 0, hash: Hash::ZERO };
}

/// Reads the lines of a file one by one, without deciding what is in them.
#[derive(Debug)]
pub struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    offset: u64,
    /// Where reading stops, though the file may be longer.
    end: Option<u64>,
}

/// Bytes between two line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes, without the end.
    pub bytes: &'a [u8],
    /// Whether it has an end.
    pub is_complete: bool,
}

impl Lines {
    /// Opens a file to read from an offset on.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, offset: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if offset > 0 {
            file.seek(SeekFrom::Start(offset))?;
        }
        let file = BufReader::with_capacity(256 * 1024, file);
        Ok(Self { file, line: Vec::new(), offset, end: None })
    }

    /// Reads no further than `end`, which must be the end of a line.
    #[must_use]
    pub fn until(self, end: u64) -> Self {
        Self { end: Some(end), ..self }
    }

    /// Where the next line begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line, if there is one. A line that is too long is cut, and then not complete.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        if self.end.is_some_and(|end| self.offset >= end) {
            return Ok(None);
        }
        self.line.clear();
        let limit = u64::try_from(LINE_BYTES_MAX).expect("fits 64 bits");
        let length = io::Read::take(&mut self.file, limit).read_until(b'\n', &mut self.line)?;
        if length == 0 {
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += u64::try_from(length).expect("a length fits 64 bits");
        let is_complete = self.line.last() == Some(&b'\n');
        let bytes = if is_complete { &self.line[..length - 1] } else { &self.line[..] };
        Ok(Some(RawLine { offset, bytes, is_complete }))
    }
}
