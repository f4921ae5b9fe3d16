//! The index over recordings: the lines that sessions showed, found by their words, and the timelines of their commands.
//!
//! [`SearchIndex`] is a database of its own, made from the recordings and from nothing else: it may be removed at any
//! time, and is filled again. A [`Reading`] takes a recording in, piece by piece, while the session runs or afterwards;
//! what a crash cut off begins again. Nothing here decides who may see what: [`SearchQuery`] says in which sessions to look.
//!
//! Why SQLite's FTS5, and why words: `docs/decisions/0017-search.md`.

mod open;
mod query;
mod reading;
mod remove;
mod rows;
mod timeline;
mod words;

use postern_ids::SessionId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

pub use open::OpenError;
pub use query::{Cursor, Hit, HitKind, Mark, SearchPage, SearchQuery};
pub use reading::{Reading, Step, TEXT_BYTES_MAX};
pub use timeline::{Timeline, TimelinePage};
pub use words::{Words, WordsError};

/// Why the index did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Its database.
    #[error("the search index failed")]
    Database(#[from] sqlx::Error),
    /// A recording cannot be read.
    #[error("a recording cannot be indexed")]
    Recording(#[from] std::io::Error),
}

/// See the [crate's documentation](crate).
#[derive(Debug)]
pub struct SearchIndex {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SearchIndex {
    /// The sessions that are in the index, and whether each is there up to its end.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sessions(&self) -> Result<Vec<(SessionId, bool)>, IndexError> {
        let select = "SELECT session, state = 1 AS is_complete FROM documents WHERE session IS NOT NULL";
        let rows = sqlx::query(select).fetch_all(&self.writer).await?;
        let session = |row: &SqliteRow| Ok((timeline::session(row)?, row.try_get("is_complete")?));
        Ok(rows.iter().map(session).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Whether a session is in the index up to its end.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_complete(&self, session: &SessionId) -> Result<bool, IndexError> {
        let select = "SELECT EXISTS (SELECT 1 FROM documents WHERE session = ? AND state = 1)";
        Ok(sqlx::query_scalar(select).bind(session.as_str()).fetch_one(&self.writer).await?)
    }

    /// Ends its connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A number of ours as SQLite has it.
fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of SQLite's as ours.
fn unsql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
