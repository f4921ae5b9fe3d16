//! Getting a data channel, the first time and again after a lost connection.

use std::time::{Duration, Instant};

use postern_api::ssm::ResumeSessionInput;
use postern_dial::Backoff;

use crate::api::{Api, CallError};
use crate::connection::{Connection, Identity, OpenError};

/// Attempts to use the token of StartSession. It is good for a minute.
const FIRST_ATTEMPTS: u32 = 4;
/// How long a lost session is tried to be resumed: longer than a server takes to be updated or a laptop to find
/// its network, and short enough to be told while someone still waits.
const RESUME_FOR: Duration = Duration::from_secs(15 * 60);

/// Why there is no connection, for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    /// The server no longer has the session.
    #[error("the session is over")]
    TimedOut,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Call(CallError),
}

/// Opens the data channel with the token that StartSession gave.
pub(crate) async fn first(
    api: &Api,
    stream_url: &str,
    token_value: &str,
    identity: &Identity,
) -> Result<Box<Connection>, AttemptError> {
    let mut backoff = backoff();
    let mut attempt = 1;
    loop {
        match Connection::open(api, stream_url, token_value, identity).await {
            Err(error) if error.is_transient() && attempt < FIRST_ATTEMPTS => attempt += 1,
            result => return Ok(Box::new(result?)),
        }
        tokio::time::sleep(backoff.next_pause()).await;
    }
}

/// Asks for a new token until there is one, and opens the data channel with it.
pub(crate) async fn again(
    api: &Api,
    session_id: &str,
    stream_url: &str,
    identity: &Identity,
) -> Result<Box<Connection>, AttemptError> {
    let give_up_at = Instant::now() + RESUME_FOR;
    let mut backoff = backoff();
    loop {
        let error = match attempt(api, session_id, stream_url, identity).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let transient = match &error {
            AttemptError::TimedOut => false,
            // A refused websocket is tried with the next token.
            AttemptError::Open(OpenError::Dial(_)) => true,
            AttemptError::Open(OpenError::Url(_)) => false,
            AttemptError::Call(error) => error.is_transient(),
        };
        if !transient || Instant::now() >= give_up_at {
            return Err(error);
        }
        tokio::time::sleep(backoff.next_pause()).await;
    }
}

/// Somebody waits, but the clients of a restarted server must not come all at once.
fn backoff() -> Backoff {
    Backoff::new(Duration::from_millis(150), Duration::from_secs(7))
}

async fn attempt(
    api: &Api,
    session_id: &str,
    stream_url: &str,
    identity: &Identity,
) -> Result<Box<Connection>, AttemptError> {
    let request = ResumeSessionInput { session_id: session_id.to_owned() };
    let resumed = match api.call(&request).await {
        Ok(resumed) => resumed,
        Err(CallError::Refused { code, .. }) if code == "DoesNotExistException" => {
            return Err(AttemptError::TimedOut);
        }
        Err(error) => return Err(AttemptError::Call(error)),
    };
    let token = resumed.token_value.map(postern_api::Secret::into_exposed).unwrap_or_default();
    if token.is_empty() {
        return Err(AttemptError::TimedOut);
    }
    let stream_url = resumed.stream_url.as_deref().unwrap_or(stream_url);
    Ok(Box::new(Connection::open(api, stream_url, &token, identity).await?))
}
