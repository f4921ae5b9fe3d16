//! `postern recordings timeline`.

use postern_api::postern::{GetSessionTimelineInput, GetSessionTimelineOutput, SessionCommand};
use postern_client::Api;
use postern_ids::SessionId;
use postern_recording::{EventKind, EventParser};
use postern_timeline::{Command, Transcript};

use super::moment;
use super::source::{Cast, Source};
use crate::arguments::Global;
use crate::commands::{cell, print};
use crate::failure::Failure;

/// The most that one call gives.
const PAGE: i32 = 1000;
const HEADER: [&str; 6] = ["NO", "AT", "DURATION", "EXIT", "DIRECTORY", "COMMAND"];

#[derive(Debug, clap::Args)]
pub(crate) struct Timeline {
    /// The session
    session: SessionId,
}

impl Timeline {
    pub(super) async fn run(self, source: &Source, global: &Global) -> Result<(), Failure> {
        let timeline = match source {
            Source::Server(api) => of_server(api, &self.session).await?,
            Source::Directory(_) => of_cast(source.open(&self.session).await?, &self.session).await?,
        };
        let rows: Vec<_> = timeline.commands.iter().flatten().map(row).collect();
        print(global.output, &timeline, HEADER, &rows)?;
        if timeline.commands.iter().flatten().any(|command| command.heuristic == Some(true)) {
            eprintln!("~ The shell tells nothing of its commands: these are guessed from its prompts.");
        }
        if timeline.complete == Some(false) {
            eprintln!("The recording has been read up to {}.", moment::shown(timeline.read_to));
        }
        Ok(())
    }
}

async fn of_server(api: &Api, session: &SessionId) -> Result<GetSessionTimelineOutput, Failure> {
    let mut request = GetSessionTimelineInput {
        session_id: session.to_string(),
        max_results: Some(PAGE),
        next_token: None,
    };
    let mut commands = Vec::new();
    loop {
        let page = api.call(&request).await?;
        commands.extend(page.commands.unwrap_or_default());
        request.next_token = page.next_token.filter(|token| !token.is_empty());
        if request.next_token.is_none() {
            return Ok(GetSessionTimelineOutput { commands: Some(commands), next_token: None, ..page });
        }
    }
}

/// Reads it from the recording itself, as the server does for its index.
async fn of_cast(mut cast: Cast<'_>, session: &SessionId) -> Result<GetSessionTimelineOutput, Failure> {
    let (mut parser, mut events) = (EventParser::new(cast.name()), Vec::new());
    let mut transcript: Option<Transcript> = None;
    let mut commands: Vec<Command> = Vec::new();
    let mut read_to = std::time::Duration::ZERO;
    while let Some(bytes) = cast.next().await? {
        let parsed = parser.push(&bytes, &mut events);
        let cols = parser.terminal().cols;
        let transcript = transcript.get_or_insert_with(|| Transcript::new(cols));
        for event in events.drain(..) {
            read_to = event.at;
            match event.kind {
                EventKind::Output(text) => transcript.handle_output(event.at, &text),
                EventKind::Resize(terminal) => transcript.handle_resize(terminal.cols),
                EventKind::Exit(_) | EventKind::Marker(_) | EventKind::Other { .. } => {}
            }
            drop(transcript.take_lines());
        }
        for command in transcript.take_commands() {
            // It comes when it begins, and again when it ends.
            match commands.iter_mut().rev().find(|known| known.number == command.number) {
                Some(known) => *known = command,
                None => commands.push(command),
            }
        }
        parsed?;
    }
    Ok(GetSessionTimelineOutput {
        session_id: Some(session.to_string()),
        commands: Some(commands.into_iter().map(shown).collect()),
        read_to: Some(millis(read_to)),
        complete: None,
        next_token: None,
    })
}

fn shown(command: Command) -> SessionCommand {
    let Command { number, text, directory, started_at, ended_at, exit_code, is_heuristic } = command;
    SessionCommand {
        number: i32::try_from(number).ok(),
        text: Some(text),
        directory,
        start_ms: Some(millis(started_at)),
        end_ms: ended_at.map(millis),
        duration_ms: ended_at.map(|end| millis(end.saturating_sub(started_at))),
        exit_code,
        heuristic: Some(is_heuristic),
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn row(command: &SessionCommand) -> [String; 6] {
    let guess = if command.heuristic == Some(true) { "~" } else { "" };
    [
        format!("{}{guess}", cell(command.number.as_ref())),
        moment::shown(command.start_ms),
        moment::shown(command.duration_ms),
        cell(command.exit_code.as_ref()),
        cell(command.directory.as_ref()),
        cell(command.text.as_ref()),
    ]
}
