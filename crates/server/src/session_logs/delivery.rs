//! One log on its way.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postern_ids::SessionId;
use postern_recording::{Reached, Recording, RecordingStatus};
use postern_session_log::RecordContext;
use postern_store::{
    SessionLog, SessionLogFailure, SessionLogSink, SessionLogState, SessionRecord, StoreError,
};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use super::again::{Ended, Patience};
use super::events::{Batch, Cursor, Making};
use super::failure::Failure;
use super::{CollectorKind, Destination, EventForm, object};
use crate::app::App;

/// How often lines of a session that runs are written. Source: aws/amazon-ssm-agent,
/// agent/agentlogstocloudwatch/cloudwatchlogspublisher.
const STREAMED_EVERY: Duration = Duration::from_secs(1);
/// The pause after a first attempt that failed; it doubles with each.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// What is left to those who relay between two batches, in times of what a batch has taken. On two cores that a flood of output
/// keeps busy, a pause as long as the work cost the flood a sixth of its speed. A log that lags behind loses nothing.
const PAUSE_AFTER_WORK: u32 = 4;
/// A log without a session is one of a session that did not come about, unless it is about to.
const COMES_ABOUT_WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// What goes on when the server stops may take so long: whether it was written would not be known otherwise.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);

/// Where events go.
#[derive(Clone, Copy)]
enum Events<'a> {
    Stream { group: &'a str, stream: &'a str },
    Collector(CollectorKind),
}

/// How a log's way ended.
enum End {
    Delivered,
    /// The server stops; the next process goes on.
    Stopped,
}

/// Takes the logs of a session that has just started, or that an earlier process has left, and delivers them.
pub(crate) async fn follow(app: &Arc<App>, session: &SessionId) -> Result<(), StoreError> {
    for log in app.store.claim_session_logs(session).await? {
        app.tasks.spawn(deliver(Arc::clone(app), log));
    }
    Ok(())
}

/// Delivers a log that has been claimed: while its session runs, and once when it is over. What fails then is left to be
/// tried again.
pub(super) async fn deliver(app: Arc<App>, log: SessionLog) {
    let (session, sink) = (log.session.clone(), log.sink);
    let config = &app.session_logs.config;
    let patience = Patience {
        shutdown: &app.shutdown,
        pause_max: config.retry_pause_max,
        give_up_after: config.give_up_after,
    };
    let mut claimed = Some(log);
    let begin = || {
        let claimed = claimed.take();
        async {
            // What has been delivered meanwhile is not delivered again.
            let log = match claimed {
                Some(log) => Some(log),
                None => stored(&app, &session, sink).await?,
            };
            match log {
                Some(log) => once(&app, log).await,
                None => Ok(()),
            }
        }
    };
    let ended = patience.run(begin, |why, pause| {
        tracing::error!(session.id = %session, "the {sink} log of session {session} broke off; it goes on in {pause:?}: {why}");
    });
    if ended.await == Ended::GivenUp {
        // It stays claimed, and is taken up when the server starts again.
        tracing::error!(session.id = %session, "the {sink} log of session {session} is not tried any more before the server starts again");
    }
}

/// The log as it stands, while it is to be delivered.
async fn stored(
    app: &App,
    session: &SessionId,
    sink: SessionLogSink,
) -> Result<Option<SessionLog>, StoreError> {
    let logs = app.store.session_logs(session).await?;
    Ok(logs.into_iter().find(|log| log.sink == sink && log.state == SessionLogState::Waiting))
}

/// Delivers it as far as it goes.
async fn once(app: &Arc<App>, log: SessionLog) -> Result<(), StoreError> {
    let session = log.session.clone();
    match Delivery::prepare(app, log).await? {
        Some(mut delivery) => delivery.run().await,
        None => app.store.forget_session_logs(&session).await,
    }
}

struct Delivery<'a> {
    app: &'a Arc<App>,
    log: SessionLog,
    session: SessionRecord,
    recorded: Option<watch::Receiver<u64>>,
}

impl<'a> Delivery<'a> {
    /// `None`: the session did not come about.
    async fn prepare(app: &'a Arc<App>, log: SessionLog) -> Result<Option<Self>, StoreError> {
        loop {
            let recorded = app.gateway.recorded(&log.session);
            if let Some(session) = app.store.session(&log.session).await? {
                return Ok(Some(Self { app, log, session, recorded }));
            }
            if app.clock.now().duration_since(log.created_at) > COMES_ABOUT_WITHIN
                || app.shutdown.is_cancelled()
            {
                return Ok(None);
            }
            sleep(PAUSE_FIRST).await;
        }
    }

    async fn run(&mut self) -> Result<(), StoreError> {
        loop {
            match self.attempt().await {
                Ok(End::Delivered) => return self.end(SessionLogState::Delivered, None).await,
                Ok(End::Stopped) => return Ok(()),
                Err(failure) => {
                    let Some(pause) = self.failed(&failure).await? else { return Ok(()) };
                    tokio::select! {
                        () = self.app.shutdown.cancelled() => return Ok(()),
                        () = sleep(pause) => {}
                    }
                }
            }
        }
    }

