//! The place of AWS's session-manager-plugin, which the AWS CLI runs for each session.
//!
//! Arguments, texts and their places follow aws/session-manager-plugin, src/sessionmanagerplugin/session/session.go.
//! Unlike the plugin, which hangs when it cannot connect and exits with 0 whatever happened, this one tells what
//! went wrong on standard error and exits with 1; sessions that end in whatever way still exit with 0.

mod arguments;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use postern_client::{Ended, Layout, Notice, SessionError, SessionStart, Stdio, carries_stream, end_stdout};

use crate::arguments::Global;
use crate::config::Settings;
use crate::failure::{FAILED, Failure};
use crate::plugin::arguments::{Invocation, Session};
use crate::visible;

pub(crate) use arguments::RESPONSE_VARIABLE;

/// The version that this stands for: the newest whose features are all here, which the AWS CLI takes without a
/// warning (it asks for 1.2.764.0) and sends the response through the environment (above 1.2.497.0).
const VERSION: &str = "1.2.835.0";

/// Runs as the plugin; `arguments` are those after the program's name.
pub(crate) fn main(arguments: &[OsString]) -> ExitCode {
    let arguments: Vec<String> =
        arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let invocation = Invocation::parse(&arguments, |name| std::env::var(name).ok());
    let session = match invocation {
        Invocation::Session(session) => session,
        Invocation::Print(text) => {
            say(&text);
            return ExitCode::SUCCESS;
        }
        Invocation::Version => {
            say(&format!("{VERSION}\n"));
            return ExitCode::SUCCESS;
        }
        Invocation::Invalid(error) => {
            say(&format!("Cannot perform start session: {error}\n"));
            return ExitCode::from(FAILED);
        }
    };
    match run(&session) {
        Ok(ended) => {
            let text = ending(&ended, &session.response.session_id);
            match (session.carries_stream(), &ended) {
                (false, _) => say(&text),
                // Standard output is the stream's alone.
                (true, Ended::Closed { reason, .. }) if !reason.is_empty() => {
                    eprint!("{}", visible::text(&text));
                }
                (true, _) => {}
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(),
    }
}

impl Session {
    /// Whether standard output belongs to a connection. Of documents that customers wrote that is not known before the
    /// first words are said; as with AWS's plugin, they then stand before the stream.
    fn carries_stream(&self) -> bool {
        self.document_name.as_deref().is_some_and(carries_stream)
    }
}

fn run(session: &Session) -> Result<Ended, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let global = Global {
        profile: session.profile.clone(),
        region: Some(session.region.clone()),
        endpoint_url: session.endpoint_url.clone(),
        ..Global::default()
    };
    let response = &session.response;
    let start = SessionStart {
        session_id: response.session_id.clone(),
        target: session.target.clone().unwrap_or_default(),
        stream_url: response.stream_url.clone(),
        token_value: response.token_value.clone(),
        client_version: VERSION.to_owned(),
        layout: Layout::AllOnStdout,
        feeds_commands: false,
    };
    let result = runtime.block_on(async {
        let api = Settings::load(&global).await?.into_api();
        let is_stream = session.carries_stream();
        if !is_stream {
            say(&format!("\nStarting session with SessionId: {}\n", start.session_id));
        }
        let notify = |notice: Notice<'_>| notify(notice, is_stream, &start.session_id);
        postern_client::run(&api, &start, Stdio::inherited(), &notify).await.map_err(session_failed)
    });
    runtime.shutdown_background();
    result
}

fn session_failed(error: SessionError) -> Failure {
    let is_local = matches!(error, SessionError::Listen { .. });
    let failure = Failure::new(error);
    if is_local {
        failure.with_hint("choose another localPortNumber, or 0 for any that is free")
    } else {
        failure
    }
}

/// The plugin prints the agent's message on standard output and knows the other notices not at all.
fn notify(notice: Notice<'_>, is_stream: bool, session_id: &str) {
    match notice {
        Notice::ConnectionLost => eprint!("\r\nConnection lost, reconnecting (Enter ~ . to leave)\r\n"),
        Notice::Reconnected => eprint!("Connected again\r\n"),
        Notice::Escapes(text) => say(&format!("\r\n{text}")),
        Notice::Warning(text) => eprint!("\r\n{}\r\n", crate::visible::line(text)),
        Notice::Message(text) if is_stream => eprintln!("{}", visible::line(text)),
        Notice::OutputEnded => end_stdout(),
        Notice::Message(text) => say(&format!("{text}\r\n")),
        Notice::Listening { place, many: true } => {
            say(&format!("{place} opened for sessionId {session_id}.\nWaiting for connections...\n"));
        }
        Notice::Listening { place, many: false } => {
            say(&format!("{place} opened for sessionId {session_id}.\n"));
        }
        Notice::Accepted { many: true } => {
            say(&format!("\nConnection accepted for session [{session_id}]\n"))
        }
        Notice::Accepted { many: false } => say(&format!("Connection accepted for session {session_id}.\n")),
        Notice::DestinationFailed => {
            say("\nConnection to destination port failed, check SSM Agent logs.\n");
        }
        Notice::Leaving => say("Terminate signal received, exiting.\n"),
    }
}

fn ending(ended: &Ended, session_id: &str) -> String {
    match ended {
        Ended::Closed { reason, .. } if !reason.is_empty() => {
            format!("\n\nSessionId: {session_id} : {reason}\n\n")
        }
        Ended::TimedOut => format!("Session: {session_id} timed out.\n"),
        Ended::Closed { .. }
        | Ended::Left
        | Ended::OutputClosed
        | Ended::InputEnded
        | Ended::Signalled(_) => {
            format!("\n\nExiting session with sessionId: {session_id}.\n\n")
        }
    }
}

/// Prints on standard output, if anyone reads it.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_told_as_the_plugin_tells_them() {
        let closed = |reason: &str| Ended::Closed { reason: reason.into(), exit_code: Some(3) };
        assert_eq!(ending(&closed(""), "alice-1"), "\n\nExiting session with sessionId: alice-1.\n\n");
        assert_eq!(ending(&closed("idle"), "alice-1"), "\n\nSessionId: alice-1 : idle\n\n");
        assert_eq!(ending(&Ended::TimedOut, "alice-1"), "Session: alice-1 timed out.\n");
    }

    #[test]
    fn failures_are_told_in_one_line() {
        let source = std::io::ErrorKind::AddrInUse.into();
        let error = SessionError::Listen { place: "localhost:8080".into(), source };
        assert_eq!(crate::failure::text(&error), "cannot listen on localhost:8080: address in use");
    }
}
