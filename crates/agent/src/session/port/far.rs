//! The far end of a stream: a TCP connection, or the pipes of the file server.

use std::error::Error as _;
use std::io;

use postern_pty::{Child, Command, PipeReader, PipeWriter, spawn_to_speak_with};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::super::environment;
use super::super::program::LaunchError;
use super::super::task::RunAs;

/// This program, whatever has become of its file since it was started, and wherever that is: its name leads there without
/// any directory, so that any user can run it.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// An open far end.
#[derive(Debug)]
pub(super) struct Far {
    /// `None` after its end.
    pub(super) reader: Option<Reader>,
    /// `None` once nothing more will be written, which the far end sees as the end of its input.
    pub(super) writer: Option<Writer>,
    /// The file server's process.
    pub(super) child: Option<Child>,
}

/// From the far end.
#[derive(Debug)]
pub(super) enum Reader {
    Tcp(OwnedReadHalf),
    Pipe(PipeReader),
}

/// To the far end. Dropping it tells it that nothing follows.
#[derive(Debug)]
pub(super) enum Writer {
    Tcp(OwnedWriteHalf),
    Pipe(PipeWriter),
}

impl Far {
    /// A connection to a port.
    pub(super) fn of_port(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: Some(Reader::Tcp(reader)), writer: Some(Writer::Tcp(writer)), child: None }
    }
}

/// Starts the file server. The error is for the user.
pub(super) async fn open_files(run_as: RunAs, session_user: Option<String>) -> Result<Far, String> {
    let started = tokio::task::spawn_blocking(move || serve_files(&run_as, session_user.as_deref())).await;
    let broken = || "Unable to start the file server: it broke down".to_owned();
    started.map_err(|_| broken())?.map_err(|error| text(&error))
}

fn serve_files(run_as: &RunAs, session_user: Option<&str>) -> Result<Far, LaunchError> {
    let user = environment::user(run_as, session_user)?;
    let command = environment::own_command(&own_program(), ["postern-agent", "sftp-server"], &user)
        .map_err(environment::EnvironmentError::Command)?;
    start(&command)
}

fn start(command: &Command) -> Result<Far, LaunchError> {
    let started = spawn_to_speak_with(command)?;
    Ok(Far {
        reader: Some(Reader::Pipe(started.stdout)),
        writer: Some(Writer::Pipe(started.stdin)),
        child: Some(started.child),
    })
}

pub(super) fn own_program() -> std::path::PathBuf {
    if cfg!(target_os = "linux") {
        return OWN_PROGRAM.into();
    }
    std::env::current_exe().unwrap_or_else(|_| "postern-agent".into())
}

fn text(error: &LaunchError) -> String {
    let mut text = format!("Unable to start the file server: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

impl Reader {
    /// Waits for data; 0 at the end. Dropping the future loses nothing.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.read(buffer).await,
            Self::Tcp(stream) => loop {
                stream.readable().await?;
                match stream.try_read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => return read,
                }
            },
        }
    }
}

impl Writer {
    /// Waits for room and writes some of `bytes`. Dropping the future loses nothing.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.write(bytes).await,
            Self::Tcp(stream) => loop {
                stream.writable().await?;
                match stream.try_write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    written => return written,
                }
            },
        }
    }
}
