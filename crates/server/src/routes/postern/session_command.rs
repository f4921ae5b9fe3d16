//! Commands of recordings as callers see them.

use std::time::Duration;

use postern_api::postern::SessionCommand;
use postern_timeline::Command;

pub(super) fn shown(command: Command) -> SessionCommand {
    let Command { number, text, directory, started_at, ended_at, exit_code, is_heuristic } = command;
    SessionCommand {
        number: Some(i32::try_from(number).unwrap_or(i32::MAX)),
        text: Some(text),
        directory,
        start_ms: Some(millis(started_at)),
        end_ms: ended_at.map(millis),
        duration_ms: ended_at.map(|end| millis(end.saturating_sub(started_at))),
        exit_code,
        heuristic: Some(is_heuristic),
    }
}

/// A time since the beginning of a recording.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
