//! Finding lines.

use std::collections::HashMap;
use std::time::Duration;

use postern_ids::SessionId;
use postern_timeline::Command;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::rows::LINE_BITS;
use crate::timeline;
use crate::words::Words;
use crate::{IndexError, SearchIndex, unsql};

/// Lines that are looked at, at a time.
const BATCH_LINES: i64 = 500;
/// Lines that one search looks at: they have the words, and may not have them as they were written.
const LOOKED_AT_MAX: usize = 20_000;

/// What to find.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// The words.
    pub words: Words,
    /// The sessions to look in.
    pub sessions: Vec<SessionId>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// At most this many hits.
    pub limit: usize,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(i64);

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum HitKind {
    /// It stood on the screen.
    Output = 0,
    /// It is a command's text, which did not stand on the screen so.
    Command = 1,
    /// It is what is known about the session: who, where, with which document, why.
    Session = 2,
}

/// A part of a line, in characters (Unicode scalar values).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The first.
    pub start: usize,
    /// Behind the last.
    pub end: usize,
}

/// A line that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where.
    pub session: SessionId,
    /// When, since the beginning of the recording.
    pub at: Duration,
    /// What it is.
    pub kind: HitKind,
    /// The line: one that a node wrote, without controls.
    pub text: String,
    /// What was found in it.
    pub marks: Vec<Mark>,
    /// The command that it is of, if one is known.
    pub command: Option<Command>,
}

/// A page of hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// The hits: those of the newest session first, and in a session the newest first.
    pub hits: Vec<Hit>,
    /// Where the next page begins, if there may be more.
    pub next: Option<Cursor>,
    /// Not all of these sessions is in the index: of some it is not there yet, of others there was too much.
    pub is_incomplete: bool,
}

impl SearchIndex {
    /// Finds lines.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchPage, IndexError> {
        let documents = self.documents(&query.sessions).await?;
        let mut page = SearchPage { hits: Vec::new(), next: None, is_incomplete: documents.is_incomplete };
        let Some(first) = documents.sessions.keys().min() else { return Ok(page) };
        let (first, fts) = (first << LINE_BITS, query.words.fts());
        let among = documents.sessions.keys().copied().map(Value::from).collect::<Value>().to_string();
        let mut before = query.after.map_or(i64::MAX, |Cursor(line)| line);
        let mut looked_at = 0;
        loop {
            let rows = self.lines(&fts, first, before, &among).await?;
            let is_last = rows.len() < usize::try_from(BATCH_LINES).unwrap_or(usize::MAX);
            for row in &rows {
                let line: i64 = row.try_get("id")?;
                if page.hits.len() == query.limit || looked_at == LOOKED_AT_MAX {
                    page.next = Some(Cursor(before));
                    return Ok(page);
                }
                (before, looked_at) = (line, looked_at + 1);
                let session = documents.sessions.get(&(line >> LINE_BITS));
                if let Some(session) = session {
                    page.hits.extend(hit(row, session, &query.words)?);
                }
            }
            if is_last {
                return Ok(page);
            }
        }
    }

    async fn lines(
        &self,
        fts: &str,
        first: i64,
        before: i64,
        among: &str,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        // The words decide where to begin: CROSS JOIN keeps the order of the tables.
        sqlx::query(
            "SELECT lines.id, lines.at_ms, lines.kind, lines.text, commands.number, commands.text AS command_text,
                 directory, started_ms, ended_ms, exit_code, is_heuristic
             FROM words CROSS JOIN lines ON lines.id = words.rowid
             LEFT JOIN commands ON commands.document = lines.id >> 24 AND commands.number = lines.command
             WHERE words MATCH ? AND words.rowid >= ? AND words.rowid < ?
                 AND words.rowid >> 24 IN (SELECT value FROM json_each(?))
             ORDER BY words.rowid DESC LIMIT ?",
        )
        .bind(fts)
        .bind(first)
        .bind(before)
        .bind(among)
        .bind(BATCH_LINES)
        .fetch_all(&self.readers)
        .await
    }

    async fn documents(&self, sessions: &[SessionId]) -> Result<Documents, IndexError> {
        let asked: Value = sessions.iter().map(SessionId::as_str).collect();
        let rows = sqlx::query(
            "SELECT id, session, state = 0 OR is_cut OR NOT has_text AS is_incomplete FROM documents
             WHERE session IN (SELECT value FROM json_each(?))",
        )
        .bind(asked.to_string())
        .fetch_all(&self.readers)
        .await?;
        let mut documents =
            Documents { sessions: HashMap::new(), is_incomplete: rows.len() < sessions.len() };
        for row in &rows {
            documents.is_incomplete |= row.try_get::<bool, _>("is_incomplete")?;
            documents.sessions.insert(row.try_get("id")?, timeline::session(row)?);
        }
        Ok(documents)
    }
}

/// The documents of some sessions.
struct Documents {
    sessions: HashMap<i64, SessionId>,
    is_incomplete: bool,
}

const _: () = assert!(LINE_BITS == 24, "as the statements have it");

/// `None`: the line has the words, and not as they were asked for.
fn hit(row: &SqliteRow, session: &SessionId, words: &Words) -> Result<Option<Hit>, sqlx::Error> {
    let text: String = row.try_get("text")?;
    let Some(places) = words.find(&text) else { return Ok(None) };
    let kind = match row.try_get::<i64, _>("kind")? {
        1 => HitKind::Command,
        2 => HitKind::Session,
        _ => HitKind::Output,
    };
    Ok(Some(Hit {
        session: session.clone(),
        at: Duration::from_millis(unsql(row.try_get("at_ms")?)),
        kind,
        text,
        marks: places.into_iter().map(|(start, end)| Mark { start, end }).collect(),
        command: timeline::command(row, "command_text")?,
    }))
}
