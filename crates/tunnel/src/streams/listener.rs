//! A listener of the node's.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

use super::ready::Bell;
use crate::Listening;
use postern_protocol::tunnel::Refused;

/// A process without descriptors has some again later.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// See the [module's documentation](self).
pub(super) struct Listener {
    pub(super) bell: Bell,
    state: State,
    pause: Option<Pin<Box<Sleep>>>,
}

enum State {
    Opening(Listening),
    Open(TcpListener),
}

/// What it did.
pub(super) enum Did {
    Bound(String),
    Refused(Refused),
    Accepted { stream: TcpStream, source: String },
}

impl Listener {
    pub(super) fn new(listening: Listening, bell: Bell) -> Self {
        Self { bell, state: State::Opening(listening), pause: None }
    }

    /// Whether it still waits for its port.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening(_))
    }

    /// Waits for its port, and then for connections as long as it `may_accept`.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, may_accept: bool) -> Poll<Did> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        match &mut self.state {
            State::Opening(listening) => match ready!(listening.as_mut().poll(cx)) {
                Ok(bound) => {
                    self.state = State::Open(bound.listener);
                    Poll::Ready(Did::Bound(bound.address))
                }
                Err(refused) => Poll::Ready(Did::Refused(refused)),
            },
            State::Open(_) if !may_accept => Poll::Pending,
            State::Open(listener) => match ready!(listener.poll_accept(cx)) {
                Ok((stream, source)) => Poll::Ready(Did::Accepted { stream, source: source.to_string() }),
                Err(_) => {
                    let mut pause = Box::pin(sleep(ACCEPT_PAUSE));
                    // It is looked at again when it is over.
                    let _ = pause.as_mut().poll(cx);
                    self.pause = Some(pause);
                    Poll::Pending
                }
            },
        }
    }
}
