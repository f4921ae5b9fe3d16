//! Where the session's output goes, and in which order.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;

use bytes::{Buf, Bytes};
use postern_protocol::PayloadType;
use tokio::io::Interest;

use crate::descriptor::{Descriptor, Own};

/// A write to an open file that is not ours: what a pipe takes without blocking when it is ready (POSIX
/// guarantees `PIPE_BUF`, which is 4096 on Linux).
const SHARED_WRITE_BYTES_MAX: usize = 4096;

/// Where each kind of output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Standard error is kept apart, the exit code is not printed.
    Apart,
    /// Everything on standard output, the text of the exit code too, as AWS's plugin does.
    AllOnStdout,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sink {
    Stdout,
    Stderr,
}

/// Ends this process's own standard output on [`Notice::OutputEnded`](crate::Notice::OutputEnded): its reader sees the end,
/// though the process goes on. What would still be written goes nowhere.
pub fn end_stdout() {
    if let Ok(nowhere) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        // If it does not work, the reader waits for the end of the session.
        let _ = rustix::stdio::dup2_stdout(nowhere);
    }
}

/// Output that waits to be written, oldest first.
#[derive(Debug)]
pub(crate) struct Output {
    layout: Layout,
    /// `None` after its end.
    stdout: Option<Descriptor>,
    stderr: Descriptor,
    pending: VecDeque<Pending>,
    pending_bytes: usize,
}

#[derive(Debug)]
struct Pending {
    sequence_number: i64,
    sink: Sink,
    bytes: Bytes,
}

impl Output {
    pub(crate) fn new(layout: Layout, stdout: BorrowedFd<'_>, stderr: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self {
            layout,
            stdout: Some(Descriptor::writing(stdout)?),
            stderr: Descriptor::writing(stderr)?,
            pending: VecDeque::new(),
            pending_bytes: 0,
        })
    }

    /// Queues a payload for writing. The queue is as long as the data channel's window: its messages are
    /// acknowledged when they are written.
    pub(crate) fn push(&mut self, sequence_number: i64, payload_type: PayloadType, bytes: Bytes) {
        let sink = match (self.layout, payload_type) {
            (Layout::Apart, PayloadType::StdErr | PayloadType::Error) => Sink::Stderr,
            _ => Sink::Stdout,
        };
        self.pending_bytes += bytes.len();
        self.pending.push_back(Pending { sequence_number, sink, bytes });
    }

    pub(crate) fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Lets go of standard output: nothing follows there.
    pub(crate) fn end(&mut self) {
        self.stdout = None;
    }

    /// Writes some of the oldest payload. Gives its number when all of it is written; waits for ever when there
    /// is nothing to write. Nothing is lost when this is dropped.
    pub(crate) async fn write(&mut self) -> io::Result<Option<i64>> {
        let Some(first) = self.pending.front_mut() else { return std::future::pending().await };
        if !first.bytes.is_empty() {
            let descriptor = match first.sink {
                Sink::Stdout => self.stdout.as_ref(),
                Sink::Stderr => Some(&self.stderr),
            };
            let Some(descriptor) = descriptor else {
                return Ok(self.pending.pop_front().map(|dropped| dropped.sequence_number));
            };
            let bytes = &first.bytes;
            let written = descriptor
                .when_ready(Interest::WRITABLE, |fd, own| {
                    let length = match own {
                        Own::Yes => bytes.len(),
                        Own::Shared => bytes.len().min(SHARED_WRITE_BYTES_MAX),
                    };
                    rustix::io::write(fd, &bytes[..length])
                })
                .await?;
            first.bytes.advance(written);
            self.pending_bytes -= written;
        }
        if first.bytes.is_empty() {
            return Ok(self.pending.pop_front().map(|done| done.sequence_number));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsFd;

    async fn write_all(output: &mut Output) -> Vec<i64> {
        let mut written = Vec::new();
        while !output.is_empty() {
            written.extend(output.write().await.unwrap());
        }
        written
    }

    async fn printed(layout: Layout) -> (String, String) {
        let (mut out, out_writer) = std::io::pipe().unwrap();
        let (mut err, err_writer) = std::io::pipe().unwrap();
        let mut output = Output::new(layout, out_writer.as_fd(), err_writer.as_fd()).unwrap();
        output.push(1, PayloadType::Output, Bytes::from_static(b"out"));
        output.push(2, PayloadType::StdErr, Bytes::from_static(b"err"));
        output.push(3, PayloadType::Output, Bytes::new());
        assert_eq!(write_all(&mut output).await, [1, 2, 3]);
        drop((output, out_writer, err_writer));
        let (mut stdout, mut stderr) = (String::new(), String::new());
        out.read_to_string(&mut stdout).unwrap();
        err.read_to_string(&mut stderr).unwrap();
        (stdout, stderr)
    }

    #[tokio::test]
    async fn errors_are_kept_apart_except_in_the_plugins_place() {
        assert_eq!(printed(Layout::Apart).await, ("out".into(), "err".into()));
        assert_eq!(printed(Layout::AllOnStdout).await, ("outerr".into(), String::new()));
    }

    #[tokio::test]
    async fn a_slow_reader_gets_everything_and_a_vanished_one_is_told() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        let mut output = Output::new(Layout::Apart, writer.as_fd(), null.as_fd()).unwrap();
        drop(writer);
        let payload = Bytes::from(vec![b'x'; 1_000_000]);
        output.push(0, PayloadType::Output, payload.clone());
        let thread = std::thread::spawn(move || {
            let mut read = vec![0; 1_000_000];
            reader.read_exact(&mut read).unwrap();
            read
        });
        assert_eq!(write_all(&mut output).await, [0]);
        assert_eq!(thread.join().unwrap(), payload);
        output.push(1, PayloadType::Output, payload);
        assert_eq!(output.write().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
