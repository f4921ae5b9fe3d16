//! The program of a session and what it is connected to.

use std::error::Error as _;
use std::io;

use bytes::Bytes;
use postern_protocol::PayloadType;
use postern_protocol::payload::Size;
use postern_pty::{
    Child, Input, PipeReader, PipeWriter, Resizer, SpawnError, Streams, TerminalReader, TerminalWriter,
    WindowSize, spawn_on_terminal, spawn_with_pipes,
};

use super::environment::{self, EnvironmentError};
use super::output::{Collected, Collector, Prefix};
use super::task::{Run, RunAs, Separation};

/// Everything that decides how a program starts.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub(super) run: Run,
    pub(super) run_as: RunAs,
    pub(super) session_user: Option<String>,
    pub(super) size: Size,
    /// Whether the client can take errors apart from output without being asked to by the document.
    pub(super) client_separates: bool,
    /// What a program on pipes reads.
    pub(super) input: Input,
}

/// A program that runs.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) sources: Vec<Source>,
    pub(super) terminal: Option<Terminal>,
    /// Of a program on pipes that has input; dropping it is its end.
    pub(super) stdin: Option<PipeWriter>,
}

/// The other direction of a terminal.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) writer: TerminalWriter,
    pub(super) resizer: Resizer,
}

/// Why a program did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum LaunchError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

impl LaunchError {
    /// For the user, with AWS's beginning.
    pub(super) fn text(&self) -> String {
        let mut text = format!("Unable to start command: {self}");
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        text
    }
}

/// Starts the program, on a thread that may block: the user database and the home directory may be far away.
pub(super) async fn launch(launch: Launch) -> Result<(Program, Child), LaunchError> {
    let started = tokio::task::spawn_blocking(move || launch_blocking(&launch)).await;
    started.unwrap_or_else(|_| {
        Err(SpawnError::Prepare("start a thread", io::Error::other("it broke down")).into())
    })
}

fn launch_blocking(launch: &Launch) -> Result<(Program, Child), LaunchError> {
    let user = environment::user(&launch.run_as, launch.session_user.as_deref())?;
    let command = environment::command(&launch.run, &user).map_err(EnvironmentError::Command)?;
    let Run::Piped(piped) = &launch.run else {
        let started = spawn_on_terminal(&command, window(launch.size))?;
        let source = Source::new(Reader::Terminal(started.reader), PayloadType::Output, None);
        let terminal = Terminal { writer: started.writer, resizer: started.resizer };
        let program = Program { sources: vec![source], terminal: Some(terminal), stdin: None };
        return Ok((program, started.child));
    };
    let (streams, prefixes) = match &piped.separation {
        Separation::Separate { stdout_prefix, stderr_prefix } => {
            (Streams::Separate, [Some(stdout_prefix.clone()), Some(stderr_prefix.clone())])
        }
        Separation::Merged if launch.client_separates => (Streams::Separate, [None, None]),
        Separation::Merged => (Streams::Merged, [None, None]),
    };
    let [stdout_prefix, stderr_prefix] = prefixes.map(|prefix| prefix.map(Prefix::new));
    let started = spawn_with_pipes(&command, launch.input, streams)?;
    let mut sources = vec![Source::new(Reader::Pipe(started.stdout), PayloadType::Output, stdout_prefix)];
    if let Some(stderr) = started.stderr {
        sources.push(Source::new(Reader::Pipe(stderr), PayloadType::StdErr, stderr_prefix));
    }
    Ok((Program { sources, terminal: None, stdin: started.stdin }, started.child))
}

pub(super) fn window(size: Size) -> WindowSize {
    WindowSize { rows: size.rows, columns: size.cols }
}

#[derive(Debug)]
enum Reader {
    Terminal(TerminalReader),
    Pipe(PipeReader),
}

impl Reader {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Terminal(reader) => reader.read(buffer).await,
            Self::Pipe(reader) => reader.read(buffer).await,
        }
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self {
            Self::Terminal(reader) => reader.try_read(buffer),
            Self::Pipe(reader) => reader.try_read(buffer),
        }
    }
}

/// One stream of output.
#[derive(Debug)]
pub(super) struct Source {
    reader: Reader,
    collector: Collector,
    payload_type: PayloadType,
    prefix: Option<Prefix>,
    is_over: bool,
}

impl Source {
    fn new(reader: Reader, payload_type: PayloadType, prefix: Option<Prefix>) -> Self {
        let collector = match reader {
            Reader::Terminal(_) => Collector::of_characters(),
            Reader::Pipe(_) => Collector::of_bytes(),
        };
        Self { reader, collector, payload_type, prefix, is_over: false }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether a message is full.
    pub(super) fn is_full(&self, chunk_bytes: usize) -> bool {
        self.collector.filled() >= self.data_bytes(chunk_bytes)
    }

    /// What is left for data in a message.
    fn data_bytes(&self, chunk_bytes: usize) -> usize {
        chunk_bytes - self.prefix.as_ref().map_or(0, Prefix::len)
    }

    /// Waits for output and collects it. Dropping the future loses nothing.
    async fn fill(&mut self, chunk_bytes: usize) {
        let chunk_bytes = self.data_bytes(chunk_bytes);
        let Self { reader, collector, is_over, .. } = self;
        let first = reader.read(collector.space(chunk_bytes)).await;
        let collected = match first {
            Ok(count) => collector.collect(count, chunk_bytes, |space| reader.try_read(space)),
            Err(error) => {
                tracing::warn!(%error, "cannot read a program's output");
                Collected::End
            }
        };
        *is_over = collected == Collected::End;
    }

    /// Collects the echo of what was typed just now, if it is a terminal's and there already. Whether it was.
    pub(super) fn fill_echo(&mut self, chunk_bytes: usize) -> bool {
        let chunk_bytes = self.data_bytes(chunk_bytes);
        let Self { reader: Reader::Terminal(reader), collector, .. } = self else { return false };
        // A failure is met again, and dealt with, by the next `fill`.
        match reader.read_now(collector.space(chunk_bytes)) {
            Ok(Some(count)) if count > 0 => {
                self.is_over = collector.collect(count, chunk_bytes, |_| Ok(None)) == Collected::End;
                true
            }
            _ => false,
        }
    }

    /// The collected output as payloads of at most `chunk_bytes`, one by one.
    pub(super) fn take(&mut self, chunk_bytes: usize) -> Option<(PayloadType, Bytes)> {
        let data_bytes = self.data_bytes(chunk_bytes);
        let Self { collector, prefix, payload_type, is_over, .. } = self;
        let data = collector.take(data_bytes, *is_over, |data| match prefix {
            Some(prefix) => Bytes::from(prefix.apply(data)),
            None => Bytes::copy_from_slice(data),
        });
        Some((*payload_type, data?))
    }
}

/// Waits until one of `sources` has output or has ended; returns which. Dropping the future loses nothing.
pub(super) async fn fill_any(sources: &mut [Source], chunk_bytes: usize) -> usize {
    match sources {
        [only] if !only.is_over => {
            only.fill(chunk_bytes).await;
            0
        }
        [first, second] => tokio::select! {
            () = first.fill(chunk_bytes), if !first.is_over => 0,
            () = second.fill(chunk_bytes), if !second.is_over => 1,
            else => std::future::pending().await,
        },
        _ => std::future::pending().await,
    }
}
