//! Reading on from a peer that has its answer before it has sent its whole request.
//!
//! A connection that is closed while bytes of its peer are unread is reset, and a reset may overtake the answer or make the peer stop
//! before it looks for one. HTTP's engine does not read what nobody wants; so the sending half is closed first, and what still comes is
//! thrown away, encrypted as it is, until the peer closes too.
//!
//! Source: RFC 9112, section 9.6, "Tear-down".

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What is thrown away. Clients that send more at once without waiting for leave (`Expect`) may miss the answer.
const LINGER_BYTES_MAX: usize = 64 << 20;
/// How long a peer may go on sending.
const LINGER_TIME_MAX: Duration = Duration::from_secs(30);
/// How long one is waited for that sends nothing.
const LINGER_PAUSE_MAX: Duration = Duration::from_secs(5);
const READ_BYTES: usize = 16 << 10;

/// Whether the request that a connection is at was answered before it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

impl Unread {
    /// Another request has begun, so all of the former one was read.
    pub(super) fn forget(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The body of a request. One that nobody reads to its end makes the connection linger when it is closed.
#[derive(Debug)]
pub struct RequestBody {
    body: Incoming,
    has_ended: bool,
    unread: Option<Unread>,
}

impl RequestBody {
    /// `unread` hears of it if the body is dropped too early.
    pub(super) fn new(body: Incoming, unread: Option<Unread>) -> Self {
        Self { body, has_ended: false, unread }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.has_ended = frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(unread) = &self.unread
            && !self.has_ended
            && !self.body.is_end_stream()
        {
            unread.0.store(true, Ordering::Relaxed);
        }
    }
}

/// The end of a connection.
#[derive(Debug, Default)]
pub(super) struct Lingering {
    unread: Unread,
    reading: Option<Reading>,
}

#[derive(Debug)]
struct Reading {
    buffer: Box<[u8]>,
    bytes_left: usize,
    until: Instant,
    /// When it ends if nothing comes.
    pause: Pin<Box<Sleep>>,
}

impl Lingering {
    /// Who says whether it is needed.
    pub(super) fn unread(&self) -> Unread {
        self.unread.clone()
    }

    /// Reads from `io`, whose sending half is closed, until its peer has closed too or has had time enough.
    pub(super) fn poll(&mut self, mut io: Pin<&mut impl AsyncRead>, context: &mut Context<'_>) -> Poll<()> {
        if !self.unread.0.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        let reading = self.reading.get_or_insert_with(Reading::begin);
        loop {
            let mut buffer = ReadBuf::new(&mut reading.buffer);
            match io.as_mut().poll_read(context, &mut buffer) {
                Poll::Pending => return reading.pause.as_mut().poll(context),
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            let read = buffer.filled().len();
            reading.bytes_left = reading.bytes_left.saturating_sub(read);
            let now = Instant::now();
            if read == 0 || reading.bytes_left == 0 || now >= reading.until {
                return Poll::Ready(());
            }
            reading.pause.as_mut().reset(reading.until.min(now + LINGER_PAUSE_MAX));
        }
    }
}

impl Reading {
    fn begin() -> Self {
        let now = Instant::now();
        Self {
            buffer: vec![0; READ_BYTES].into(),
            bytes_left: LINGER_BYTES_MAX,
            until: now + LINGER_TIME_MAX,
            pause: Box::pin(sleep_until(now + LINGER_PAUSE_MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::*;

    /// Lingers on one end of a pipe; answers how long it took.
    async fn linger(mut io: DuplexStream, is_unread: bool) -> Duration {
        let mut lingering = Lingering::default();
        lingering.unread().0.store(is_unread, Ordering::Relaxed);
        let begun_at = Instant::now();
        poll_fn(|context| lingering.poll(Pin::new(&mut io), context)).await;
        begun_at.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_is_read_from_until_it_closes() {
        let (ours, mut theirs) = duplex(1 << 10);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            for _ in 0..3 {
                sleep(Duration::from_secs(4)).await;
                theirs.write_all(&[0; 64 << 10]).await.unwrap();
            }
        });
        assert_eq!(linger(ours, true).await, Duration::from_secs(12));
        tasks.join_next().await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stays_is_not_waited_for() {
        let (ours, _theirs) = duplex(1 << 10);
        assert_eq!(linger(ours, true).await, LINGER_PAUSE_MAX);
        let (ours, _theirs) = duplex(1 << 10);
        assert_eq!(linger(ours, false).await, Duration::ZERO, "there is nothing to come");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_goes_on_and_on_is_cut_off() {
        let (ours, mut theirs) = duplex(1 << 10);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while theirs.write_all(&[0]).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let took = linger(ours, true).await;
        assert!(took >= LINGER_TIME_MAX && took < LINGER_TIME_MAX + Duration::from_secs(2), "{took:?}");
        let (ours, mut theirs) = duplex(1 << 20);
        tasks.spawn(async move { while theirs.write_all(&[0; 1 << 16]).await.is_ok() {} });
        assert_eq!(linger(ours, true).await, Duration::ZERO, "as much as is thrown away");
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    }
}
