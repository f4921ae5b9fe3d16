//! What the index keeps of each record, in chunks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use postern_audit_format::Record;
use postern_audit_format::chain::Line;
use postern_audit_format::segment::{self, Lines};
use serde_json::{Value, json};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::query::Attribute;
use super::{IndexedTo, LookupError, sql, unsql};
use crate::appender::Progress;
use crate::disk;

/// Lines that are indexed in one transaction.
const CHUNK_LINES_MAX: usize = 2000;
/// Bytes of them.
const CHUNK_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A part of the chain as rows.
#[derive(Debug)]
pub(super) struct Chunk {
    events: Vec<Value>,
    terms: Vec<Value>,
    /// Up to where the chain is indexed with it.
    pub(super) to: IndexedTo,
}

impl Chunk {
    /// Reads on from a place in the chain, at most to `target`.
    pub(super) fn read(chain: &Path, from: IndexedTo, target: Progress) -> Result<Self, LookupError> {
        let mut chunk = Self { events: Vec::new(), terms: Vec::new(), to: from };
        let end = |segment| (segment == target.segment).then_some(target.segment_bytes);
        let mut segment = from.segment;
        if segment == 0 || is_at_end(chain, &from, end(segment))? {
            segment = next_segment(chain, segment)?;
            chunk.to.offset = 0;
        }
        chunk.to.segment = segment;
        chunk.take_lines(&chain.join(segment::file_name(segment)), end(segment))?;
        Ok(chunk)
    }

    /// Reads on in one segment, which is complete, or indexed before.
    pub(super) fn read_segment(chain: &Path, from: IndexedTo) -> Result<Self, LookupError> {
        let mut chunk = Self { events: Vec::new(), terms: Vec::new(), to: from };
        chunk.take_lines(&chain.join(segment::file_name(from.segment)), None)?;
        Ok(chunk)
    }

    fn take_lines(&mut self, path: &Path, end: Option<u64>) -> Result<(), LookupError> {
        let named = |error| disk::named(path, error);
        let (start, mut count) = (self.to.offset, 0);
        let mut lines = Lines::open(path, start).map_err(named)?;
        if let Some(end) = end {
            lines = lines.until(end);
        }
        while count < CHUNK_LINES_MAX && lines.offset() - start < CHUNK_BYTES_MAX {
            let Some(raw) = lines.next_line().map_err(named)? else { break };
            let sequence = self.to.sequence + 1;
            let line = Line::parse(raw.bytes)
                .ok()
                .filter(|_| raw.is_complete)
                .ok_or_else(|| LookupError::Damaged { path: path.to_owned(), sequence })?;
            self.take(&line, raw.offset);
            self.to.line_offset = raw.offset;
            self.to.offset = lines.offset();
            count += 1;
        }
        Ok(())
    }

    fn take(&mut self, line: &Line<'_>, offset: u64) {
        if line.sequence <= self.to.sequence {
            return;
        }
        self.to.sequence = line.sequence;
        self.to.hash = line.hash;
        let Some(body) = line.body.filter(|_| line.kind.is_shown()) else { return };
        let Ok(record) = serde_json::from_slice::<Record>(body) else { return };
        let (sequence, time) = (line.sequence, record.event_time.as_second());
        self.events.push(json!([sequence, self.to.segment, offset]));
        for (attribute, value) in Attribute::of(&record) {
            self.terms.push(json!([attribute as u8, value, time, sequence]));
        }
    }
}

/// Whether nothing more is in a segment.
fn is_at_end(chain: &Path, at: &IndexedTo, end: Option<u64>) -> Result<bool, LookupError> {
    let path = chain.join(segment::file_name(at.segment));
    let length = match end.map_or_else(|| fs::metadata(&path).map(|about| about.len()), Ok) {
        // It was removed: what follows is in the next.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        length => length.map_err(|error| disk::named(&path, error))?,
    };
    Ok(at.offset >= length)
}

fn next_segment(chain: &Path, after: u64) -> Result<u64, LookupError> {
    let (segments, _) = segment::list(chain).map_err(|error| disk::named(chain, error))?;
    segments.into_iter().find(|first| *first > after).ok_or_else(|| {
        let what = format!("{}: there is no segment after {after}", PathBuf::from(chain).display());
        io::Error::new(io::ErrorKind::NotFound, what).into()
    })
}

/// Writes a chunk and how far the index goes with it.
pub(super) async fn insert(writer: &SqlitePool, chunk: &Chunk) -> Result<(), sqlx::Error> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    insert_rows(&mut tx, chunk).await?;
    let IndexedTo { sequence, hash, segment, line_offset, offset } = chunk.to;
    sqlx::query(
        "INSERT OR REPLACE INTO position (id, sequence, hash, segment, line_offset, offset)
         VALUES (1, ?, ?, ?, ?, ?)",
    )
    .bind(sql(sequence))
    .bind(hash.to_string())
    .bind(sql(segment))
    .bind(sql(line_offset))
    .bind(sql(offset))
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Writes a chunk of a part that was indexed before.
pub(super) async fn insert_again(writer: &SqlitePool, chunk: &Chunk) -> Result<(), sqlx::Error> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    insert_rows(&mut tx, chunk).await?;
    tx.commit().await
}

async fn insert_rows(connection: &mut sqlx::SqliteConnection, chunk: &Chunk) -> Result<(), sqlx::Error> {
    if chunk.events.is_empty() {
        return Ok(());
    }
    // One statement for all rows: a call of SQLite's thread for each would cost more than the rows.
    sqlx::query(
        "INSERT OR REPLACE INTO events (sequence, segment, offset)
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)",
    )
    .bind(Value::from(chunk.events.as_slice()).to_string())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT OR IGNORE INTO terms (attribute, value, time, sequence)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
    )
    .bind(Value::from(chunk.terms.as_slice()).to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets the events of a segment.
pub(super) async fn forget_segment(writer: &SqlitePool, segment: u64) -> Result<(), sqlx::Error> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("DELETE FROM terms WHERE sequence IN (SELECT sequence FROM events WHERE segment = ?)")
        .bind(sql(segment))
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM events WHERE segment = ?").bind(sql(segment)).execute(&mut *tx).await?;
    tx.commit().await
}

/// The row of how far the index goes.
pub(super) fn position(row: &SqliteRow) -> Result<IndexedTo, sqlx::Error> {
    let hash: String = sqlx::Row::try_get(row, "hash")?;
    let hash = hash
        .parse()
        .map_err(|error: postern_audit_format::chain::HashError| sqlx::Error::Decode(error.into()))?;
    Ok(IndexedTo {
        sequence: unsql(row, "sequence")?,
        hash,
        segment: unsql(row, "segment")?,
        line_offset: unsql(row, "line_offset")?,
        offset: unsql(row, "offset")?,
    })
}
