//! Taking recordings out of the index: invisible at once, and soon not in its pages either.

use postern_ids::SessionId;
use serde_json::{Value, json};
use sqlx::{Row as _, SqliteConnection};

use crate::rows::{LINE_BITS, begin};
use crate::{IndexError, SearchIndex, words};

/// Lines that are removed in one transaction.
const LINES_AT_ONCE: i64 = 2000;
/// Pages that are given back to the file system at a time.
const PAGES_AT_ONCE: u32 = 4096;

impl SearchIndex {
    /// Forgets a session: nothing of it is found from now on. What is left is removed by [`purge`](Self::purge).
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget(&self, session: &SessionId) -> Result<(), IndexError> {
        sqlx::query("UPDATE documents SET state = 2, session = NULL WHERE session = ?")
            .bind(session.as_str())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Removes some of what has been forgotten. `false`: nothing is left.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn purge(&self) -> Result<bool, IndexError> {
        let select = "SELECT id FROM documents WHERE state = 2 LIMIT 1";
        let document: Option<i64> = sqlx::query_scalar(select).fetch_optional(&self.writer).await?;
        let Some(document) = document else { return Ok(false) };
        let mut tx = begin(&self.writer).await?;
        if !remove_lines(&mut tx, document).await? {
            sqlx::query("DELETE FROM commands WHERE document = ?").bind(document).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM documents WHERE id = ?").bind(document).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Gives back the room of what was removed, and empties the write-ahead log, which has older pages in it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn compact(&self) -> Result<(), IndexError> {
        let vacuum = format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})");
        sqlx::query(sqlx::AssertSqlSafe(vacuum)).fetch_all(&self.writer).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&self.writer).await?;
        Ok(())
    }

    /// Removes the text of the oldest recording that has any, if the index is larger than `bytes_max`; its timeline stays.
    /// `false`: it is not, or no text is left.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn shrink(&self, bytes_max: u64) -> Result<bool, IndexError> {
        let used = "SELECT (page_count - freelist_count) * page_size
             FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()";
        let used: i64 = sqlx::query_scalar(used).fetch_one(&self.writer).await?;
        if crate::unsql(used) <= bytes_max {
            return Ok(false);
        }
        let select = "SELECT id FROM documents WHERE state = 1 AND has_text ORDER BY id LIMIT 1";
        let document: Option<i64> = sqlx::query_scalar(select).fetch_optional(&self.writer).await?;
        let Some(document) = document else { return Ok(false) };
        // Said first: what is left of it after a crash is found, and is not all.
        let cut = "UPDATE documents SET has_text = 0 WHERE id = ?";
        sqlx::query(cut).bind(document).execute(&self.writer).await?;
        loop {
            let mut tx = begin(&self.writer).await?;
            let had_lines = remove_lines(&mut tx, document).await?;
            tx.commit().await?;
            if !had_lines {
                return Ok(true);
            }
        }
    }
}

/// Removes some lines of a document. `false`: it has none.
async fn remove_lines(connection: &mut SqliteConnection, document: i64) -> Result<bool, sqlx::Error> {
    let range = (document << LINE_BITS, (document + 1) << LINE_BITS);
    let rows = sqlx::query("SELECT id, text FROM lines WHERE id >= ? AND id < ? ORDER BY id LIMIT ?")
        .bind(range.0)
        .bind(range.1)
        .bind(LINES_AT_ONCE)
        .fetch_all(&mut *connection)
        .await?;
    let Some(last) = rows.last() else { return Ok(false) };
    let last: i64 = last.try_get("id")?;
    let words = |row: &sqlx::sqlite::SqliteRow| -> Result<Value, sqlx::Error> {
        Ok(json!([row.try_get::<i64, _>("id")?, words::indexed(row.try_get("text")?)]))
    };
    let words: Vec<Value> = rows.iter().map(words).collect::<Result<_, _>>()?;
    // An index without text has to be told what it is to forget.
    sqlx::query(
        "INSERT INTO words (words, rowid, text) SELECT 'delete', value ->> 0, value ->> 1 FROM json_each(?)",
    )
    .bind(Value::Array(words).to_string())
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM lines WHERE id >= ? AND id <= ?")
        .bind(range.0)
        .bind(last)
        .execute(connection)
        .await?;
    Ok(true)
}
