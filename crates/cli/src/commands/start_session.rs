//! `postern start-session`.

use std::io::Write as _;

use postern_api::Secret;
use postern_api::ssm::StartSessionInput;
use postern_client::{
    Api, Ended, Layout, Notice, SessionError, SessionStart, Stdio, carries_stream, end_stdout,
};

use crate::arguments::Global;
use crate::commands::api;
use crate::failure::{Failure, SESSION_FAILED};
use crate::parameters::{Parameters, command_line};
use crate::visible;

/// What the server and the agent learn of this client.
pub(crate) const CLIENT_VERSION: &str = concat!("postern/", env!("CARGO_PKG_VERSION"));
/// Exit status after a signal is this and the signal's number, as in shells.
const SIGNALLED: i32 = 128;

/// Start a shell, or a command, on a managed node.
///
/// In a shell, escapes are recognised at the beginning of a line: `~.` terminates the session, `~?` lists the
/// escapes. Input that is piped into the shell ends it when it ends.
///
/// With the documents AWS-StartSSHSession and Postern-StartSFTPSession standard input and output are a connection, for
/// the ProxyCommand of ssh and its like. With AWS-StartPortForwardingSession and its like a port of this machine leads to one
/// of the node's, or of a host that it reaches, until Ctrl-C ends the session.
///
/// A command after `--` runs without a terminal, its standard error apart; with `--tty` it gets a terminal. Several
/// words reach the command as they are; a single word is split as a command line.
///
/// Exit status: that of the remote shell or command; 255 if the session could not be started, was lost, or was
/// terminated from elsewhere; 128 and the number of the signal that ended this program; 2 for wrong usage.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct StartSession {
    /// The node
    #[arg(value_name = "NODE", required_unless_present = "target", conflicts_with = "target")]
    node: Option<String>,
    /// The node, as the AWS CLI writes it
    #[arg(long, value_name = "NODE")]
    target: Option<String>,
    /// The session document
    #[arg(long, value_name = "NAME", conflicts_with_all = ["command", "tty"])]
    document_name: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Parameters of the document: name=value,… or JSON
    #[arg(long, value_name = "PARAMETERS", conflicts_with = "command")]
    parameters: Option<Parameters>,
    /// Give the command a terminal
    #[arg(short, long, requires = "command")]
    tty: bool,
    /// A command instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl StartSession {
    fn request(self) -> StartSessionInput {
        let (document_name, parameters) = if self.command.is_empty() {
            (self.document_name, self.parameters.map(|Parameters(values)| values))
        } else {
            let one = |value: &str| vec![value.to_owned()];
            let mut values = Parameters::default().0;
            values.insert("command".to_owned(), vec![command_line(&self.command)]);
            if self.tty {
                (Some("AWS-StartInteractiveCommand".to_owned()), Some(values))
            } else {
                // Otherwise AWS's agent keeps all output until the command has ended, and tells no exit code.
                values.insert("separateOutputStream".to_owned(), one("true"));
                (Some("AWS-StartNonInteractiveCommand".to_owned()), Some(values))
            }
        };
        StartSessionInput {
            target: self.node.or(self.target).unwrap_or_default(),
            document_name,
            reason: self.reason,
            parameters: parameters.map(|values| values.into_iter().collect()),
        }
    }

    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let failed = |failure: Failure| failure.with_status(SESSION_FAILED);
        let is_command = !self.command.is_empty();
        let request = self.request();
        let is_quiet = is_command || request.document_name.as_deref().is_some_and(carries_stream);
        let api = api(global).await.map_err(failed)?;
        let (ended, session_id) = carry(&api, &request, is_quiet, false).await?;
        Ok(exit_status(&ended, &session_id))
    }
}

/// Starts a session and carries it to its end, between standard input, output and error. Gives its end and its ID.
pub(crate) async fn carry(
    api: &Api,
    request: &StartSessionInput,
    is_quiet: bool,
    feeds_commands: bool,
) -> Result<(Ended, String), Failure> {
    let started = api.call(request).await.map_err(|error| Failure::new(error).with_status(SESSION_FAILED))?;
    let start = SessionStart {
        session_id: started.session_id.unwrap_or_default(),
        target: request.target.clone(),
        stream_url: started.stream_url.unwrap_or_default(),
        token_value: started.token_value.map(Secret::into_exposed).unwrap_or_default(),
        client_version: CLIENT_VERSION.to_owned(),
        layout: Layout::Apart,
        feeds_commands,
    };
    if !is_quiet {
        eprintln!("Starting session {}", start.session_id);
    }
    let ended =
        postern_client::run(api, &start, Stdio::inherited(), &notify).await.map_err(session_failed)?;
    Ok((ended, start.session_id))
}

