//! A session that somebody else has, watched while it runs.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, Uri};
use postern_api::Secret;
use postern_api::postern::AttachSessionInput;
use postern_dial::{Backoff, DialError, WebSocket, WebSocketError};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use crate::api::{Api, CallError};

/// The server pings whoever says nothing for 20 seconds, so one that is silent for so long is gone.
const SILENT_FOR_MAX: Duration = Duration::from_secs(45);

/// How long it is tried to go on watching: longer than a server takes to be updated.
const REATTACHED_WITHIN: Duration = Duration::from_secs(2 * 60);
/// Close code of a server that stops and comes back. Source: RFC 6455, 7.4.1.
const GOING_AWAY: u16 = 1001;

/// A session that is watched. When the server restarts or the connection breaks, it is asked for again.
pub struct Following<'a> {
    api: &'a Api,
    session_id: String,
    /// `None` while the connection is lost.
    websocket: Option<WebSocket>,
    /// Bytes of the recording that have been given to whoever watches.
    seen_bytes: usize,
    /// Bytes of it that came on this connection: it begins anew each time.
    come_bytes: usize,
    /// Until when it is tried again.
    lost: Option<Lost>,
}

#[derive(Debug)]
struct Lost {
    give_up_at: Instant,
    backoff: Backoff,
}

/// What is seen of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Lines of its recording, asciicast v3, from the beginning.
    Lines(String),
    /// It is over; nothing follows.
    Ended(SessionEnd),
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SessionEnd {
    /// Why, in a word.
    pub reason: Option<String>,
    /// The same for people.
    pub details: Option<String>,
}

/// Why a session cannot be watched (any more).
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The server refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What the server answered cannot be dialled.
    #[error("the server gave no address to follow the session at")]
    Url,
    /// The server was not reached.
    #[error("cannot follow the session")]
    Dial(#[from] DialError),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[from] WebSocketError),
    /// Nothing was heard for too long.
    #[error("the server has not answered for too long")]
    Silent,
    /// The server stopped, or its connection was cut.
    #[error("the connection to the server was lost")]
    Lost,
    /// The server ended it, and said why.
    #[error("the server ended the connection: {0}")]
    Closed(String),
}

impl FollowError {
    /// Whether another attempt may do better.
    fn is_transient(&self) -> bool {
        match self {
            Self::Call(error) => error.is_transient(),
            Self::Dial(_) | Self::Broken(_) | Self::Silent | Self::Lost => true,
            Self::Url | Self::Closed(_) => false,
        }
    }
}

impl<'a> Following<'a> {
    /// Asks for leave to follow a session, and begins.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn open(api: &'a Api, session_id: &str) -> Result<Self, FollowError> {
        let websocket = Some(attach(api, session_id).await?);
        let session_id = session_id.to_owned();
        Ok(Self { api, session_id, websocket, seen_bytes: 0, come_bytes: 0, lost: None })
    }

    /// What is seen next, of what has not been seen yet. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Anything but the end of the session, if it does not pass within two minutes.
    pub async fn next(&mut self) -> Result<Seen, FollowError> {
        loop {
            let error = match self.receive().await {
                Ok(Seen::Lines(lines)) => match self.unseen(lines) {
                    Some(lines) => return Ok(Seen::Lines(lines)),
                    None => continue,
                },
                Ok(ended) => return Ok(ended),
                Err(error) => error,
            };
            self.websocket = None;
            let is_over = matches!(&error, FollowError::Call(CallError::Refused { code, .. }) if code == "SessionEndedException");
            if is_over && self.lost.is_some() {
                // How it ended, its recording says.
                let details = Some("it ended while the connection was lost".to_owned());
                return Ok(Seen::Ended(SessionEnd { reason: None, details }));
            }
            let now = Instant::now();
            let lost = self.lost.get_or_insert_with(|| Lost {
                give_up_at: now + REATTACHED_WITHIN,
                backoff: Backoff::new(Duration::from_millis(150), Duration::from_secs(7)),
            });
            if !error.is_transient() || now >= lost.give_up_at {
                return Err(error);
            }
            sleep(lost.backoff.next_pause()).await;
        }
    }

    /// The next message of the connection, which is made if there is none.
    async fn receive(&mut self) -> Result<Seen, FollowError> {
        let websocket = match &mut self.websocket {
            Some(websocket) => websocket,
            lost => {
                self.come_bytes = 0;
                lost.insert(attach(self.api, &self.session_id).await?)
            }
        };
        loop {
            let next = timeout(SILENT_FOR_MAX, websocket.next()).await;
            let message = next.map_err(|_| FollowError::Silent)?.ok_or(FollowError::Lost)??;
            if let Some((code, reason)) = message.as_close() {
                let is_restart = u16::from(code) == GOING_AWAY;
                return Err(if is_restart {
                    FollowError::Lost
                } else {
                    FollowError::Closed(reason.to_owned())
                });
            }
            if let Some(text) = message.as_text() {
                return Ok(seen(text));
            }
        }
    }

    /// What of the next lines of this connection has not been seen on an earlier one. The recording only grows.
    fn unseen(&mut self, lines: String) -> Option<String> {
        let known = self.seen_bytes.saturating_sub(self.come_bytes).min(lines.len());
        self.come_bytes += lines.len();
        self.seen_bytes = self.seen_bytes.max(self.come_bytes);
        if self.come_bytes == self.seen_bytes {
            self.lost = None;
        }
        let unseen = lines.get(known..)?;
        (!unseen.is_empty()).then(|| unseen.to_owned())
    }
}

async fn attach(api: &Api, session_id: &str) -> Result<WebSocket, FollowError> {
    let attached = api.call(&AttachSessionInput { session_id: session_id.to_owned() }).await?;
    let url = attached.url.map(Secret::into_exposed).unwrap_or_default();
    let url: Uri = url.parse().map_err(|_| FollowError::Url)?;
    Ok(api.http().websocket(&url, &HeaderMap::new()).await?)
}

fn seen(text: &str) -> Seen {
    #[derive(Deserialize)]
    struct Last {
        ended: SessionEnd,
    }
    match serde_json::from_str::<Last>(text) {
        Ok(last) => Seen::Ended(last.ended),
        Err(_) => Seen::Lines(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_is_no_line() {
        let header = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24},\"timestamp\":1}\n";
        assert_eq!(seen(header), Seen::Lines(header.to_owned()));
        let event = "[0.1,\"o\",\"{\\\"ended\\\":{}}\"]\n";
        assert_eq!(seen(event), Seen::Lines(event.to_owned()));
        let end = SessionEnd { reason: Some("idle".to_owned()), details: None };
        assert_eq!(
            seen(r#"{"ended":{"reason":"idle","details":null,"status":"Terminated"}}"#),
            Seen::Ended(end)
        );
    }
}
