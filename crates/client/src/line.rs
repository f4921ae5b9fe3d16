//! A session's data channel, over any number of connections.

use std::time::{Duration, Instant};

use bytes::Bytes;
use postern_protocol::{ChannelLimits, DataChannel, PayloadType, Role, Stamps};
use uuid::Uuid;

use crate::api::Api;
use crate::connection::{Identity, Lost, is_presigned};
use crate::link::{Link, LinkEvent};
use crate::outcome::{Ended, Notice, SessionError};
use crate::resume::{AttemptError, again, first};
use crate::stamps::SystemStamps;
use crate::start::SessionStart;

/// A lost connection that is back within this time is not worth a word.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// See the [module's documentation](self).
pub(crate) struct Line<'a> {
    pub(crate) api: &'a Api,
    pub(crate) start: &'a SessionStart,
    pub(crate) notify: &'a dyn Fn(Notice<'_>),
    pub(crate) identity: Identity,
    pub(crate) channel: DataChannel,
    pub(crate) stamps: SystemStamps,
    pub(crate) link: Link<'a>,
}

/// What became of the connection.
pub(crate) enum Change {
    /// Nothing that matters, or it is lost and being made again.
    None,
    /// It is there.
    Connected,
    /// The session is over.
    Ended(Ended),
}

impl<'a> Line<'a> {
    pub(crate) fn new(api: &'a Api, start: &'a SessionStart, notify: &'a dyn Fn(Notice<'_>)) -> Self {
        let identity = Identity { client_id: Uuid::new_v4(), client_version: start.client_version.clone() };
        let link = {
            let identity = identity.clone();
            Link::First(Box::pin(async move {
                first(api, &start.stream_url, &start.token_value, &identity).await
            }))
        };
        Self {
            api,
            start,
            notify,
            identity,
            channel: DataChannel::new(Role::Client, ChannelLimits::default()),
            stamps: SystemStamps,
            link,
        }
    }

    pub(crate) fn handle_link(&mut self, event: LinkEvent) -> Result<Change, SessionError> {
        match event {
            LinkEvent::Frame(frame) => {
                // A frame that cannot be read is dropped, as AWS's plugin does; the sender's timer repairs it.
                let _ = self.channel.handle_frame(frame, Instant::now());
            }
            LinkEvent::Lost(lost) => self.handle_lost(lost)?,
            LinkEvent::Attempted(Ok(connection)) => {
                if let Link::Again { tell_at: None, .. } = self.link {
                    (self.notify)(Notice::Reconnected);
                }
                self.link = Link::Up(connection);
                self.channel.handle_connected(Instant::now());
                return Ok(Change::Connected);
            }
            LinkEvent::Attempted(Err(AttemptError::TimedOut)) => return Ok(Change::Ended(Ended::TimedOut)),
            LinkEvent::Attempted(Err(error)) => return Err(self.attempt_failed(error)),
        }
        Ok(Change::None)
    }

    fn attempt_failed(&self, error: AttemptError) -> SessionError {
        match (&self.link, error) {
            (Link::First(_), AttemptError::Open(error)) => SessionError::Open(error),
            (_, error) => SessionError::Resume(error.into()),
        }
    }

    fn handle_lost(&mut self, lost: Lost) -> Result<(), SessionError> {
        self.channel.handle_disconnected();
        if is_presigned(&self.start.stream_url) {
            return Err(SessionError::Resume(lost.into()));
        }
        let (api, start, identity) = (self.api, self.start, self.identity.clone());
        let attempt =
            Box::pin(async move { again(api, &start.session_id, &start.stream_url, &identity).await });
        self.link = Link::Again { attempt, tell_at: Some(Instant::now() + TELL_AFTER) };
        Ok(())
    }

    /// When to call [`Self::handle_times`].
    pub(crate) fn next_time(&self) -> Option<Instant> {
        let link = match &self.link {
            Link::Up(connection) => Some(connection.poll_timeout()),
            Link::First(_) => None,
            Link::Again { tell_at, .. } => *tell_at,
        };
        let is_full = matches!(&self.link, Link::Up(connection) if connection.is_full());
        link.into_iter().chain(self.channel.poll_timeout().filter(|_| !is_full)).min()
    }

    pub(crate) fn handle_times(&mut self, now: Instant) -> Result<(), SessionError> {
        match &mut self.link {
            Link::Up(connection) => {
                if let Err(lost) = connection.handle_timeout(now) {
                    self.handle_lost(lost)?;
                }
            }
            Link::Again { tell_at, .. } if tell_at.is_some_and(|at| at <= now) => {
                *tell_at = None;
                (self.notify)(Notice::ConnectionLost);
            }
            _ => {}
        }
        Ok(())
    }

    /// Callers look for room first. Handshake answers need none: nothing else has been sent.
    pub(crate) fn send(&mut self, payload_type: PayloadType, payload: Bytes) {
        let sent = self.channel.send(payload_type, payload, self.stamps.stamp(), Instant::now());
        debug_assert!(sent.is_ok(), "there is room");
    }
}
