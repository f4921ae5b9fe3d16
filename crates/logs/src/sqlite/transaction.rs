//! Transactions that write.
//!
//! SQLite undoes a transaction by itself when there is no room on the disk. So it is not counted here how many are open:
//! whoever begins one undoes what may be left of the one before.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use crate::StorageError;

/// A transaction. Dropped, it is undone before the next one begins.
pub(super) struct Transaction(PoolConnection<Sqlite>);

impl Transaction {
    /// Begins when no other is under way.
    pub(super) async fn begin(writer: &SqlitePool) -> Result<Self, StorageError> {
        let mut connection = writer.acquire().await?;
        if run(&mut connection, "BEGIN IMMEDIATE").await.is_err() {
            // There may be none.
            let _ = run(&mut connection, "ROLLBACK").await;
            run(&mut connection, "BEGIN IMMEDIATE").await?;
        }
        Ok(Self(connection))
    }

    /// What it did is on the disk; or nothing of it ever will be.
    pub(super) async fn commit(mut self) -> Result<(), StorageError> {
        run(&mut self.0, "COMMIT").await
    }
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), StorageError> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}

impl Deref for Transaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}
