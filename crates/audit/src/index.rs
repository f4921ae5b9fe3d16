//! The index for lookups: derived from the chain, behind it by moments, and made anew when it does not fit.

mod query;
mod rows;
mod schema;

use std::path::{Path, PathBuf};

use postern_audit_format::Layout;
use postern_audit_format::chain::{Hash, Line};
use postern_audit_format::segment::{self, Lines};
use sqlx::{Row as _, SqlitePool};
use tokio::sync::Mutex;

use crate::appender::Progress;
use crate::error::OpenError;
pub use query::{FoundEvent, LookupAttribute, LookupCursor, LookupPage, LookupQuery, ParseCursorError};
use rows::Chunk;

/// Why a lookup has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The index does not answer.
    #[error("the index of the audit trail failed")]
    Index(#[from] sqlx::Error),
    /// The chain cannot be read.
    #[error("the audit trail cannot be read")]
    Chain(#[from] std::io::Error),
    /// The chain is not as it was written.
    #[error("{}: line {sequence} of the chain is not as it was written", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// The line's number in the chain.
        sequence: u64,
    },
}

/// The index.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) chain: PathBuf,
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    /// How far it goes. One at a time works on it.
    at: Mutex<IndexedTo>,
}

/// Up to where the chain is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexedTo {
    /// The last line.
    pub(crate) sequence: u64,
    /// Its hash.
    pub(crate) hash: Hash,
    /// The segment that it is in; 0: before the first.
    pub(crate) segment: u64,
    /// Where it begins.
    pub(crate) line_offset: u64,
    /// Where the next line begins.
    pub(crate) offset: u64,
}

impl IndexedTo {
    pub(crate) const START: Self =
        Self { sequence: 0, hash: Hash::ZERO, segment: 0, line_offset: 0, offset: 0 };
}

impl Index {
    /// Opens the index. One that does not fit the chain, or cannot be read, is removed and made anew.
    pub(crate) async fn open(layout: &Layout) -> Result<Self, OpenError> {
        let (path, chain) = (layout.index(), layout.chain());
        let failed = |source| OpenError::Index { path: path.clone(), source };
        if let Ok(index) = Self::try_open(&path, &chain).await {
            if fits(&chain, &*index.at.lock().await) {
                return Ok(index);
            }
            index.close().await;
        }
        tracing::warn!(path = %path.display(), "the index of the audit trail is made anew");
        schema::remove(&path)?;
        Self::try_open(&path, &chain).await.map_err(failed)
    }

    async fn try_open(path: &Path, chain: &Path) -> Result<Self, sqlx::Error> {
        let (writer, readers) = schema::open(path).await?;
        let row = sqlx::query("SELECT sequence, hash, segment, line_offset, offset FROM position")
            .fetch_optional(&writer)
            .await?;
        let at = row.map_or(Ok(IndexedTo::START), |row| rows::position(&row))?;
        Ok(Self { chain: chain.to_owned(), writer, readers, at: Mutex::new(at) })
    }

    /// Brings the index up to a line of the chain.
    pub(crate) async fn catch_up(&self, target: Progress) -> Result<(), LookupError> {
        let mut at = self.at.lock().await;
        while at.sequence < target.position.sequence {
            let (chain, from) = (self.chain.clone(), *at);
            let read = tokio::task::spawn_blocking(move || Chunk::read(&chain, from, target));
            let chunk = match read.await.map_err(std::io::Error::other)? {
                // Bodies were removed from this segment, and its lines are elsewhere now.
                Err(LookupError::Damaged { .. }) if at.offset > 0 => {
                    at.offset = 0;
                    continue;
                }
                chunk => chunk?,
            };
            if chunk.to == *at {
                return Err(LookupError::Damaged { path: self.chain.clone(), sequence: at.sequence + 1 });
            }
            rows::insert(&self.writer, &chunk).await?;
            *at = chunk.to;
        }
        Ok(())
    }

    /// Indexes a segment again, after records in it were removed. The segment that is written to has none removed.
    pub(crate) async fn reindex(&self, first: u64) -> Result<(), LookupError> {
        let at = self.at.lock().await;
        if at.segment == first {
            let path = self.chain.join(segment::file_name(first));
            return Err(LookupError::Damaged { path, sequence: at.sequence });
        }
        rows::forget_segment(&self.writer, first).await?;
        let path = self.chain.join(segment::file_name(first));
        if !path.exists() {
            return Ok(());
        }
        let mut from = IndexedTo { segment: first, ..IndexedTo::START };
        loop {
            let (chain, start) = (self.chain.clone(), from);
            let chunk = tokio::task::spawn_blocking(move || Chunk::read_segment(&chain, start))
                .await
                .map_err(std::io::Error::other)??;
            if chunk.to == from {
                break;
            }
            rows::insert_again(&self.writer, &chunk).await?;
            from = chunk.to;
        }
        Ok(())
    }

    /// Ends its connections.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Whether the last line that is indexed is on the chain. One that was removed with its segment cannot be asked.
fn fits(chain: &Path, at: &IndexedTo) -> bool {
    if *at == IndexedTo::START {
        return true;
    }
    let path = chain.join(segment::file_name(at.segment));
    if !path.exists() {
        return segment::list(chain)
            .is_ok_and(|(segments, _)| segments.first().is_some_and(|first| *first > at.segment));
    }
    let Ok(mut lines) = Lines::open(&path, at.line_offset) else { return false };
    let Ok(Some(raw)) = lines.next_line() else { return false };
    raw.is_complete && Line::parse(raw.bytes).is_ok_and(|line| line.hash == at.hash)
}

/// A number of ours as SQLite has it.
pub(crate) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of SQLite's as ours.
pub(crate) fn unsql(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number)
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.into(), source: error.into() })
}
