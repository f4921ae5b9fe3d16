//! The node's file server, as its client sees it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use postern_sftp::{
    Attributes, CHECK_FILE, Extended, Extension, Message, OpenFlags, Packets, Reply, Request, StatusCode,
    VERSION,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::{RemoteError, StreamError};

/// What is read from the stream at once.
const READ_BYTES: usize = 128 * 1024;

/// A reply that owns what it holds.
#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    Refused { code: StatusCode, message: Vec<u8> },
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Names(Vec<(Vec<u8>, Attributes)>),
    Attributes(Attributes),
    Digest([u8; 32]),
    Other,
}

/// A connection to a file server.
#[derive(Debug)]
pub struct Remote<S> {
    stream: S,
    packets: Packets,
    buffer: Vec<u8>,
    /// Requests that are not written yet, the first `written` bytes apart.
    out: Vec<u8>,
    written: usize,
    next_id: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Remote<S> {
    /// Begins to speak SFTP over `stream`.
    ///
    /// # Errors
    /// The other end does not speak it, or lacks what copies need.
    pub async fn begin(stream: S) -> Result<Self, StreamError> {
        let mut remote = Self {
            stream,
            packets: Packets::default(),
            buffer: vec![0; READ_BYTES],
            out: Vec::new(),
            written: 0,
            next_id: 1,
        };
        Message::Init(VERSION).put(&mut remote.out);
        loop {
            if let Some(packet) = remote.packets.next_packet()? {
                let Reply::Version { version, extensions } = Reply::parse(packet)?.1 else {
                    return Err(StreamError::Version);
                };
                let has = |name: &str| extensions.iter().any(|(known, _)| *known == name.as_bytes());
                return if version == VERSION && has(CHECK_FILE) && has("posix-rename@openssh.com") {
                    Ok(remote)
                } else {
                    Err(StreamError::Version)
                };
            }
            remote.exchange().await?;
        }
    }

    /// Queues a request; its number.
    pub(crate) fn submit(&mut self, request: Request<'_>) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        Message::Request { id, request }.put(&mut self.out);
        id
    }

    /// The next reply, whatever it is to.
    pub(crate) async fn next_answer(&mut self) -> Result<(u32, Answer), StreamError> {
        loop {
            if let Some(packet) = self.packets.next_packet()? {
                let (id, reply) = Reply::parse(packet)?;
                return Ok((id, answer(reply)));
            }
            self.exchange().await?;
        }
    }

    /// Writes what is queued, as far as it goes, until something was read.
    async fn exchange(&mut self) -> Result<(), StreamError> {
        let Self { stream, packets, buffer, out, written, .. } = self;
        poll_fn(|cx| {
            while *written < out.len() {
                match Pin::new(&mut *stream).poll_write(cx, &out[*written..]) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(StreamError::Ended)),
                    Poll::Ready(Ok(count)) => *written += count,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                    Poll::Pending => break,
                }
            }
            if *written == out.len() {
                out.clear();
                *written = 0;
                if let Poll::Ready(Err(error)) = Pin::new(&mut *stream).poll_flush(cx) {
                    return Poll::Ready(Err(error.into()));
                }
            }
            let mut space = ReadBuf::new(buffer);
            match Pin::new(&mut *stream).poll_read(cx, &mut space) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
                Poll::Ready(Ok(())) if space.filled().is_empty() => Poll::Ready(Err(StreamError::Ended)),
                Poll::Ready(Ok(())) => {
                    packets.push(space.filled());
                    Poll::Ready(Ok(()))
                }
            }
        })
        .await
    }

    /// One request and its reply, when nothing else is under way.
    async fn ask(&mut self, request: Request<'_>) -> Result<Answer, RemoteError> {
        let id = self.submit(request);
        loop {
            let (answered, answer) = self.next_answer().await?;
            if answered == id {
                return match answer {
                    Answer::Refused { code, message } => Err(RemoteError::refused(code, &message)),
                    answer => Ok(answer),
                };
            }
        }
    }

    async fn done(&mut self, request: Request<'_>) -> Result<(), RemoteError> {
        self.ask(request).await.map(drop)
    }

    pub(crate) async fn open(
        &mut self,
        path: &[u8],
        flags: OpenFlags,
        mode: Option<u32>,
    ) -> Result<Vec<u8>, RemoteError> {
        let attributes = Attributes { mode, ..Attributes::default() };
        match self.ask(Request::Open { path, flags, attributes }).await? {
            Answer::Handle(handle) => Ok(handle),
            _ => Err(RemoteError::Unexpected),
        }
    }

    pub(crate) async fn close(&mut self, handle: &[u8]) -> Result<(), RemoteError> {
        self.done(Request::Close { handle }).await
    }

    /// Attributes of what a path leads to; `None` if there is nothing.
    pub(crate) async fn stat(&mut self, path: &[u8]) -> Result<Option<Attributes>, RemoteError> {
        self.attributes(Request::Stat { path }).await
    }

    /// The same of a link itself.
    pub(crate) async fn lstat(&mut self, path: &[u8]) -> Result<Option<Attributes>, RemoteError> {
        self.attributes(Request::Lstat { path }).await
    }

    pub(crate) async fn fstat(&mut self, handle: &[u8]) -> Result<Attributes, RemoteError> {
        self.attributes(Request::Fstat { handle }).await?.ok_or(RemoteError::Unexpected)
    }

    async fn attributes(&mut self, request: Request<'_>) -> Result<Option<Attributes>, RemoteError> {
        match self.ask(request).await {
            Ok(Answer::Attributes(attributes)) => Ok(Some(attributes)),
            Ok(_) => Err(RemoteError::Unexpected),
            Err(RemoteError::Refused { code: StatusCode::NoSuchFile, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn set(&mut self, handle: &[u8], attributes: Attributes) -> Result<(), RemoteError> {
        self.done(Request::Fsetstat { handle, attributes }).await
    }

    pub(crate) async fn set_path(&mut self, path: &[u8], attributes: Attributes) -> Result<(), RemoteError> {
        self.done(Request::Setstat { path, attributes }).await
    }

    pub(crate) async fn make_directory(&mut self, path: &[u8], mode: u32) -> Result<(), RemoteError> {
        let attributes = Attributes { mode: Some(mode), ..Attributes::default() };
        self.done(Request::Mkdir { path, attributes }).await
    }

    pub(crate) async fn remove(&mut self, path: &[u8]) -> Result<(), RemoteError> {
        self.done(Request::Remove { path }).await
    }

    /// Gives `from` the name `to`, whatever had it.
    pub(crate) async fn replace(&mut self, from: &[u8], to: &[u8]) -> Result<(), RemoteError> {
        self.done(Request::Extended(Extension::PosixRename { from, to })).await
    }

    /// The SHA-256 of the first `length` bytes, or of all with 0.
    pub(crate) async fn digest(&mut self, handle: &[u8], length: u64) -> Result<[u8; 32], RemoteError> {
        match self.ask(Request::Extended(Extension::CheckFile { handle, offset: 0, length })).await? {
            Answer::Digest(digest) => Ok(digest),
            _ => Err(RemoteError::Unexpected),
        }
    }

    pub(crate) async fn real_path(&mut self, path: &[u8]) -> Result<Vec<u8>, RemoteError> {
        match self.ask(Request::Realpath { path }).await? {
            Answer::Names(names) => {
                names.into_iter().next().map(|(name, _)| name).ok_or(RemoteError::Unexpected)
            }
            _ => Err(RemoteError::Unexpected),
        }
    }

    /// The names in a directory, `.` and `..` apart, in their order.
    pub(crate) async fn list(&mut self, path: &[u8]) -> Result<Vec<Vec<u8>>, RemoteError> {
        /// More is no directory that anybody copies, but a node that never ends: some ten million names.
        const NAMES_BYTES_MAX: usize = 256 * 1024 * 1024;
        /// What a name takes beside its bytes.
        const NAME_OVERHEAD_BYTES: usize = 32;
        let handle = match self.ask(Request::Opendir { path }).await? {
            Answer::Handle(handle) => handle,
            _ => return Err(RemoteError::Unexpected),
        };
        let (mut names, mut bytes) = (Vec::new(), 0);
        let outcome = loop {
            match self.ask(Request::Readdir { handle: &handle }).await {
                Ok(Answer::Names(some)) if !some.is_empty() && bytes < NAMES_BYTES_MAX => {
                    bytes += some.iter().map(|(name, _)| name.len() + NAME_OVERHEAD_BYTES).sum::<usize>();
                    let some = some.into_iter().map(|(name, _)| name);
                    names.extend(some.filter(|name| !matches!(&name[..], b"." | b"..")));
                }
                Ok(_) => break Err(RemoteError::Unexpected),
                Err(RemoteError::Refused { code: StatusCode::Eof, .. }) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.close(&handle).await?;
        outcome?;
        names.sort_unstable();
        Ok(names)
    }

    /// Waits for the replies to all of `pending` and drops them: what failed first is known already.
    pub(crate) async fn settle(&mut self, mut pending: VecDeque<u32>) -> Result<(), StreamError> {
        while !pending.is_empty() {
            let (id, _) = self.next_answer().await?;
            pending.retain(|waiting| *waiting != id);
        }
        Ok(())
    }
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::Ended,
            _ => Self::Io(error),
        }
    }
}

fn answer(reply: Reply<'_>) -> Answer {
    match reply {
        Reply::Status { code: StatusCode::Ok, .. } => Answer::Done,
        Reply::Status { code, message } => Answer::Refused { code, message: message.to_vec() },
        Reply::Handle(handle) => Answer::Handle(handle.to_vec()),
        Reply::Data(data) => Answer::Data(data.to_vec()),
        Reply::Names(names) => {
            Answer::Names(names.into_iter().map(|name| (name.name.to_vec(), name.attributes)).collect())
        }
        Reply::Attributes(attributes) => Answer::Attributes(attributes),
        Reply::Extended(extended @ Extended::Raw(_)) => {
            extended.digest().map_or(Answer::Other, Answer::Digest)
        }
        Reply::Extended(_) | Reply::Version { .. } => Answer::Other,
    }
}
