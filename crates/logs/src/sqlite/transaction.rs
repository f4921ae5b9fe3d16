//! Transactions that write.
//!
//! SQLite undoes a transaction by itself when there is no room on the disk. So it is not counted here how many are open:
//! whoever begins one undoes what may be left of the one before. One that is dropped is undone at once, because it keeps
//! new connections from opening the file.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use crate::StorageError;

/// A transaction. Dropped, it is undone before the next one begins.
pub(super) struct Transaction {
    /// There until it is dropped.
    connection: Option<PoolConnection<Sqlite>>,
    is_over: bool,
}

/// What is not there only while it is dropped.
const DROPPED: &str = "a transaction has its connection until it is dropped";

impl Transaction {
    /// Begins when no other is under way.
    pub(super) async fn begin(writer: &SqlitePool) -> Result<Self, StorageError> {
        let mut connection = writer.acquire().await?;
        if run(&mut connection, "BEGIN IMMEDIATE").await.is_err() {
            // There may be none.
            let _ = run(&mut connection, "ROLLBACK").await;
            run(&mut connection, "BEGIN IMMEDIATE").await?;
        }
        Ok(Self { connection: Some(connection), is_over: false })
    }

    /// What it did is on the disk; or nothing of it ever will be.
    pub(super) async fn commit(mut self) -> Result<(), StorageError> {
        run(&mut self, "COMMIT").await?;
        self.is_over = true;
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a connection that goes back to its pool, as sqlx's own do")]
impl Drop for Transaction {
    fn drop(&mut self) {
        if let (Some(mut connection), false) = (self.connection.take(), self.is_over) {
            // It ends by itself, and whoever wants the connection waits for that.
            tokio::spawn(async move { run(&mut connection, "ROLLBACK").await });
        }
    }
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), StorageError> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}

impl Deref for Transaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_deref().expect(DROPPED)
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_deref_mut().expect(DROPPED)
    }
}
