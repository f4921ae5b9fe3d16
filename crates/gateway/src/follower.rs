//! Whoever watches a session while it runs: the recording from its beginning, then what it grows by.
//!
//! A watcher reads the file, woken by the session's task and never waited for: it costs the session nothing, and itself
//! as much memory as one message takes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use postern_ids::SessionId;
use postern_protocol::{KeepAlive, Silence};
use postern_recording::CastLines;
use postern_store::SessionRecord;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_websockets::CloseCode;

use crate::gateway::{Gateway, Shared};
use crate::socket::{Incoming, Io, Socket};

/// Bytes of a message, unless one line has more.
const MESSAGE_BYTES_MAX: u64 = 64 * 1024;
/// So many bytes are read by the thread that sends them: they were written a moment ago and lie in the page cache.
const INLINE_BYTES_MAX: u64 = 4 * 1024;
/// What a message may take to leave: a watcher that reads nothing is given up as one that says nothing is, however it
/// answers pings meanwhile.
const SENT_WITHIN: Duration = Duration::from_secs(45);
/// What a close frame may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// What a watcher was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    /// Bytes of the recording.
    pub bytes: u64,
    /// Why it ended.
    pub end: FollowEnd,
}

/// Why a watcher is shown no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowEnd {
    /// The session is over.
    SessionEnded,
    /// The watcher is gone, or said something, which it has no business to.
    Left,
    /// It may not watch any more.
    Dismissed,
    /// The server stops; the session goes on in the next process.
    Draining,
    /// The recording cannot be read.
    Failed,
}

impl Gateway {
    /// Shows the recording of a session to a watcher, from its beginning and as it grows, until the session is over, the
    /// watcher is gone, or `dismissed` comes about.
    pub async fn serve_follower(
        &self,
        io: impl Io,
        session: &SessionId,
        dismissed: impl Future<Output = ()> + Send,
    ) -> Followed {
        let follower = Follower {
            watched: Watched { shared: self.shared(), session },
            stop: self.shared().stop.clone(),
            socket: Socket::new(io),
            keep_alive: KeepAlive::new(Instant::now()),
            dismissed: Box::pin(dismissed),
            bytes: 0,
        };
        follower.run().await
    }
}

struct Follower<'a, D> {
    watched: Watched<'a>,
    stop: CancellationToken,
    socket: Socket,
    keep_alive: KeepAlive<Instant>,
    dismissed: Pin<Box<D>>,
    bytes: u64,
}

/// What was waited for, or something else.
enum Step<T> {
    Done(T),
    Over(FollowEnd),
    Timer,
}

