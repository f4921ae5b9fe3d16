//! The index's file and tables.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::disk;

/// `PRAGMA user_version` of this layout; another one is made anew.
const VERSION: i64 = 1;

/// `terms` has a row for each value that an event can be found by, and one for each event with the attribute 0, by
/// which all are listed.
const TABLES: &str = "
    CREATE TABLE position (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        sequence INTEGER NOT NULL,
        hash TEXT NOT NULL,
        segment INTEGER NOT NULL,
        line_offset INTEGER NOT NULL,
        offset INTEGER NOT NULL
    );
    CREATE TABLE events (
        sequence INTEGER PRIMARY KEY,
        segment INTEGER NOT NULL,
        offset INTEGER NOT NULL
    );
    CREATE INDEX events_by_segment ON events (segment);
    CREATE TABLE terms (
        attribute INTEGER NOT NULL,
        value TEXT NOT NULL,
        time INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (attribute, value, time, sequence)
    ) WITHOUT ROWID;
";

/// Opens the file, with its tables: the connection that writes, and those that read.
pub(super) async fn open(path: &Path) -> Result<(SqlitePool, SqlitePool), sqlx::Error> {
    disk::private().read(true).write(true).create(true).open(path)?;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // Everything here can be made anew: nothing waits for the disk.
        .synchronous(SqliteSynchronous::Off)
        .busy_timeout(Duration::from_secs(5));
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let writer = pool(1).connect_with(connect.clone()).await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&writer).await?;
    match version {
        VERSION => check(&writer).await?,
        0 => {
            sqlx::raw_sql(TABLES).execute(&writer).await?;
            sqlx::raw_sql("PRAGMA user_version = 1").execute(&writer).await?;
        }
        _ => return Err(sqlx::Error::Configuration("the index has another layout".into())),
    }
    let readers = pool(2).connect_with(connect.pragma("query_only", "ON")).await?;
    Ok((writer, readers))
}

/// A power failure may have left anything.
async fn check(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    let finding: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(writer).await?;
    if finding == "ok" { Ok(()) } else { Err(sqlx::Error::Configuration(finding.into())) }
}

/// Removes the file and what SQLite keeps beside it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    ["", "-wal", "-shm", "-journal"].iter().try_for_each(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        disk::remove_if_there(&PathBuf::from(name))
    })
}
