//! The store in one SQLite file.
//!
//! One connection writes, a few read. Writes are transactions that begin as writers (`BEGIN IMMEDIATE`), so what a
//! transaction has read cannot change before it writes.

mod activation;
mod console;
mod document;
mod fields;
mod generation;
mod identity;
mod kms;
mod node;
mod node_connection;
mod object;
mod open;
mod page;
mod passkey;
mod session;
mod session_connections;
mod session_encryption;
mod session_log;
mod setting;
mod tag;
mod token;

use postern_ids::AccountId;
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::watch;

pub use open::{Durability, OpenError, SqliteOptions};

use crate::Quotas;
use crate::error::StoreError;
use crate::seal::{MasterKey, Place};
use fields::Fields;

/// The store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    /// The only connection that writes.
    writer: SqlitePool,
    readers: SqlitePool,
    master_key: MasterKey,
    quotas: Quotas,
    account: AccountId,
    /// The identity generation that this store knows of.
    generation: watch::Sender<u64>,
}

impl SqliteStore {
    /// Begins a transaction that may write. It is rolled back when dropped.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin a transaction"))
    }

    /// Begins a transaction that reads everything as it is at one moment.
    async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers.begin().await.map_err(failed("begin to read"))
    }

    /// Waits for running statements, then closes the file. Whoever calls the store afterwards gets an error.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.master_key
            .seal(place, plain)
            .map_err(|_| StoreError::Seal { table: place.table, column: place.column })
    }

    fn unseal(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.master_key.open(place, sealed).map_err(|error| StoreError::InvalidRow {
            table: place.table,
            column: place.column,
            id: place.id.to_owned(),
            source: error.into(),
        })
    }
}

/// Says which step the database failed at.
fn failed(action: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| StoreError::Database { action, source: error.into() }
}

#[cfg(test)]
mod tests;