impl<D: Future<Output = ()> + Send> Follower<'_, D> {
    async fn run(mut self) -> Followed {
        let end = match self.show().await {
            Ok(ended) => self.tell_end(ended.as_ref()).await,
            Err(end) => end,
        };
        let (code, reason) = match end {
            FollowEnd::SessionEnded => (CloseCode::NORMAL_CLOSURE, ""),
            FollowEnd::Left => (CloseCode::POLICY_VIOLATION, "nothing is to be said here"),
            FollowEnd::Dismissed => (CloseCode::POLICY_VIOLATION, "it may not be followed any more"),
            FollowEnd::Draining => (CloseCode::GOING_AWAY, "the server is restarting, reconnect"),
            FollowEnd::Failed => (CloseCode::INTERNAL_SERVER_ERROR, "the recording cannot be read"),
        };
        let _ = self.socket.close(code, reason);
        let _ = timeout(CLOSE_WITHIN, self.socket.flush()).await;
        Followed { bytes: self.bytes, end }
    }

    /// Shows everything until the session's task has ended. The session as it is then.
    async fn show(&mut self) -> Result<Option<SessionRecord>, FollowEnd> {
        let mut growth = self.watched.shared.sessions.get(self.watched.session).map(|handle| handle.recorded);
        let mut lines = self.watched.open().await?;
        loop {
            let end = match &mut growth {
                Some(growth) => *growth.borrow_and_update(),
                None => self.watched.whole().await?,
            };
            while lines.at() < end {
                let text;
                (lines, text) = self.watched.read(lines, end).await?;
                self.socket.send_text(text).map_err(|_| FollowEnd::Left)?;
                self.flush().await?;
                self.bytes = lines.at();
            }
            let Some(growing) = &mut growth else { break };
            if self.grown(growing).await?.is_err() {
                growth = None;
            }
        }
        self.watched.session().await
    }

    /// Waits until the recording is longer. An error: the session's task has ended.
    async fn grown(
        &mut self,
        growth: &mut watch::Receiver<u64>,
    ) -> Result<Result<(), watch::error::RecvError>, FollowEnd> {
        let mut changed = std::pin::pin!(growth.changed());
        self.until(|socket, cx| {
            // Pings and their answers go out meanwhile; that the connection is over will be heard.
            let _ = socket.poll_flush(cx);
            changed.as_mut().poll(cx)
        })
        .await
    }

    /// Says how the session ended, if it did.
    async fn tell_end(&mut self, ended: Option<&SessionRecord>) -> FollowEnd {
        let Some(ended) = ended.filter(|session| !session.status.is_live()) else {
            return FollowEnd::Draining;
        };
        let told = json!({"ended": {
            "reason": ended.end_reason,
            "status": ended.status.as_str(),
            "details": ended.details,
            "exitCode": ended.exit_code,
        }});
        if self.socket.send_text(told.to_string()).is_err() {
            return FollowEnd::Left;
        }
        match self.flush().await {
            Ok(()) => FollowEnd::SessionEnded,
            Err(end) => end,
        }
    }

    /// Writes what is queued, unless that takes too long.
    async fn flush(&mut self) -> Result<(), FollowEnd> {
        let flushing = timeout(SENT_WITHIN, self.until(|socket, cx| socket.poll_flush(cx)));
        flushing.await.map_err(|_| FollowEnd::Left)??.map_err(|_| FollowEnd::Left)
    }

    /// Waits for something, while the watcher is heard, and asked whether it is there.
    async fn until<T>(
        &mut self,
        mut what: impl FnMut(&mut Socket, &mut Context<'_>) -> Poll<T>,
    ) -> Result<T, FollowEnd> {
        let stop = self.stop.clone();
        let mut stopped = std::pin::pin!(stop.cancelled());
        loop {
            let mut timer = std::pin::pin!(sleep_until(self.keep_alive.poll_timeout()));
            let step = poll_fn(|cx| {
                while let Poll::Ready(incoming) = self.socket.poll_receive(cx) {
                    match incoming {
                        Some(Incoming::Ping | Incoming::Pong(_)) => {
                            self.keep_alive.handle_heard(Instant::now());
                        }
                        Some(Incoming::Binary(_) | Incoming::Text(_)) | None => {
                            return Poll::Ready(Step::Over(FollowEnd::Left));
                        }
                    }
                }
                if self.dismissed.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Step::Over(FollowEnd::Dismissed));
                }
                if stopped.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Step::Over(FollowEnd::Draining));
                }
                if let Poll::Ready(done) = what(&mut self.socket, cx) {
                    return Poll::Ready(Step::Done(done));
                }
                timer.as_mut().poll(cx).map(|()| Step::Timer)
            })
            .await;
            match step {
                Step::Done(done) => return Ok(done),
                Step::Over(end) => return Err(end),
                Step::Timer => match self.keep_alive.poll(Instant::now()) {
                    Some(Silence::Gone) => return Err(FollowEnd::Left),
                    // Flushed with what comes next.
                    Some(Silence::Ping) => {
                        let _ = self.socket.ping(Bytes::from_static(b"keepalive"));
                    }
                    None => {}
                },
            }
        }
    }
}

/// The session that is watched, and its recording.
#[derive(Clone, Copy)]
struct Watched<'a> {
    shared: &'a Arc<Shared>,
    session: &'a SessionId,
}

impl Watched<'_> {
    async fn open(&self) -> Result<CastLines, FollowEnd> {
        let (recordings, session) = (Arc::clone(&self.shared.recordings), self.session.clone());
        let opened = spawn_blocking(move || match recordings.recording(&session)? {
            Some(recording) => recording.lines(),
            None => Err(io::ErrorKind::NotFound.into()),
        });
        opened.await.map_err(io::Error::other).flatten().map_err(|error| self.failed(&error))
    }

    /// How long the recording is that nobody writes any more.
    async fn whole(&self) -> Result<u64, FollowEnd> {
        let (recordings, session) = (Arc::clone(&self.shared.recordings), self.session.clone());
        let length = spawn_blocking(move || match recordings.recording(&session)? {
            Some(recording) => recording.readable_bytes(),
            None => Err(io::ErrorKind::NotFound.into()),
        });
        length.await.map_err(io::Error::other).flatten().map_err(|error| self.failed(&error))
    }

    async fn read(&self, mut lines: CastLines, end: u64) -> Result<(CastLines, String), FollowEnd> {
        let read = if end - lines.at() <= INLINE_BYTES_MAX {
            lines.next(end, MESSAGE_BYTES_MAX).map(|text| (lines, text))
        } else {
            let read = spawn_blocking(move || lines.next(end, MESSAGE_BYTES_MAX).map(|text| (lines, text)));
            read.await.map_err(io::Error::other).flatten()
        };
        let (lines, text) = read.map_err(|error| self.failed(&error))?;
        // It is UTF-8, unless somebody else has written it.
        Ok((lines, String::from_utf8_lossy(&text).into_owned()))
    }

    fn failed(&self, error: &(dyn std::error::Error + 'static)) -> FollowEnd {
        tracing::error!(error, session.id = %self.session, "the recording of session {} cannot be shown", self.session);
        FollowEnd::Failed
    }

    /// The session as it is stored.
    async fn session(&self) -> Result<Option<SessionRecord>, FollowEnd> {
        self.shared.store.session(self.session).await.map_err(|error| self.failed(&error))
    }
}