    async fn attempt(&mut self) -> Result<End, Failure> {
        let destination: Destination =
            serde_json::from_value(self.log.destination.clone()).map_err(Failure::Stored)?;
        match destination {
            Destination::S3 { bucket, key } => self.put(&bucket, &key).await,
            Destination::CloudWatch { log_group, log_stream, form, run_as_user } => {
                let to = Events::Stream { group: &log_group, stream: &log_stream };
                self.append(to, form, &run_as_user).await
            }
            Destination::Collector { collector, run_as_user } => {
                self.append(Events::Collector(collector), EventForm::Streaming, &run_as_user).await
            }
        }
    }

    /// Writes the whole log when the session is over.
    async fn put(&mut self, bucket: &str, key: &str) -> Result<End, Failure> {
        if self.is_stopped_before_the_end().await {
            return Ok(End::Stopped);
        }
        let recording = self.recording().await?;
        if recording.summary.status == RecordingStatus::Running {
            return Err(Failure::RecordingIncomplete);
        }
        let writes = &self.app.session_logs.bounds(self.log.sink).writes;
        let Ok(_permit) = writes.acquire().await else { return Ok(End::Stopped) };
        let put = self.app.session_logs.sinks.objects.put(bucket, key, object::contents(recording));
        match self.unless_stopped(put).await {
            Some(outcome) => Ok(outcome.map(|()| End::Delivered)?),
            None => Ok(End::Stopped),
        }
    }

    /// Writes one batch after the other, as far as the recording goes.
    async fn append(&mut self, to: Events<'_>, form: EventForm, run_as_user: &str) -> Result<End, Failure> {
        if form == EventForm::AtEnd && self.is_stopped_before_the_end().await {
            return Ok(End::Stopped);
        }
        let mut cursor = match self.log.cursor.clone() {
            Some(cursor) => serde_json::from_value(cursor).map_err(Failure::Stored)?,
            None => {
                if let Events::Stream { group, stream } = to {
                    self.app.session_logs.sinks.events.open_stream(group, stream).await?;
                }
                Cursor::default()
            }
        };
        loop {
            if let Some(recorded) = &mut self.recorded {
                recorded.borrow_and_update();
            }
            let batch = self.read(cursor, form, run_as_user).await?;
            if !batch.messages.is_empty() {
                let Some(()) = self.write(to, batch.messages).await? else {
                    return Ok(End::Stopped);
                };
            }
            if batch.next != cursor {
                cursor = batch.next;
                self.advance(cursor).await?;
            }
            match batch.reached {
                Reached::End => return Ok(End::Delivered),
                Reached::More => {}
                Reached::AllYet if self.app.shutdown.is_cancelled() => return Ok(End::Stopped),
                Reached::AllYet if self.recorded.is_none() => return Err(Failure::RecordingIncomplete),
                Reached::AllYet => self.grown().await,
            }
        }
    }

    /// Writes a batch. `None`: the server stops.
    async fn write(&self, to: Events<'_>, messages: Vec<String>) -> Result<Option<()>, Failure> {
        let logs = &self.app.session_logs;
        let Ok(_permit) = logs.bounds(self.log.sink).writes.acquire().await else { return Ok(None) };
        let written = match to {
            Events::Stream { group, stream } => {
                self.unless_stopped(logs.sinks.events.append(group, stream, messages)).await
            }
            Events::Collector(kind) => {
                let collector = logs.collectors.get(kind)?;
                self.unless_stopped(collector.take(self.session.id.as_str(), &messages)).await
            }
        };
        Ok(written.transpose()?)
    }

    async fn advance(&mut self, cursor: Cursor) -> Result<(), Failure> {
        let cursor = serde_json::to_value(cursor).map_err(Failure::Stored)?;
        self.app.store.advance_session_log(&self.log.session, self.log.sink, &cursor).await?;
        self.log.cursor = Some(cursor);
        (self.log.attempts, self.log.failing_since) = (0, None);
        Ok(())
    }

    /// Reads the next batch, one log at a time, and has a processor for a fifth of the time at most.
    async fn read(&self, cursor: Cursor, form: EventForm, run_as_user: &str) -> Result<Batch, Failure> {
        let recording = self.recording().await?;
        let reads = Arc::clone(&self.app.session_logs.bounds(self.log.sink).reads);
        let _permit = reads.acquire_owned().await;
        let began = Instant::now();
        let (region, session, user) =
            (self.app.region.to_string(), self.session.clone(), run_as_user.to_owned());
        let batch = spawn_blocking(move || {
            let context = RecordContext {
                region: &region,
                target: session.node.as_str(),
                user_arn: session.owner_arn.as_str(),
                run_as_user: &user,
                session: session.id.as_str(),
            };
            Making { form, context, began: session.started_at }.batch(&recording, cursor)
        });
        let batch = batch.await.map_err(std::io::Error::other)??;
        if batch.reached == Reached::More {
            sleep(PAUSE_AFTER_WORK * began.elapsed()).await;
        }
        Ok(batch)
    }

