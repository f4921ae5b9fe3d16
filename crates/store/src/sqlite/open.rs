//! Opening the database file, and what can be wrong with it.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postern_ids::AccountId;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, SqlitePool};
use tokio::sync::watch;

use super::{SqliteStore, generation};
use crate::Quotas;
use crate::error::BoxError;
use crate::seal::{MasterKey, Place};

/// `PRAGMA application_id` of our files, set by the first migration.
const APPLICATION_ID: i64 = 0x504f_5354;
/// How long a statement waits for another process that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call waits for a connection that other calls use.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Where the value is kept that opens only with the right master key.
const KEY_CHECK: Place<'static> =
    Place { table: "secret_settings", column: "value_sealed", id: "store.master-key-check" };

/// What a committed change survives. Neither choice can damage the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A crash of the server. A power failure or a crash of the machine may undo the last moments: the sessions that
    /// were live then have ended with the machine, and nodes say again what they last said.
    #[default]
    ServerCrash,
    /// Also a power failure; every change waits for the disk.
    PowerFailure,
}

/// Where and how to keep the database.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The file; it is created if its directory exists. SQLite keeps two more beside it.
    pub path: PathBuf,
    /// What a change survives.
    pub durability: Durability,
    /// Connections that read, beside the one that writes.
    pub readers: u32,
    /// How many identities there may be, and how much of each.
    pub quotas: Quotas,
    /// Whose identities they are: the account in the ARNs by which policies name them.
    pub account: AccountId,
}

impl SqliteOptions {
    /// The usual choices.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        // Reads are short and from memory: more threads than that only take turns.
        Self {
            path: path.into(),
            durability: Durability::default(),
            readers: 4,
            quotas: Quotas::default(),
            account: AccountId::default(),
        }
    }
}

/// Why a database could not be opened. [`remedy`](Self::remedy) says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be created, read or written.
    #[error("cannot open {path} for writing")]
    NotWritable {
        /// The database.
        path: PathBuf,
        /// Why.
        source: BoxError,
    },
    /// The file is something else.
    #[error("{path} is not a Postern database")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("the database {path} is damaged: {finding}")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// SQLite's finding.
        finding: String,
    },
    /// A newer version of Postern has worked with the file.
    #[error("the database {path} is of a newer Postern (schema {found}; this one knows up to {known})")]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The latest schema that this version knows.
        known: i64,
    },
    /// The secrets in the file were sealed with another key.
    #[error("the master key does not fit the database {path}")]
    WrongMasterKey {
        /// The database.
        path: PathBuf,
    },
    /// Another process writes to the file and does not stop.
    #[error("another process is using the database {path}")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot open the database {path}")]
    Other {
        /// The database.
        path: PathBuf,
        /// Why.
        source: BoxError,
    },
}

impl OpenError {
    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotWritable { .. } => {
                "Create the directory, or let the user that the server runs as write to it; check for a full or read-only disk."
            }
            Self::NotADatabase { .. } => {
                "Move the file away to start with an empty database, or set another data directory."
            }
            Self::Damaged { .. } => {
                "Restore the file from a backup together with its -wal file, or save what is left with: sqlite3 FILE .recover"
            }
            Self::NewerSchema { .. } => "Run the version that last used it or a later one.",
            Self::WrongMasterKey { .. } => {
                "Put back the master key that was in use when the database was created; without it the secrets in the database are lost."
            }
            Self::InUse { .. } => "Stop the other process; one server uses a data directory.",
            Self::Other { .. } => "Check the disk and the permissions of the data directory.",
        }
    }
}

impl SqliteStore {
    /// Opens the database, creates it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// Says what is wrong with the file, and leaves it as it was.
    pub async fn open(options: &SqliteOptions, master_key: MasterKey) -> Result<Self, OpenError> {
        let path = options.path.as_path();
        create_private(path)
            .map_err(|error| OpenError::NotWritable { path: path.into(), source: error.into() })?;
        let fail = |error| explain(path, error);

        let connect = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match options.durability {
                // In WAL mode NORMAL syncs the log only at checkpoints. The file stays consistent; a commit costs
                // no fsync, which on a plain disk is what limits how many sessions can start in a second.
                Durability::ServerCrash => SqliteSynchronous::Normal,
                Durability::PowerFailure => SqliteSynchronous::Full,
            })
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(CONNECTION_TIMEOUT)
                // Connections to a file do not age.
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };

        check_header(path)?;
        let writer = pool(1).connect_with(connect.clone()).await.map_err(fail)?;
        let generation = match prepare(path, &writer, &master_key).await {
            Ok(generation) => watch::Sender::new(generation),
            Err(error) => {
                writer.close().await;
                return Err(error);
            }
        };
        let readers = pool(options.readers.max(1))
            .connect_with(connect.pragma("query_only", "ON"))
            .await
            .map_err(fail)?;
        let (quotas, account) = (options.quotas.clone(), options.account.clone());
        Ok(Self { writer, readers, master_key, quotas, account, generation })
    }
}

