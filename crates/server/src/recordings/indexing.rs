//! Keeping the search index as the recordings are: apart from the sessions, behind them by seconds.
//!
//! One task reads what is on record and has at most half of a processor's time, and the sessions never wait for it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use postern_ids::SessionId;
use postern_search::{IndexError, Reading, Step};
use postern_store::{Page, SessionCursor, SessionFilter, SessionQuery, SessionState, StoreError};
use tokio::time::{Instant, sleep};

use crate::app::App;

/// How often it is looked what is new.
const EVERY: Duration = Duration::from_secs(3);
/// How often the index is compared with all recordings.
const COMPARED_EVERY: Duration = Duration::from_secs(60 * 60);
/// A session that was started so long before the last look may have been stored after it.
const STORED_WITHIN: Duration = Duration::from_secs(5 * 60);
/// Recordings that are read at a time: more wait. Each takes some kilobytes of memory.
const READ_AT_ONCE_MAX: usize = 4096;
/// Sessions that are listed at a time.
const BATCH_SESSIONS: u32 = 200;

/// Why the index is not brought up to date for now.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the index does not follow")]
    Index(#[from] IndexError),
    #[error("the sessions cannot be listed")]
    Store(#[from] StoreError),
    #[error("the recordings cannot be listed")]
    Recordings(#[from] std::io::Error),
}

/// Keeps the index, until the server stops. `bytes_max`: what it may take on the disk.
pub(crate) async fn index(app: Arc<App>, bytes_max: u64) {
    let mut indexer = Indexer {
        readings: HashMap::new(),
        waiting: VecDeque::new(),
        recent: HashSet::new(),
        looked_at: app.clock.now(),
        bytes_max,
        app,
    };
    let mut compared_at: Option<Instant> = None;
    while !indexer.is_over() {
        if compared_at.is_none_or(|at| at.elapsed() >= COMPARED_EVERY) {
            log(indexer.compare().await);
            compared_at = Some(Instant::now());
        }
        log(indexer.follow().await);
        let shutdown = &indexer.app.shutdown;
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sleep(EVERY) => {}
        }
    }
}

fn log(outcome: Result<(), Failure>) {
    if let Err(error) = outcome {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "the search index cannot be brought up to date");
    }
}

struct Indexer {
    app: Arc<App>,
    /// Recordings that are being read.
    readings: HashMap<SessionId, Reading>,
    /// Sessions whose recordings are to be read.
    waiting: VecDeque<SessionId>,
    /// Sessions that were found to be new lately.
    recent: HashSet<SessionId>,
    /// When it was last looked for new sessions.
    looked_at: Timestamp,
    bytes_max: u64,
}

impl Indexer {
    fn is_over(&self) -> bool {
        self.app.shutdown.is_cancelled()
    }

    /// Finds the recordings that are not in the index, and what is in it without a recording.
    async fn compare(&mut self) -> Result<(), Failure> {
        let indexed = self.app.search.sessions().await?;
        let listing = self.app.recordings.blocking(|directory| directory.list()).await?;
        let recorded: HashSet<&SessionId> =
            listing.recordings.iter().map(|recording| &recording.info.session_id).collect();
        for (session, _) in indexed.iter().filter(|(session, _)| !recorded.contains(session)) {
            self.app.search.forget(session).await?;
            self.readings.remove(session);
        }
        let complete: HashSet<SessionId> =
            indexed.into_iter().filter_map(|(session, is_complete)| is_complete.then_some(session)).collect();
        let missing = listing.recordings.into_iter().map(|recording| recording.info.session_id);
        self.waiting = missing.filter(|session| !complete.contains(session)).collect();
        Ok(())
    }

    async fn follow(&mut self) -> Result<(), Failure> {
        self.find_new().await?;
        let mut has_completed = false;
        loop {
            self.begin_waiting().await?;
            let Round { has_more, has_completed: completed } = self.advance_all().await;
            has_completed |= completed;
            if self.is_over() || !(has_more || (completed && !self.waiting.is_empty())) {
                break;
            }
        }
        self.tidy(has_completed).await
    }

