//! A Live Tail session: once a second what has come, as long as the caller may see it.
//!
//! It has no task: the connection asks for the next message when it has room for it, so a slow client holds up nobody, and
//! one that is gone ends its session.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use postern_api::event_stream;
use postern_api::logs::{LiveTailSessionLogEvent, LiveTailSessionMetadata, LiveTailSessionUpdate, errors};
use postern_log_filter::FilterPattern;
use postern_logs::{Arrived, BATCH_BYTES_MAX, EVENT_OVERHEAD_BYTES, GroupName};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::group;
use crate::app::App;
use crate::auth::{Action, Bearer, Caller, Check, RequestContext};

/// Source of these: `StartLiveTail`, CloudWatch Logs API reference.
const UPDATED_EVERY: Duration = Duration::from_secs(1);
const UPDATE_EVENTS_MAX: usize = 500;
/// What a message holds of events: a batch, of which a message of an event stream (16 MiB) has room however it is escaped.
/// Events are up to a megabyte each, and whoever writes them is not whoever follows.
const UPDATE_BYTES_MAX: usize = BATCH_BYTES_MAX;
const SESSION_TIME_MAX: Duration = Duration::from_secs(3 * 60 * 60);

/// Which events are shown.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) groups: Vec<GroupName>,
    pub(super) names: Option<Vec<String>>,
    pub(super) prefixes: Option<Vec<String>>,
    pub(super) pattern: Option<Arc<FilterPattern>>,
}

/// Who asked, to be asked again when rights have changed.
#[derive(Debug)]
pub(super) struct Right {
    caller: Caller,
    bearer: Option<Bearer>,
    context: RequestContext,
    operation: postern_api::Operation,
}

/// The session. While it lives it has its place among those that there may be.
pub(super) struct LiveTail {
    app: Arc<App>,
    wanted: Wanted,
    right: Right,
    /// Moves when rights may have changed.
    generation: watch::Receiver<u64>,
    arrived: Receiver<Arc<Arrived>>,
    ticks: Interval,
    ends_at: Instant,
    shown: Vec<LiveTailSessionLogEvent>,
    shown_bytes: usize,
    is_sampled: bool,
    _place: OwnedSemaphorePermit,
}

/// What to send next.
enum Next {
    Message(Vec<u8>),
    /// The last one, or nothing more at all.
    Last(Option<Vec<u8>>),
}

impl Right {
    pub(super) fn of(caller: &Caller, context: &RequestContext, operation: postern_api::Operation) -> Self {
        Self { caller: caller.clone(), bearer: caller.bearer(), context: context.clone(), operation }
    }

    /// Whether the right is still there. What cannot be told counts as no.
    async fn holds(&self, app: &App, groups: &[GroupName]) -> bool {
        let Some(bearer) = &self.bearer else { return false };
        let (key, token) = (self.caller.access_key_id.as_deref(), self.caller.token.as_ref());
        let key = key.and_then(|key| key.parse().ok());
        let standing = app.authenticator.standing(bearer, key.as_ref(), token).await;
        let Ok(Ok(principal)) = standing else { return false };
        let caller = Caller { principal, ..self.caller.clone() };
        let mut checks = Vec::with_capacity(groups.len());
        for name in groups {
            let check = Check::new(Action::from(self.operation)).on(group::policy_arn(app, name.as_str()));
            let Ok(check) = group::with_tags(app, check, name).await else { return false };
            checks.push(check);
        }
        matches!(app.authorizer.review(&caller, &self.context, [checks]).await, Ok(Ok(())))
    }
}

impl LiveTail {
    pub(super) fn new(app: Arc<App>, wanted: Wanted, right: Right, place: OwnedSemaphorePermit) -> Self {
        let mut ticks = interval_at(Instant::now() + UPDATED_EVERY, UPDATED_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            generation: app.store.identity_generation(),
            arrived: app.logs.store.follow(),
            app,
            wanted,
            right,
            ticks,
            ends_at: Instant::now() + SESSION_TIME_MAX,
            shown: Vec::new(),
            shown_bytes: 0,
            is_sampled: false,
            _place: place,
        }
    }

