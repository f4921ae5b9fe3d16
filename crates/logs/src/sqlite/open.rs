//! The database file and its tables.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::OpenError;

/// `PRAGMA user_version` of the layout below.
const LAYOUT: i64 = 1;
const READERS: u32 = 4;

/// A group or stream without a name has been deleted, and what it held is being removed.
///
/// The indexes hold all that the search for blocks asks, so that it touches no block that it does not take.
const TABLES: &str = "
    CREATE TABLE numbers (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        next_event INTEGER NOT NULL
    );
    INSERT INTO numbers VALUES (1, 1);
    CREATE TABLE groups (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT UNIQUE,
        created_at INTEGER NOT NULL,
        class TEXT NOT NULL,
        retention_days INTEGER,
        kms_key TEXT,
        deletion_protected INTEGER NOT NULL,
        stored_bytes INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE tags (
        group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (group_id, key)
    ) WITHOUT ROWID;
    CREATE TABLE streams (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        group_id INTEGER NOT NULL REFERENCES groups (id),
        name TEXT,
        created_at INTEGER NOT NULL,
        first_event INTEGER NOT NULL DEFAULT -1,
        last_event INTEGER NOT NULL DEFAULT -1,
        last_ingestion INTEGER,
        UNIQUE (group_id, name)
    );
    CREATE INDEX streams_by_last_event ON streams (group_id, last_event, name);
    CREATE TABLE blocks (
        id INTEGER PRIMARY KEY,
        group_id INTEGER NOT NULL REFERENCES groups (id),
        stream_id INTEGER NOT NULL REFERENCES streams (id),
        first_time INTEGER NOT NULL,
        last_time INTEGER NOT NULL,
        first_event INTEGER NOT NULL,
        events INTEGER NOT NULL,
        raw_bytes INTEGER NOT NULL,
        data BLOB NOT NULL
    );
    CREATE INDEX blocks_of_group_by_first ON blocks (group_id, first_time, id, last_time, stream_id);
    CREATE INDEX blocks_of_group_by_last ON blocks (group_id, last_time, id, first_time, stream_id);
    CREATE INDEX blocks_of_stream_by_first ON blocks (stream_id, first_time, id, last_time);
    CREATE INDEX blocks_of_stream_by_last ON blocks (stream_id, last_time, id, first_time);
    CREATE INDEX small_blocks ON blocks (stream_id, first_time) WHERE raw_bytes < 262144;
";

/// Opens the file, with its tables: the connection that writes, and those that read.
pub(super) async fn open(directory: &Path) -> Result<(SqlitePool, SqlitePool), OpenError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    let path = directory.join("logs.db");
    let fail = |source| OpenError::Database { path: path.clone(), source };
    let mut private = fs::OpenOptions::new();
    let created = private.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    created.map_err(|error| fail(sqlx::Error::Io(error)))?;
    let connect = SqliteConnectOptions::new()
        .filename(&path)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        // What is answered is on the disk.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5));
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(30))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let writer = pool(1).connect_with(connect.clone()).await.map_err(fail)?;
    let layout: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&writer).await.map_err(fail)?;
    match layout {
        LAYOUT => check(&path, &writer).await?,
        0 => create(&writer).await.map_err(fail)?,
        found => return Err(OpenError::NewerLayout { path, found }),
    }
    let readers = pool(READERS).connect_with(connect.pragma("query_only", "ON")).await.map_err(fail)?;
    Ok((writer, readers))
}

async fn create(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut transaction = writer.begin().await?;
    sqlx::raw_sql(TABLES).execute(&mut *transaction).await?;
    sqlx::raw_sql("PRAGMA user_version = 1").execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Looks whether the tables can be read. The blocks are not: there may be gigabytes of them, and each is checked when it
/// is taken.
async fn check(path: &Path, writer: &SqlitePool) -> Result<(), OpenError> {
    let counted = sqlx::query("SELECT next_event FROM numbers").fetch_one(writer).await;
    counted
        .map(drop)
        .map_err(|error| OpenError::Damaged { path: path.to_owned(), finding: error.to_string() })
}
