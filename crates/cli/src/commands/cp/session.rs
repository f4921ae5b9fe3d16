//! A session with a node's file server, for as long as something is copied.

use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::pin;
use std::time::Duration;

use postern_api::Secret;
use postern_api::ssm::StartSessionInput;
use postern_client::{Api, Ended, Layout, Notice, SessionStart, Stdio};
use postern_copy::Remote;
use tokio::io::Join;
use tokio::net::unix::pipe;

use crate::commands::start_session::CLIENT_VERSION;
use crate::failure::{Failure, SESSION_FAILED};
use crate::visible;

/// The document whose sessions speak with the file server of Postern's agent.
const DOCUMENT_NAME: &str = "Postern-StartSFTPSession";
/// When all is copied, what the node gets to end the session by itself.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Both directions of the session.
pub(super) type Stream = Join<pipe::Receiver, pipe::Sender>;

/// Starts a session on `node`, does `work` over it, and ends it.
pub(super) async fn with_files<T>(
    api: &Api,
    node: &str,
    reason: Option<String>,
    work: impl AsyncFnOnce(&mut Remote<Stream>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |failure: Failure| failure.with_status(SESSION_FAILED);
    let request = StartSessionInput {
        target: node.to_owned(),
        document_name: Some(DOCUMENT_NAME.to_owned()),
        reason,
        parameters: None,
    };
    let started = api.call(&request).await.map_err(|error| failed(error.into()))?;
    let start = SessionStart {
        session_id: started.session_id.unwrap_or_default(),
        target: node.to_owned(),
        stream_url: started.stream_url.unwrap_or_default(),
        token_value: started.token_value.map(Secret::into_exposed).unwrap_or_default(),
        client_version: CLIENT_VERSION.to_owned(),
        layout: Layout::Apart,
        feeds_commands: false,
    };
    // The session reads and writes descriptors; these two pipes are its standard streams.
    let (session_input, to_session) = std::io::pipe()?;
    let (from_session, session_output) = std::io::pipe()?;
    let stream = tokio::io::join(
        pipe::Receiver::from_owned_fd(OwnedFd::from(from_session))?,
        pipe::Sender::from_owned_fd(OwnedFd::from(to_session))?,
    );
    let stdio = Stdio { stdin: session_input.as_fd(), stdout: session_output.as_fd(), ..Stdio::inherited() };
    let mut session = pin!(postern_client::run(api, &start, stdio, &notify));
    let work = async {
        let mut remote =
            Remote::begin(stream).await.map_err(|error| Failure::new(error).with_status(SESSION_FAILED))?;
        work(&mut remote).await
    };
    // What is over first: in the work's hands the stream only ends, the session knows why.
    let outcome = tokio::select! {
        ended = &mut session => {
            return Err(match ended {
                Ok(ended) => end_before_time(&ended, &start.session_id),
                Err(error) => failed(Failure::new(error)),
            });
        }
        outcome = work => outcome,
    };
    match tokio::time::timeout(END_WITHIN, session).await {
        // All is copied and compared; how the session ends changes nothing.
        Ok(_) | Err(_) => outcome,
    }
}

fn end_before_time(ended: &Ended, session_id: &str) -> Failure {
    let why = match ended {
        Ended::Closed { reason, .. } if !reason.is_empty() => visible::line(reason.trim()).into_owned(),
        Ended::TimedOut => "it timed out".to_owned(),
        Ended::Signalled(signal) => {
            let status = u8::try_from(128 + signal).unwrap_or(SESSION_FAILED);
            return Failure::new(format!("ended by signal {signal}"))
                .with_hint("--resume goes on with what is there already")
                .with_status(status);
        }
        Ended::Closed { .. } | Ended::Left | Ended::OutputClosed | Ended::InputEnded => {
            "it ended before everything was copied".to_owned()
        }
    };
    Failure::new(format!("session {session_id}: {why}"))
        .with_hint("--resume goes on with what is there already")
        .with_status(SESSION_FAILED)
}

fn notify(notice: Notice<'_>) {
    match notice {
        Notice::ConnectionLost => eprintln!("\npostern: connection lost, reconnecting"),
        Notice::Reconnected => eprintln!("postern: connected again"),
        Notice::Message(text) | Notice::Warning(text) => eprintln!("\npostern: {}", visible::line(text)),
        Notice::Escapes(_)
        | Notice::OutputEnded
        | Notice::Listening { .. }
        | Notice::Accepted { .. }
        | Notice::DestinationFailed
        | Notice::Leaving => {}
    }
}