    async fn recording(&self) -> Result<Recording, Failure> {
        self.app.recordings.open(&self.log.session).await?.ok_or(Failure::RecordingGone)
    }

    /// Waits until more is on record, and then until it is worth writing.
    async fn grown(&mut self) {
        let Some(recorded) = &mut self.recorded else { return };
        let growing = async {
            recorded.changed().await?;
            // It ends at once when the session does.
            match timeout(STREAMED_EVERY, async { while recorded.changed().await.is_ok() {} }).await {
                Ok(()) => recorded.changed().await,
                Err(_) => Ok(()),
            }
        };
        let is_over = tokio::select! {
            () = self.app.shutdown.cancelled() => return,
            grown = growing => grown.is_err(),
        };
        if is_over {
            self.recorded = None;
        }
    }

    /// Waits until the session is over. `true`: the server stops before.
    async fn is_stopped_before_the_end(&mut self) -> bool {
        if let Some(mut recorded) = self.recorded.take() {
            let over = async { while recorded.changed().await.is_ok() {} };
            tokio::select! {
                () = self.app.shutdown.cancelled() => {}
                () = over => {}
            }
        }
        self.app.shutdown.is_cancelled()
    }

    /// Does something that is not to be cut off, but must not keep the server from stopping either.
    async fn unless_stopped<T>(&self, doing: impl Future<Output = T>) -> Option<T> {
        let stopped = async {
            self.app.shutdown.cancelled().await;
            sleep(STOPPED_WITHIN).await;
        };
        tokio::select! {
            done = doing => Some(done),
            () = stopped => None,
        }
    }

    /// What becomes of a log that could not be written. A pause: it is tried again here.
    async fn failed(&mut self, failure: &Failure) -> Result<Option<Duration>, StoreError> {
        let (app, now) = (self.app, self.app.clock.now());
        self.log.attempts = self.log.attempts.saturating_add(1);
        let since = *self.log.failing_since.get_or_insert(now);
        let config = &app.session_logs.config;
        let error = failure.text();
        let has_lasted = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        if failure.is_final() || has_lasted >= config.give_up_after {
            return self.abandon(&error).await.map(|()| None);
        }
        let session = &self.log.session;
        if self.log.attempts == 1 {
            tracing::warn!(session.id = %session, "the log of session {session} cannot be written to {}; it is tried again: {error}", self.place());
        }
        let pause = pause(self.log.attempts, config.retry_pause_max);
        if app.gateway.carries(session) {
            self.recorded = app.gateway.recorded(session);
            return Ok(Some(pause));
        }
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        let next_attempt_at = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let attempts = self.log.attempts;
        let failure = SessionLogFailure { attempts, failing_since: since, next_attempt_at, error };
        app.store.postpone_session_log(session, self.log.sink, &failure).await.map(|()| None)
    }

    /// Gives the log up, where somebody will see it.
    async fn abandon(&self, error: &str) -> Result<(), StoreError> {
        let (session, place) = (&self.log.session, self.place());
        tracing::error!(session.id = %session, "the log of session {session} is given up, it could not be written to {place}: {error}");
        if let Err(unrecorded) = self.app.audit.session_log_abandoned(session, &place, error).await {
            let unrecorded: &dyn std::error::Error = &unrecorded;
            tracing::error!(error = unrecorded, "that a log is given up cannot be put on the audit trail");
        }
        self.end(SessionLogState::Abandoned, Some(error)).await
    }

    async fn end(&self, state: SessionLogState, error: Option<&str>) -> Result<(), StoreError> {
        let (session, place) = (&self.log.session, self.place());
        if state == SessionLogState::Delivered {
            tracing::info!(session.id = %session, "the log of session {session} is in {place}");
        }
        self.app.store.end_session_log(session, self.log.sink, state, error).await
    }

    fn place(&self) -> String {
        serde_json::from_value::<Destination>(self.log.destination.clone())
            .map_or_else(|_| self.log.destination.to_string(), |destination| destination.to_string())
    }
}

/// The pause after so many attempts that failed.
pub(super) fn pause(attempts: u32, longest: Duration) -> Duration {
    let doubled = 2u32.saturating_pow(attempts.saturating_sub(1));
    PAUSE_FIRST.saturating_mul(doubled).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let longest = Duration::from_secs(300);
        for (attempts, seconds) in [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (u32::MAX, 300)] {
            assert_eq!(pause(attempts, longest), Duration::from_secs(seconds), "{attempts}");
        }
    }
}
