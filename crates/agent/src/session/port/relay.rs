//! A connection to a socket file of this node, through a process of the session's user.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use postern_protocol::tunnel::{Reason, Refused};
use postern_pty::{Child, Conversation, PipeReader, PipeWriter, spawn_to_speak_with};
use postern_tunnel::{Connected, Pipes, Socket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::super::environment::{self, EnvironmentError};
use super::super::program::LaunchError;
use super::super::task::RunAs;
use super::far::own_program;
use crate::relay_socket::{CONNECTED, failure};

/// Starting a process and connecting within this machine takes some milliseconds.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Each connection is two processes: what one session may have of them.
const RELAYS_MAX: usize = 128;

/// How many more there may be.
#[derive(Debug, Clone)]
pub(super) struct Relays(Arc<Semaphore>);

impl Default for Relays {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(RELAYS_MAX)))
    }
}

/// The process. Dropping it kills it.
#[derive(Debug)]
struct Relay {
    reader: PipeReader,
    writer: Option<PipeWriter>,
    _child: Child,
    _place: OwnedSemaphorePermit,
}

/// Connects to a socket file as the session's user.
pub(super) async fn connect(
    relays: Relays,
    run_as: RunAs,
    session_user: Option<String>,
    path: String,
) -> Result<Connected, Refused> {
    let place = relays.0.try_acquire_owned().map_err(|_| {
        Refused::new(
            Reason::TooMany,
            format!("A session has {RELAYS_MAX} connections to socket files at most."),
        )
    })?;
    let address = path.clone();
    let start = tokio::task::spawn_blocking(move || start(&run_as, session_user.as_deref(), &path));
    let started = start.await.map_err(|_| failed("the process broke down"))?;
    let Conversation { stdin, mut stdout, child } = started.map_err(|error| failed(&error.to_string()))?;
    let mut said = [0];
    match timeout(CONNECT_WITHIN, stdout.read(&mut said)).await {
        Ok(Ok(1)) if said == [CONNECTED] => {
            let relay = Relay { reader: stdout, writer: Some(stdin), _child: child, _place: place };
            Ok(Connected { socket: Socket::Pipes(Box::new(relay)), address })
        }
        Ok(Ok(1)) => {
            let (reason, text) = failure(said[0]);
            Err(Refused::new(reason, format!("Unable to connect to {address}: {text}")))
        }
        Ok(_) => Err(failed("the process ended")),
        Err(_elapsed) => Err(Refused::new(Reason::TimedOut, format!("Nobody answers at {address}"))),
    }
}

fn failed(why: &str) -> Refused {
    Refused::new(Reason::Failed, format!("Unable to connect to a socket file: {why}"))
}

fn start(run_as: &RunAs, session_user: Option<&str>, path: &str) -> Result<Conversation, LaunchError> {
    let user = environment::user(run_as, session_user)?;
    let arguments = ["postern-agent", "relay-socket", "--", path];
    let command =
        environment::own_command(&own_program(), arguments, &user).map_err(EnvironmentError::Command)?;
    Ok(spawn_to_speak_with(&command)?)
}

impl Pipes for Relay {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.reader.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.writer {
            Some(writer) => writer.poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn close_write(&mut self) {
        self.writer = None;
    }
}
