//! What can go wrong, an error for each kind of operation.

use std::path::PathBuf;

/// The store does not work at the moment, or not with this.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no room. What was written before is not touched.
    #[error("there is no room for logs")]
    Full(#[source] sqlx::Error),
    /// The database does not answer.
    #[error("the database of the logs failed")]
    Database(#[source] sqlx::Error),
    /// A block is not as it was written.
    #[error("block {block} of the logs is damaged")]
    Damaged {
        /// Its number.
        block: i64,
    },
    /// The store is being closed.
    #[error("the logs are being closed")]
    Closed,
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        let code = code.and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
        // SQLITE_FULL; SQLITE_IOERR is what a full disk gives where SQLite cannot tell.
        // Source: <https://www.sqlite.org/rescode.html>; the low byte is the primary code.
        match code {
            Some(10 | 13) => Self::Full(error),
            _ => Self::Database(error),
        }
    }
}

/// Why the logs cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be created, read or written, or is something else.
    #[error("cannot open {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The directory cannot be made.
    #[error("cannot create {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is damaged.
    #[error("the database {} is damaged: {finding}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's finding.
        finding: String,
    },
    /// A newer version has worked with the file.
    #[error("the database {} is of a newer Postern (layout {found})", path.display())]
    NewerLayout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
    },
}

/// Why a group is not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateGroupError {
    /// There is one of this name.
    #[error("the log group exists already")]
    Exists,
    /// There are as many as there may be.
    #[error("there are {limit} log groups already")]
    TooMany {
        /// How many there may be.
        limit: u32,
    },
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a group is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteGroupError {
    /// There is none of this name.
    #[error("there is no such log group")]
    Unknown,
    /// It is protected.
    #[error("the log group is protected from deletion")]
    Protected,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a group is not changed.
#[derive(Debug, thiserror::Error)]
pub enum GroupChangeError {
    /// There is none of this name.
    #[error("there is no such log group")]
    Unknown,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why tags are not changed.
#[derive(Debug, thiserror::Error)]
pub enum TagError {
    /// There is no group of this name.
    #[error("there is no such log group")]
    GroupUnknown,
    /// There would be more than there may be.
    #[error("a log group has at most {limit} tags")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a stream is not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateStreamError {
    /// There is no group of this name.
    #[error("there is no such log group")]
    GroupUnknown,
    /// There is a stream of this name.
    #[error("the log stream exists already")]
    Exists,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a stream is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum StreamChangeError {
    /// There is no group of this name.
    #[error("there is no such log group")]
    GroupUnknown,
    /// There is no stream of this name.
    #[error("there is no such log stream")]
    StreamUnknown,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why events are not written. None of them are.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// There is no group of this name.
    #[error("there is no such log group")]
    GroupUnknown,
    /// There is no stream of this name.
    #[error("there is no such log stream")]
    StreamUnknown,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why events are not read.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// There is no group of this name.
    #[error("there is no such log group")]
    GroupUnknown,
    /// There is no stream of this name.
    #[error("there is no such log stream")]
    StreamUnknown,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
