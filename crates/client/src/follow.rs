//! A session that somebody else has, watched while it runs.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, Uri};
use postern_api::Secret;
use postern_api::postern::AttachSessionInput;
use postern_dial::{DialError, WebSocket, WebSocketError};
use serde::Deserialize;
use tokio::time::timeout;

use crate::api::{Api, CallError};

/// The server pings whoever says nothing for 20 seconds, so one that is silent for so long is gone.
const SILENT_FOR_MAX: Duration = Duration::from_secs(45);

/// A session that is watched.
#[derive(Debug)]
pub struct Following {
    websocket: WebSocket,
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
    /// The server ended it, and said why.
    #[error("the server ended the connection: {0}")]
    Closed(String),
}

impl Following {
    /// Asks for leave to follow a session, and begins.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn open(api: &Api, session_id: &str) -> Result<Self, FollowError> {
        let attached = api.call(&AttachSessionInput { session_id: session_id.to_owned() }).await?;
        let url = attached.url.map(Secret::into_exposed).unwrap_or_default();
        let url: Uri = url.parse().map_err(|_| FollowError::Url)?;
        let websocket = api.http().websocket(&url, &HeaderMap::new()).await?;
        Ok(Self { websocket })
    }

    /// What is seen next. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Anything but the end of the session.
    pub async fn next(&mut self) -> Result<Seen, FollowError> {
        loop {
            let next = timeout(SILENT_FOR_MAX, self.websocket.next()).await;
            let next = next.map_err(|_| FollowError::Silent)?;
            let message = next.ok_or_else(|| FollowError::Closed(String::new()))??;
            if let Some((_, reason)) = message.as_close() {
                return Err(FollowError::Closed(reason.to_owned()));
            }
            if let Some(text) = message.as_text() {
                return Ok(seen(text));
            }
        }
    }
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
