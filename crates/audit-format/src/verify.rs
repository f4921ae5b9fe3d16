//! Verifying a trail with nothing but its files and a public key.

mod chain;
mod heads;
mod keys;
mod objects;
mod recordings;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::layout::Layout;
pub use keys::{KeyFileError, TrustedKey};

/// Findings that are told one by one; the rest is counted.
const FINDINGS_MAX: usize = 100;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// The line in it, counted from 1, where it has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The first byte that is wrong, counted from 0, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(byte) = self.byte {
            write!(f, ", byte {byte}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What is wrong, as it was met; at most a hundred.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub findings_omitted: u64,
    /// What is not wrong, but should be known.
    pub notes: Vec<String>,
    /// How much was checked.
    pub checked: Checked,
    /// The last line of the chain.
    pub last_line: Option<Last>,
    /// The last line that a signed head vouches for.
    pub last_signed: Option<Last>,
}

/// How much was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct Checked {
    pub segments: u64,
    pub lines: u64,
    pub records: u64,
    /// Records whose removal a tombstone tells of.
    pub removed_records: u64,
    pub heads: u64,
    pub log_files: u64,
    pub digests: u64,
    pub recordings: u64,
    /// Recordings whose removal a tombstone tells of.
    pub removed_recordings: u64,
}

/// A line of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Last {
    /// Its number.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
    /// When it was written, or signed.
    pub time: Timestamp,
}

impl Report {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, file: &Path, line: Option<u64>, byte: Option<u64>, what: impl Into<String>) {
        if self.findings.len() == FINDINGS_MAX {
            self.findings_omitted += 1;
            return;
        }
        self.findings.push(Finding { file: file.to_owned(), line, byte, what: what.into() });
    }

    fn find_in(&mut self, file: &Path, what: impl Into<String>) {
        self.find(file, None, None, what);
    }
}

/// Verifies a trail. `trusted` are the keys that the caller got from elsewhere; without any, those on the chain are
/// believed, which only shows that the files fit each other. `recordings` is the directory of recordings, if they are to
/// be checked, too.
///
/// The trail may be written to meanwhile.
///
/// # Errors
/// A directory cannot be read. A file that cannot is a finding.
pub fn verify(directory: &Path, trusted: &[TrustedKey], recordings: Option<&Path>) -> io::Result<Report> {
    let layout = Layout::new(directory);
    let mut report = Report::default();
    // What is read first is older than the chain, which is read last, and names it all.
    let heads = heads::read(&layout, &mut report);
    let present = objects::list(&layout)?;
    let contents = chain::check(&layout, &heads, &mut report)?;
    let keys = heads::check(&layout, &heads, &contents, trusted, &mut report);
    keys::check_files(&layout, &contents, &mut report)?;
    objects::check(&layout, &present, &contents, &keys, &mut report);
    if let Some(directory) = recordings {
        recordings::check(directory, &contents, &mut report)?;
    }
    Ok(report)
}
