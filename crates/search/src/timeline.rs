//! The commands of one recording.

use std::time::Duration;

use postern_ids::SessionId;
use postern_timeline::Command;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{IndexError, SearchIndex, unsql};

/// What the index knows about a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// Up to which moment it has been read, since its beginning.
    pub read_to: Duration,
    /// All of it has been read.
    pub is_complete: bool,
}

/// A page of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelinePage {
    /// What is known of the recording.
    pub timeline: Timeline,
    /// The commands, in the order in which they began.
    pub commands: Vec<Command>,
    /// There are more.
    pub has_more: bool,
}

impl SearchIndex {
    /// At most so many commands of a session, those after a number. `None`: the session is not in the index (yet).
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timeline(
        &self,
        session: &SessionId,
        after: u32,
        limit: u32,
    ) -> Result<Option<TimelinePage>, IndexError> {
        let select = "SELECT id, state = 1 AS is_complete, read_ms FROM documents WHERE session = ?";
        let row = sqlx::query(select).bind(session.as_str()).fetch_optional(&self.readers).await?;
        let Some(row) = row else { return Ok(None) };
        let document: i64 = row.try_get("id")?;
        let timeline = Timeline {
            read_to: Duration::from_millis(unsql(row.try_get("read_ms")?)),
            is_complete: row.try_get("is_complete")?,
        };
        let rows = sqlx::query(
            "SELECT number, text, directory, started_ms, ended_ms, exit_code, is_heuristic FROM commands
             WHERE document = ? AND number > ? ORDER BY number LIMIT ?",
        )
        .bind(document)
        .bind(i64::from(after))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.readers)
        .await?;
        let mut commands: Vec<Command> =
            rows.iter().filter_map(|row| command(row, "text").transpose()).collect::<Result<_, _>>()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = commands.len() > limit;
        commands.truncate(limit);
        Ok(Some(TimelinePage { timeline, commands, has_more }))
    }
}

/// The command of a row, whose text is in that column. `None`: the row has none.
pub(crate) fn command(row: &SqliteRow, text: &str) -> Result<Option<Command>, sqlx::Error> {
    let Some(number) = row.try_get::<Option<i64>, _>("number")? else { return Ok(None) };
    let millis = |number: i64| Duration::from_millis(unsql(number));
    Ok(Some(Command {
        number: u32::try_from(number).unwrap_or(u32::MAX),
        text: row.try_get(text)?,
        directory: row.try_get("directory")?,
        started_at: millis(row.try_get("started_ms")?),
        ended_at: row.try_get::<Option<i64>, _>("ended_ms")?.map(millis),
        exit_code: row.try_get("exit_code")?,
        is_heuristic: row.try_get("is_heuristic")?,
    }))
}

/// The session of a row.
pub(crate) fn session(row: &SqliteRow) -> Result<SessionId, sqlx::Error> {
    let session: String = row.try_get("session")?;
    session.parse().map_err(|error: postern_ids::ParseError| sqlx::Error::Decode(error.into()))
}
