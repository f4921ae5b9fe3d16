//! Taking a recording in, piece by piece.

use std::io;
use std::time::Duration;

use postern_ids::SessionId;
use postern_recording::{EventKind, EventParser, Recording, RecordingInfo, RecordingStatus};
use postern_timeline::{Command, TextLine, Transcript, visible_line};
use tokio::task::spawn_blocking;

use crate::query::HitKind;
use crate::rows::{self, LINES_MAX, Piece, Row};
use crate::{IndexError, SearchIndex};

/// The most bytes of text of one recording that are searched; what comes later is in the recording only.
pub const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of a recording that are read at a time.
const PIECE_BYTES: u64 = 512 * 1024;
/// The most characters of what is known about a session.
const FACTS_CHARS_MAX: usize = 2048;

/// A recording that is being taken in. It holds some kilobytes, and no file open.
pub struct Reading {
    session: SessionId,
    document: i64,
    /// Lines that are in the index.
    lines: u64,
    text_bytes: u64,
    /// Bytes of the file that have been read.
    offset: u64,
    parser: EventParser,
    transcript: Option<Transcript>,
    at: Duration,
    facts: Option<String>,
}

/// How far a reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is more to read at once.
    More,
    /// All that is on record so far is in the index.
    UpToDate,
    /// All of the recording is in the index.
    Complete,
    /// The session has been forgotten meanwhile.
    Forgotten,
}

impl SearchIndex {
    /// Begins to take a recording in. What there is of it from before is forgotten.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(&self, recording: &RecordingInfo) -> Result<Reading, IndexError> {
        let session = recording.session_id.clone();
        self.forget(&session).await?;
        let insert = "INSERT INTO documents (session, state) VALUES (?, 0) RETURNING id";
        let document: i64 = sqlx::query_scalar(insert).bind(session.as_str()).fetch_one(&self.writer).await?;
        Ok(Reading {
            parser: EventParser::new(format!("the recording of {session}")),
            session,
            document,
            lines: 0,
            text_bytes: 0,
            offset: 0,
            transcript: None,
            at: Duration::ZERO,
            facts: Some(facts(recording)),
        })
    }

    /// Takes the next piece in. `recording` is as it is now.
    ///
    /// # Errors
    /// The recording cannot be read, or the database does not answer. A piece is in the index as a whole or not at all;
    /// the reading has to begin again.
    pub async fn advance(
        &self,
        reading: Reading,
        recording: Recording,
    ) -> Result<(Reading, Step), IndexError> {
        let read = spawn_blocking(move || read(reading, &recording));
        let (mut reading, piece, step) = read.await.map_err(io::Error::other)??;
        let has_news = piece.is_last || !piece.lines.is_empty() || !piece.commands.is_empty();
        if has_news && !rows::insert(&self.writer, reading.document, reading.lines, &piece).await? {
            return Ok((reading, Step::Forgotten));
        }
        reading.lines += u64::try_from(piece.lines.len()).unwrap_or(LINES_MAX);
        Ok((reading, step))
    }
}

impl Reading {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// What was said in some output.
    fn take(&mut self, kind: EventKind, lines: &mut Vec<TextLine>) {
        let cols = self.parser.terminal().cols;
        let transcript = self.transcript.get_or_insert_with(|| Transcript::new(cols));
        match kind {
            EventKind::Output(text) => transcript.handle_output(self.at, &text),
            EventKind::Resize(terminal) => transcript.handle_resize(terminal.cols),
            EventKind::Marker(label) => {
                let text = visible_line(&label, FACTS_CHARS_MAX);
                if !text.trim().is_empty() {
                    lines.push(TextLine { at: self.at, text, command: None });
                }
            }
            EventKind::Exit(_) | EventKind::Other { .. } => {}
        }
        lines.extend(transcript.take_lines());
    }

    /// The rows of lines and commands, as far as there is room.
    fn piece(&mut self, lines: Vec<TextLine>, commands: Vec<Command>) -> Piece {
        let mut piece = Piece { read_ms: millis(self.at), ..Piece::default() };
        let mut rows: Vec<Row> = Vec::with_capacity(lines.len());
        rows.extend(self.facts.take().map(|text| Row {
            at_ms: 0,
            kind: HitKind::Session,
            command: None,
            text,
        }));
        rows.extend(unseen(&lines, &commands));
        rows.extend(lines.into_iter().map(|TextLine { at, text, command }| Row {
            at_ms: millis(at),
            kind: HitKind::Output,
            command,
            text,
        }));
        for row in rows {
            let bytes = u64::try_from(row.text.len()).unwrap_or(TEXT_BYTES_MAX);
            let count = self.lines + u64::try_from(piece.lines.len()).unwrap_or(LINES_MAX);
            if self.text_bytes + bytes > TEXT_BYTES_MAX || count >= LINES_MAX {
                piece.is_cut = true;
                break;
            }
            self.text_bytes += bytes;
            piece.lines.push(row);
        }
        piece.commands = commands;
        piece
    }
}

fn read(mut reading: Reading, recording: &Recording) -> io::Result<(Reading, Piece, Step)> {
    let is_over = recording.summary.status != RecordingStatus::Running;
    let part = recording.part(reading.offset, PIECE_BYTES)?;
    reading.offset += u64::try_from(part.bytes.len()).unwrap_or(u64::MAX);
    let (mut events, mut lines) = (Vec::new(), Vec::new());
    let parsed = reading.parser.push(&part.bytes, &mut events);
    for event in events {
        reading.at = event.at;
        reading.take(event.kind, &mut lines);
    }
    if let Err(error) = &parsed {
        // What there is of it can be found; another try would not find more.
        tracing::warn!(%error, session.id = %reading.session, "the recording of session {} is damaged", reading.session);
    }
    let step = match reading.offset < part.readable {
        _ if parsed.is_err() => Step::Complete,
        true => Step::More,
        false if is_over => Step::Complete,
        false => Step::UpToDate,
    };
    let mut commands = Vec::new();
    let mut is_truncated = parsed.is_err();
    if let Some(transcript) = &mut reading.transcript {
        if step == Step::Complete {
            transcript.finish();
        }
        lines.extend(transcript.take_lines());
        commands = transcript.take_commands();
        is_truncated |= transcript.is_truncated();
    }
    let mut piece = reading.piece(lines, commands);
    piece.is_last = step == Step::Complete;
    piece.is_cut |= is_truncated;
    Ok((reading, piece, step))
}

/// The texts of commands that do not stand in a line as they are, such as those of several lines.
fn unseen<'c>(lines: &'c [TextLine], commands: &'c [Command]) -> impl Iterator<Item = Row> + 'c {
    let is_seen = |command: &Command| {
        let mut own = lines.iter().filter(|line| line.command == Some(command.number));
        own.any(|line| line.text.contains(&command.text))
    };
    // A command comes when it begins, and again when it ends.
    let begun = commands.iter().filter(|command| command.ended_at.is_none() && !command.text.is_empty());
    begun.filter(move |command| !is_seen(command)).map(|command| Row {
        at_ms: millis(command.started_at),
        kind: HitKind::Command,
        command: Some(command.number),
        text: command.text.replace('\n', " "),
    })
}

/// What is known about a session, as one line.
fn facts(recording: &RecordingInfo) -> String {
    let RecordingInfo { session_id, owner, node, node_name, document, reason, .. } = recording;
    let name = node_name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
    let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    visible_line(&format!("{session_id} {owner} {name}{node} {document}{reason}"), FACTS_CHARS_MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