/// Tells on standard error, where a raw terminal needs both line ends.
fn notify(notice: Notice<'_>) {
    match notice {
        Notice::ConnectionLost => {
            eprint!("\r\npostern: connection lost, reconnecting (Enter ~ . to leave)\r\n")
        }
        Notice::Reconnected => eprint!("postern: connected again\r\n"),
        Notice::Escapes(text) => eprint!("\r\n{text}"),
        // The cursor may stand anywhere in a line of the session.
        Notice::Warning(text) => eprint!("\r\n{}\r\n", visible::line(text)),
        Notice::Message(text) => eprint!("{}\r\n", visible::line(text)),
        Notice::OutputEnded => end_stdout(),
        // On standard output, where a script finds the port that it asked for none in particular.
        Notice::Listening { place, .. } => say(&format!("{place} is open; Ctrl-C ends the session\n")),
        Notice::DestinationFailed => {
            eprintln!("postern: the node could not connect to the destination; its log says why");
        }
        Notice::Leaving => eprintln!("postern: ending the session"),
        Notice::Accepted { .. } => {}
    }
}

/// Prints on standard output, if anyone reads it.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn session_failed(error: SessionError) -> Failure {
    let hint = match &error {
        SessionError::Listen { .. } => {
            Some("choose another local port, or 0 for any that is free; a socket file must not exist yet")
        }
        _ => None,
    };
    let failure = Failure::new(error).with_status(SESSION_FAILED);
    match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// Tells why a session ended, where that is not obvious, and gives the exit status.
pub(crate) fn exit_status(ended: &Ended, session_id: &str) -> u8 {
    match ended {
        Ended::Closed { exit_code: Some(code), reason } => {
            tell_reason(session_id, reason);
            // What does not fit is a failure all the same, as in a shell.
            u8::try_from(*code).unwrap_or(SESSION_FAILED)
        }
        Ended::Closed { exit_code: None, reason } if reason.is_empty() => 0,
        Ended::Closed { exit_code: None, reason } => {
            tell_reason(session_id, reason);
            SESSION_FAILED
        }
        Ended::TimedOut => {
            eprintln!("postern: session {session_id} timed out");
            SESSION_FAILED
        }
        Ended::Left => {
            eprintln!("postern: session {session_id} terminated");
            SESSION_FAILED
        }
        Ended::OutputClosed | Ended::InputEnded => 0,
        Ended::Signalled(signal) => u8::try_from(SIGNALLED + signal).unwrap_or(SESSION_FAILED),
    }
}

/// The reason may hold a node's words, which must not drive this terminal.
fn tell_reason(session_id: &str, reason: &str) {
    if !reason.is_empty() {
        let text = visible::text(reason.trim());
        eprintln!("postern: session {session_id}: {text}");
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn request(arguments: &[&str]) -> Result<StartSessionInput, clap::Error> {
        let arguments = [&["postern", "start-session"], arguments].concat();
        match Arguments::try_parse_from(arguments)?.command {
            Command::StartSession(command) => Ok(command.request()),
            _ => panic!("another command"),
        }
    }

    fn check(arguments: &[&str], json: &str) {
        let request = request(arguments).unwrap();
        assert_eq!(
            serde_json::to_value(&request).unwrap(),
            serde_json::from_str::<serde_json::Value>(json).unwrap(),
            "{arguments:?}"
        );
    }

    #[test]
    fn arguments_become_awss_request() {
        check(&["mi-1"], r#"{"Target":"mi-1"}"#);
        check(&["--target", "mi-1", "--reason", "why not"], r#"{"Target":"mi-1","Reason":"why not"}"#);
        check(
            &["mi-1", "--document-name", "D", "--parameters", "a=1"],
            r#"{"Target":"mi-1","DocumentName":"D","Parameters":{"a":["1"]}}"#,
        );
        check(
            &["mi-1", "--", "ls", "-l", "a b"],
            r#"{"Target":"mi-1","DocumentName":"AWS-StartNonInteractiveCommand","Parameters":{"command":["ls -l 'a b'"],"separateOutputStream":["true"]}}"#,
        );
        check(
            &["-t", "mi-1", "--", "top"],
            r#"{"Target":"mi-1","DocumentName":"AWS-StartInteractiveCommand","Parameters":{"command":["top"]}}"#,
        );
    }

    #[test]
    fn contradictions_are_refused() {
        for arguments in [
            &[][..],
            &["mi-1", "--target", "mi-2"],
            &["mi-1", "-t"],
            &["mi-1", "--document-name", "D", "--", "ls"],
            &["mi-1", "--parameters", "a"],
        ] {
            assert!(request(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn exit_statuses_are_the_remotes_or_sshs() {
        let closed = |reason: &str, exit_code| Ended::Closed { reason: reason.into(), exit_code };
        for (ended, status) in [
            (closed("", Some(0)), 0),
            (closed("", Some(7)), 7),
            (closed("", Some(-1)), 255),
            (closed("", None), 0),
            (closed("terminated by bob", None), 255),
            (Ended::TimedOut, 255),
            (Ended::Left, 255),
            (Ended::OutputClosed, 0),
            (Ended::InputEnded, 0),
            (Ended::Signalled(15), 143),
        ] {
            assert_eq!(exit_status(&ended, "alice-1"), status, "{ended:?}");
        }
    }
}