    /// The messages, `first` before all others.
    pub(super) fn frames(self, first: Vec<u8>) -> impl Stream<Item = Bytes> + Send {
        let beginning = stream::once(std::future::ready(Bytes::from(first)));
        let rest = stream::unfold(Some(self), |tail| async move {
            let mut tail = tail?;
            match tail.next().await {
                Next::Message(message) => Some((Bytes::from(message), Some(tail))),
                Next::Last(message) => message.map(|message| (Bytes::from(message), None)),
            }
        });
        futures_util::StreamExt::chain(beginning, rest)
    }

    async fn next(&mut self) -> Next {
        let shutdown = self.app.shutdown.clone();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Next::Last(None),
                arrived = self.arrived.recv() => match arrived {
                    Ok(arrived) => self.take(&arrived),
                    Err(RecvError::Lagged(_)) => self.is_sampled = true,
                    Err(RecvError::Closed) => return Next::Last(None),
                },
                _ = self.ticks.tick() => return self.update().await,
            }
        }
    }

    /// Keeps what is wanted of what has come, as far as one message has room.
    fn take(&mut self, arrived: &Arrived) {
        if !self.wanted.is_of(arrived) {
            return;
        }
        let identifier = group::arn(&self.app, &arrived.group);
        for event in &arrived.events {
            if self.wanted.pattern.as_ref().is_some_and(|pattern| !pattern.matches(&event.message)) {
                continue;
            }
            self.shown_bytes += event.message.len() + EVENT_OVERHEAD_BYTES;
            if self.shown.len() >= UPDATE_EVENTS_MAX || self.shown_bytes > UPDATE_BYTES_MAX {
                self.is_sampled = true;
                return;
            }
            self.shown.push(LiveTailSessionLogEvent {
                log_stream_name: Some(arrived.stream.to_string()),
                log_group_identifier: Some(identifier.to_string()),
                message: Some(event.message.clone()),
                timestamp: Some(event.timestamp_ms),
                ingestion_time: Some(arrived.ingested_at_ms),
            });
        }
    }

    /// The message of this second.
    async fn update(&mut self) -> Next {
        if Instant::now() >= self.ends_at {
            let text = "The Live Tail session has been open for three hours.";
            return Next::Last(Some(event_stream::exception(errors::SESSION_TIMEOUT_EXCEPTION, text)));
        }
        if self.generation.has_changed().unwrap_or(false) {
            self.generation.mark_unchanged();
            if !self.right.holds(&self.app, &self.wanted.groups).await {
                let text = "The permission to follow these log groups was revoked.";
                return Next::Last(Some(event_stream::exception(errors::SESSION_STREAMING_EXCEPTION, text)));
            }
        }
        self.shown_bytes = 0;
        let update = LiveTailSessionUpdate {
            session_metadata: Some(LiveTailSessionMetadata {
                sampled: Some(std::mem::take(&mut self.is_sampled)),
            }),
            session_results: Some(std::mem::take(&mut self.shown)),
        };
        Next::Message(event_stream::event("sessionUpdate", &update))
    }
}

impl Wanted {
    fn is_of(&self, arrived: &Arrived) -> bool {
        let stream = arrived.stream.as_str();
        let is_named = self.names.as_ref().is_none_or(|names| names.iter().any(|name| name == stream));
        let begins = |prefix: &String| stream.starts_with(prefix.as_str());
        let has_prefix = self.prefixes.as_ref().is_none_or(|prefixes| prefixes.iter().any(begins));
        self.groups.contains(&arrived.group) && is_named && has_prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted() {
        let arrived = |group: &str, stream: &str| Arrived {
            group: group.parse().unwrap(),
            stream: stream.parse().unwrap(),
            ingested_at_ms: 0,
            events: Vec::new(),
        };
        let all = Wanted { groups: vec!["g".parse().unwrap()], names: None, prefixes: None, pattern: None };
        assert!(all.is_of(&arrived("g", "a")) && !all.is_of(&arrived("h", "a")));
        let named = Wanted { names: Some(vec!["a".to_owned()]), ..all };
        assert!(named.is_of(&arrived("g", "a")) && !named.is_of(&arrived("g", "ab")));
        let prefixed = Wanted { names: None, prefixes: Some(vec!["a".to_owned()]), ..named };
        assert!(prefixed.is_of(&arrived("g", "ab")) && !prefixed.is_of(&arrived("g", "b")));
    }
}
