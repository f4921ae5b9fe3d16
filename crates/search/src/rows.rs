//! What is written of a recording, a piece at a time.

use postern_timeline::Command;
use serde_json::{Value, json};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::query::HitKind;
use crate::{IndexError, sql, words};

/// Bits of a line's number that count the lines of one recording.
pub(crate) const LINE_BITS: u32 = 24;
/// The most lines of one recording.
pub(crate) const LINES_MAX: u64 = 1 << LINE_BITS;

/// A line as the index has it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) at_ms: u64,
    pub(crate) kind: HitKind,
    pub(crate) command: Option<u32>,
    pub(crate) text: String,
}

/// A piece of a recording.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    pub(crate) lines: Vec<Row>,
    pub(crate) commands: Vec<Command>,
    /// Up to which moment the recording has been read.
    pub(crate) read_ms: u64,
    /// There was more than the index takes.
    pub(crate) is_cut: bool,
    /// Nothing follows.
    pub(crate) is_last: bool,
}

/// A transaction that writes from its beginning.
pub(crate) async fn begin(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    writer.begin_with("BEGIN IMMEDIATE").await
}

/// Writes a piece whose first line has that place in the document. `false`: the document has been forgotten.
pub(crate) async fn insert(
    writer: &SqlitePool,
    document: i64,
    first_line: u64,
    piece: &Piece,
) -> Result<bool, IndexError> {
    let mut tx = begin(writer).await?;
    let update =
        "UPDATE documents SET read_ms = ?, is_cut = max(is_cut, ?), state = ? WHERE id = ? AND state = 0";
    let updated = sqlx::query(update)
        .bind(sql(piece.read_ms))
        .bind(piece.is_cut)
        .bind(i64::from(piece.is_last))
        .bind(document)
        .execute(&mut *tx)
        .await?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    insert_lines(&mut tx, document, first_line, &piece.lines).await?;
    insert_commands(&mut tx, document, &piece.commands).await?;
    tx.commit().await?;
    Ok(true)
}

async fn insert_lines(
    connection: &mut SqliteConnection,
    document: i64,
    first_line: u64,
    lines: &[Row],
) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let ids = (document << LINE_BITS) + sql(first_line)..;
    let (rows, words): (Vec<Value>, Vec<Value>) = ids
        .zip(lines)
        .map(|(id, Row { at_ms, kind, command, text })| {
            (json!([id, at_ms, *kind as u8, command, text]), json!([id, words::indexed(text)]))
        })
        .unzip();
    // One statement for all rows: a call of SQLite's thread for each would cost more than the rows.
    sqlx::query(
        "INSERT INTO lines (id, at_ms, kind, command, text)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)",
    )
    .bind(Value::Array(rows).to_string())
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO words (rowid, text) SELECT value ->> 0, value ->> 1 FROM json_each(?)")
        .bind(Value::Array(words).to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_commands(
    connection: &mut SqliteConnection,
    document: i64,
    commands: &[Command],
) -> Result<(), sqlx::Error> {
    if commands.is_empty() {
        return Ok(());
    }
    let row = |command: &Command| {
        let Command { number, text, directory, exit_code, is_heuristic, started_at, ended_at } = command;
        let ended_ms = ended_at.map(|at| at.as_millis());
        json!([document, number, text, directory, started_at.as_millis(), ended_ms, exit_code, is_heuristic])
    };
    // What is said last of a command counts.
    sqlx::query(
        "INSERT OR REPLACE INTO commands
             (document, number, text, directory, started_ms, ended_ms, exit_code, is_heuristic)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
         FROM json_each(?)",
    )
    .bind(commands.iter().map(row).collect::<Value>().to_string())
    .execute(connection)
    .await?;
    Ok(())
}