/// Creates the file so that only its owner can read it; SQLite gives its companions the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Refuses a file that cannot be SQLite's before SQLite touches it. An empty file is a new database.
/// Source: the file format's header, <https://www.sqlite.org/fileformat2.html>.
fn check_header(path: &Path) -> Result<(), OpenError> {
    let mut header = Vec::new();
    let read = fs::File::open(path)
        .and_then(|file| io::Read::read_to_end(&mut io::Read::take(file, 16), &mut header));
    read.map_err(|error| OpenError::NotWritable { path: path.into(), source: error.into() })?;
    if header.is_empty() || header == b"SQLite format 3\0" {
        return Ok(());
    }
    Err(OpenError::NotADatabase { path: path.into() })
}

/// Checks an existing database and brings it up to date. Its identity generation is the value.
async fn prepare(path: &Path, writer: &SqlitePool, master_key: &MasterKey) -> Result<u64, OpenError> {
    let fail = |error| explain(path, error);

    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(writer).await.map_err(fail)?;
    if tables > 0 {
        let application: i64 =
            sqlx::query_scalar("PRAGMA application_id").fetch_one(writer).await.map_err(fail)?;
        if application != APPLICATION_ID {
            return Err(OpenError::NotADatabase { path: path.into() });
        }
        let finding: String =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(writer).await.map_err(fail)?;
        if finding != "ok" {
            return Err(OpenError::Damaged { path: path.into(), finding });
        }
    }
    migrate(path, writer, tables > 0).await?;
    check_master_key(path, writer, master_key).await?;
    generation::read(writer)
        .await
        .map_err(|error| OpenError::Other { path: path.into(), source: error.into() })
}

/// The migrations, oldest first. They are listed by hand because `sqlx::migrate!` would have SQLite and every driver
/// compiled a second time, for the compiler's own use.
pub(super) fn migrations() -> Vec<Migration> {
    let migration = |version, name, sql: &'static str| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
    };
    vec![
        migration(1, "first", include_str!("../../migrations/sqlite/0001_first.sql")),
        migration(2, "identities", include_str!("../../migrations/sqlite/0002_identities.sql")),
        migration(3, "session_authority", include_str!("../../migrations/sqlite/0003_session_authority.sql")),
        migration(4, "console_sign_ins", include_str!("../../migrations/sqlite/0004_console_sign_ins.sql")),
        migration(5, "passkeys", include_str!("../../migrations/sqlite/0005_passkeys.sql")),
        migration(6, "node_connections", include_str!("../../migrations/sqlite/0006_node_connections.sql")),
        migration(8, "kms", include_str!("../../migrations/sqlite/0008_kms.sql")),
        migration(10, "documents", include_str!("../../migrations/sqlite/0010_documents.sql")),
        migration(11, "objects", include_str!("../../migrations/sqlite/0011_objects.sql")),
        migration(
            18,
            "session_encryption",
            include_str!("../../migrations/sqlite/0018_session_encryption.sql"),
        ),
        migration(19, "session_logs", include_str!("../../migrations/sqlite/0019_session_logs.sql")),
        migration(
            20,
            "session_connections",
            include_str!("../../migrations/sqlite/0020_session_connections.sql"),
        ),
    ]
}

async fn migrate(path: &Path, writer: &SqlitePool, exists: bool) -> Result<(), OpenError> {
    let migrations = migrations();
    let known = migrations.iter().map(|migration| migration.version).max().unwrap_or(0);
    if exists {
        let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(writer)
            .await
            .map_err(|error| explain(path, error))?;
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(OpenError::NewerSchema { path: path.into(), found, known });
        }
    }
    Migrator::with_migrations(migrations)
        .run(writer)
        .await
        .map_err(|error| OpenError::Other { path: path.into(), source: error.into() })
}

/// Compares the master key with the one that the database was created with.
async fn check_master_key(path: &Path, writer: &SqlitePool, key: &MasterKey) -> Result<(), OpenError> {
    let fail = |error| explain(path, error);
    let stored: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT value_sealed FROM secret_settings WHERE name = ?")
            .bind(KEY_CHECK.id)
            .fetch_optional(writer)
            .await
            .map_err(fail)?;
    if let Some(stored) = stored {
        return match key.open(KEY_CHECK, &stored) {
            Ok(_) => Ok(()),
            Err(_) => Err(OpenError::WrongMasterKey { path: path.into() }),
        };
    }
    let sealed = key
        .seal(KEY_CHECK, b"the right key")
        .map_err(|error| OpenError::Other { path: path.into(), source: error.into() })?;
    sqlx::query("INSERT INTO secret_settings (name, value_sealed) VALUES (?, ?)")
        .bind(KEY_CHECK.id)
        .bind(sealed)
        .execute(writer)
        .await
        .map_err(fail)?;
    Ok(())
}

/// Finds out from SQLite's result code what is wrong with the file.
/// Source: <https://www.sqlite.org/rescode.html>; the low byte is the primary code.
fn explain(path: &Path, error: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<i32>().ok())
        .map(|code| code & 0xff);
    match code {
        Some(5 | 6) => OpenError::InUse { path },
        Some(8 | 10 | 13 | 14) => OpenError::NotWritable { path, source: error.into() },
        Some(11) => OpenError::Damaged { path, finding: error.to_string() },
        Some(26) => OpenError::NotADatabase { path },
        _ => OpenError::Other { path, source: error.into() },
    }
}
