//! A program without a terminal: its output and errors through pipes, and its input if it has one.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use tokio::io::unix::AsyncFd;

use crate::descriptor::{poll_read, poll_write, read, try_read, watch, write};
use crate::launch::{Stdio, launch};
use crate::{Child, Command, SpawnError};

/// Where the program's errors go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// Into a pipe of their own.
    Separate,
    /// Into the pipe of its output, in the order written.
    Merged,
}

/// What a program on pipes reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Nothing: `/dev/null`.
    Nothing,
    /// A pipe.
    Pipe,
}

/// A program that runs on pipes.
#[derive(Debug)]
pub struct Piped {
    /// Standard input, if it is a pipe; dropping it is its end.
    pub stdin: Option<PipeWriter>,
    /// Standard output, and standard error too when merged.
    pub stdout: PipeReader,
    /// Standard error when separate.
    pub stderr: Option<PipeReader>,
    /// The program.
    pub child: Child,
}

/// A program that is spoken with through pipes.
#[derive(Debug)]
pub struct Conversation {
    /// Standard input; dropping it is its end.
    pub stdin: PipeWriter,
    /// Standard output.
    pub stdout: PipeReader,
    /// The program.
    pub child: Child,
}

/// The reading end of a pipe.
#[derive(Debug)]
pub struct PipeReader(AsyncFd<OwnedFd>);

/// Starts `command` in a session of its own. Call it from a blocking task, in the context of a runtime.
///
/// # Errors
/// If a step of the start fails.
pub fn spawn_with_pipes(command: &Command, input: Input, streams: Streams) -> Result<Piped, SpawnError> {
    let prepare = |what: &'static str| move |error: Errno| SpawnError::Prepare(what, error.into());
    let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(prepare("make a pipe"));
    let (input_end, stdin) = match input {
        Input::Nothing => {
            let nothing = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
            (nothing.map_err(prepare("open /dev/null"))?, None)
        }
        Input::Pipe => {
            let (end, stdin) = pipe()?;
            (end, Some(stdin))
        }
    };
    let (stdout, stdout_end) = pipe()?;
    let errors = match streams {
        Streams::Separate => Some(pipe()?),
        Streams::Merged => None,
    };
    let stderr_end = errors.as_ref().map_or(&stdout_end, |(_, end)| end);
    let launched = launch(command, &Stdio::Separate([&input_end, &stdout_end, stderr_end]))?;
    let failed = |error| SpawnError::Prepare("watch the program", error);
    let child = Child::new(launched).map_err(failed)?;
    Ok(Piped {
        stdin: stdin.map(|stdin| Ok(PipeWriter(watch(stdin)?))).transpose().map_err(failed)?,
        stdout: PipeReader::new(stdout).map_err(failed)?,
        stderr: errors.map(|(reader, _)| PipeReader::new(reader)).transpose().map_err(failed)?,
        child,
    })
}

/// The writing end of a pipe.
#[derive(Debug)]
pub struct PipeWriter(AsyncFd<OwnedFd>);

/// Starts `command` in a session of its own, with pipes as input and output and nowhere to put errors. Call it from a
/// blocking task, in the context of a runtime.
///
/// # Errors
/// If a step of the start fails.
pub fn spawn_to_speak_with(command: &Command) -> Result<Conversation, SpawnError> {
    let prepare = |what: &'static str| move |error: Errno| SpawnError::Prepare(what, error.into());
    let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(prepare("make a pipe"));
    let nowhere = rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(prepare("open /dev/null"))?;
    let (stdin_end, stdin) = pipe()?;
    let (stdout, stdout_end) = pipe()?;
    let launched = launch(command, &Stdio::Separate([&stdin_end, &stdout_end, &nowhere]))?;
    let failed = |error| SpawnError::Prepare("watch the program", error);
    let child = Child::new(launched).map_err(failed)?;
    Ok(Conversation {
        stdin: PipeWriter(watch(stdin).map_err(failed)?),
        stdout: PipeReader::new(stdout).map_err(failed)?,
        child,
    })
}

impl PipeWriter {
    /// Waits for room and writes what fits of `bytes`. Cancelling loses nothing.
    ///
    /// # Errors
    /// If nobody reads the other end any more.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(&self.0, bytes).await
    }
}

impl PipeWriter {
    /// As [`Self::write`].
    ///
    /// # Errors
    /// If nobody reads the other end any more.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        poll_write(&self.0, cx, bytes)
    }
}

impl PipeReader {
    fn new(pipe: OwnedFd) -> io::Result<Self> {
        watch(pipe).map(Self)
    }

    /// As [`Self::read`].
    ///
    /// # Errors
    /// If the pipe fails.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_read(&self.0, cx, buffer)
    }

    /// Waits for data and reads up to `buffer.len()` bytes of it; 0 at the end. Cancelling loses nothing.
    ///
    /// # Errors
    /// If the pipe fails.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read(&self.0, buffer).await
    }

    /// Reads what there is now: `None` if nothing, 0 at the end.
    ///
    /// # Errors
    /// If the pipe fails.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        try_read(&self.0, buffer)
    }
}
