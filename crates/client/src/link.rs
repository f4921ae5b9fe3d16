//! The connection of a session, or the attempt to get one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use postern_protocol::DataChannel;

use crate::connection::{Connection, Lost};
use crate::resume::AttemptError;
use crate::stamps::SystemStamps;

/// Dials until there is a connection or no hope.
pub(crate) type Attempt<'a> = Pin<Box<dyn Future<Output = Result<Box<Connection>, AttemptError>> + 'a>>;

/// The connection, or the attempt to get one.
pub(crate) enum Link<'a> {
    Up(Box<Connection>),
    First(Attempt<'a>),
    Again { attempt: Attempt<'a>, tell_at: Option<Instant> },
}

/// What happened to the link.
pub(crate) enum LinkEvent {
    Frame(Bytes),
    Lost(Lost),
    Attempted(Result<Box<Connection>, AttemptError>),
}

impl Link<'_> {
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        channel: &mut DataChannel,
        stamps: &mut SystemStamps,
        reading: bool,
    ) -> Poll<LinkEvent> {
        match self {
            Self::Up(connection) => {
                let frame = ready!(connection.poll_frame(cx, channel, stamps, reading));
                Poll::Ready(frame.map_or_else(LinkEvent::Lost, LinkEvent::Frame))
            }
            Self::First(attempt) | Self::Again { attempt, .. } => {
                attempt.as_mut().poll(cx).map(LinkEvent::Attempted)
            }
        }
    }
}
