//! The index's file and tables.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::SearchIndex;

/// `PRAGMA user_version` of this layout; another one is made anew.
const VERSION: i64 = 1;
/// How long a caller waits for one of the connections.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(5);

/// `documents.state`: 0 while it is read, 1 when all of it is here, 2 when it is to go. A line's number is that of its
/// document, shifted by [`LINE_BITS`](crate::rows::LINE_BITS), and its place in it: the order of numbers is the order of
/// documents, and of time in each.
///
/// `words` holds the words of `lines` and no text (`content=''`). It gets them one by one, separated by spaces: the
/// tokenizer has nothing left to decide. `secure-delete` takes what is removed out of the index's pages at once.
const TABLES: &str = "
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT UNIQUE,
        state INTEGER NOT NULL,
        is_cut INTEGER NOT NULL DEFAULT 0,
        has_text INTEGER NOT NULL DEFAULT 1,
        read_ms INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX documents_by_state ON documents (state) WHERE state <> 1;
    CREATE TABLE commands (
        document INTEGER NOT NULL,
        number INTEGER NOT NULL,
        text TEXT NOT NULL,
        directory TEXT,
        started_ms INTEGER NOT NULL,
        ended_ms INTEGER,
        exit_code INTEGER,
        is_heuristic INTEGER NOT NULL,
        PRIMARY KEY (document, number)
    ) WITHOUT ROWID;
    CREATE TABLE lines (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        command INTEGER,
        text TEXT NOT NULL
    );
    CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, tokenize='ascii');
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
    PRAGMA user_version = 1;
";

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: the search index cannot be used", path.display())]
pub struct OpenError {
    path: PathBuf,
    source: sqlx::Error,
}

impl SearchIndex {
    /// Opens the index, for the process's user only. One that does not exist, is of another layout or cannot be read is
    /// made anew, and is empty then.
    ///
    /// # Errors
    /// It cannot be made either.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        match Self::try_open(path).await {
            Ok(index) => return Ok(index),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, path = %path.display(), "the search index cannot be used, and is made anew");
            }
        }
        let failed = |source| OpenError { path: path.to_owned(), source };
        remove(path).map_err(|error| failed(error.into()))?;
        Self::try_open(path).await.map_err(failed)
    }

    async fn try_open(path: &Path) -> Result<Self, sqlx::Error> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            // Sound after a power failure; what is lost then is read again.
            .synchronous(SqliteSynchronous::Normal)
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(5));
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_WITHIN)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let writer = pool(1).connect_with(connect.clone()).await?;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&writer).await?;
        match version {
            VERSION => probe(&writer).await?,
            0 => {
                sqlx::raw_sql(TABLES).execute(&writer).await?;
            }
            _ => return Err(sqlx::Error::Configuration("the index has another layout".into())),
        }
        let readers = pool(2).connect_with(connect.pragma("query_only", "ON")).await?;
        Ok(Self { writer, readers })
    }
}

/// Whether the tables can be read at all.
async fn probe(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    for select in [
        "SELECT 1 FROM documents LIMIT 1",
        "SELECT 1 FROM commands LIMIT 1",
        "SELECT 1 FROM lines LIMIT 1",
        "SELECT 1 FROM words WHERE words MATCH 'any' LIMIT 1",
    ] {
        sqlx::query(select).fetch_optional(writer).await?;
    }
    Ok(())
}

/// Removes the file and what SQLite keeps beside it.
fn remove(path: &Path) -> io::Result<()> {
    ["", "-wal", "-shm", "-journal"].iter().try_for_each(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    })
}
