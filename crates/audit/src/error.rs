//! What can be wrong with a trail.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a record is not on the trail.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrailError {
    /// The files cannot be written. A call that was to change something must not run.
    #[error("the audit trail cannot be written")]
    Broken(#[source] Arc<io::Error>),
    /// The trail was closed.
    #[error("the audit trail is closed")]
    Closed,
}

/// Why a trail cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be read or written.
    #[error("cannot open the audit trail")]
    Io(#[from] io::Error),
    /// The chain is not as it was written.
    #[error("{}, line {line}, byte {byte}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The byte in the file, counted from 0.
        byte: u64,
        /// What is wrong there.
        what: String,
    },
    /// Lines that a signed head vouches for are missing.
    #[error("{}: the chain ends with line {found}, but a head was signed for line {signed}", path.display())]
    Truncated {
        /// The chain.
        path: PathBuf,
        /// The last line that is there.
        found: u64,
        /// The line that was there.
        signed: u64,
    },
    /// The chain is of another account, region or trail.
    #[error("{}: the chain belongs to {found}, not to {expected}", path.display())]
    OtherTrail {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// A signing key cannot be made or read.
    #[error("{}: {what}", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The index cannot be opened, nor made anew.
    #[error("cannot open the index {}", path.display())]
    Index {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
}

impl OpenError {
    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io(_) => "Check for a full or read-only disk, and the permissions of the data directory.",
            Self::Damaged { .. } | Self::Truncated { .. } => {
                "Look at it with `postern verify`. Restore the trail's directory from a backup, or move it away to begin a new one; keep it as evidence."
            }
            Self::OtherTrail { .. } => {
                "Account and region of a trail cannot change; use another data directory."
            }
            Self::Key { .. } => "Put back the file and the master key that it was sealed with.",
            Self::Index { .. } => "Remove the index; it is made anew from the chain.",
        }
    }
}