    /// Sessions that were started since the last look.
    async fn find_new(&mut self) -> Result<(), Failure> {
        let now = self.app.clock.now();
        let from = self.looked_at.checked_sub(STORED_WITHIN).unwrap_or(self.looked_at);
        let (mut recent, mut after): (HashSet<SessionId>, Option<SessionCursor>) = Default::default();
        loop {
            let page = Page { after: after.take(), limit: BATCH_SESSIONS };
            let filters = vec![SessionFilter::InvokedAfter(from)];
            let query = SessionQuery { state: SessionState::Any, filters, page };
            let sessions = self.app.store.sessions(&query).await?;
            recent.extend(sessions.items.into_iter().map(|session| session.id));
            after = sessions.next;
            if after.is_none() {
                break;
            }
        }
        self.waiting.extend(recent.difference(&self.recent).cloned());
        (self.recent, self.looked_at) = (recent, now);
        Ok(())
    }

    async fn begin_waiting(&mut self) -> Result<(), Failure> {
        while self.readings.len() < READ_AT_ONCE_MAX && !self.is_over() {
            let Some(session) = self.waiting.pop_front() else { break };
            if self.readings.contains_key(&session) || self.app.search.is_complete(&session).await? {
                continue;
            }
            let asked = session.clone();
            let found = self.app.recordings.blocking(move |directory| directory.recording(&asked)).await;
            match found {
                Ok(Some(recording)) => {
                    let reading = self.app.search.begin(&recording.summary.info).await?;
                    self.readings.insert(session, reading);
                }
                Ok(None) => {}
                Err(error) => log(Err(error.into())),
            }
        }
        Ok(())
    }

    /// Reads a piece of each.
    async fn advance_all(&mut self) -> Round {
        let mut round = Round::default();
        let readings: Vec<Reading> = self.readings.drain().map(|(_, reading)| reading).collect();
        for reading in readings {
            if self.is_over() {
                break;
            }
            let began = Instant::now();
            match self.advance(reading).await {
                Ok(None) => round.has_completed = true,
                Ok(Some((reading, step))) => {
                    round.has_more |= step == Step::More;
                    self.readings.insert(reading.session().clone(), reading);
                }
                // It is read again from its beginning, when all are compared.
                Err(error) => log(Err(error)),
            }
            sleep(began.elapsed()).await;
        }
        round
    }

    /// `None`: there is nothing more to read.
    async fn advance(&self, reading: Reading) -> Result<Option<(Reading, Step)>, Failure> {
        let session = reading.session().clone();
        let asked = session.clone();
        let found = self.app.recordings.blocking(move |directory| directory.recording(&asked)).await?;
        let Some(recording) = found else {
            self.app.search.forget(&session).await?;
            return Ok(None);
        };
        let (reading, step) = self.app.search.advance(reading, recording).await?;
        Ok((!matches!(step, Step::Complete | Step::Forgotten)).then_some((reading, step)))
    }

    /// Removes what has been forgotten, and what there is no room for.
    async fn tidy(&self, has_completed: bool) -> Result<(), Failure> {
        let search = &self.app.search;
        let mut has_removed = false;
        while !self.is_over() && search.purge().await? {
            has_removed = true;
            sleep(Duration::from_millis(20)).await;
        }
        while has_completed && !self.is_over() && search.shrink(self.bytes_max).await? {
            has_removed = true;
            tracing::warn!(
                "the search index has no more room: the text of its oldest recording was removed from it"
            );
        }
        if has_removed {
            search.compact().await?;
        }
        Ok(())
    }
}

/// What reading a piece of each has come to.
#[derive(Debug, Default)]
struct Round {
    has_more: bool,
    has_completed: bool,
}
