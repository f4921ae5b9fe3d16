//! The trail, as its callers see it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use postern_audit_format::Record;
use postern_audit_format::chain::{Class, Kind};
use postern_audit_format::key::PublicKey;
use postern_audit_format::tombstone::Tombstone;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::appender::{Appended, Command, Health, IntentGuard, Item, News, Progress};
use crate::clock::Clock;
use crate::error::{OpenError, TrailError};
use crate::event;
use crate::index::{Index, LookupError, LookupPage, LookupQuery};
use crate::keys::Keys;
use crate::objects::Objects;
use crate::options::TrailOptions;
use crate::retention::{Removed, Retention, RetentionError};
use crate::tend::{TendError, Tender};

/// How long the index rests between two rounds while the chain grows. A lookup does not wait for that.
const INDEX_REST: Duration = Duration::from_millis(500);
/// How long what is due waits after it could not be done.
const TEND_AGAIN: Duration = Duration::from_secs(5);

/// The audit trail of one account in one region. Clones are the same trail.
#[derive(Debug, Clone)]
pub struct Trail(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) options: TrailOptions,
    pub(crate) clock: Clock,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) health: watch::Receiver<Health>,
    pub(crate) keys: Arc<Mutex<Keys>>,
    pub(crate) objects: Objects,
    pub(crate) index: Arc<Index>,
    pub(crate) tender: Arc<AsyncMutex<Tender>>,
    /// The thread that writes; taken by whoever closes the trail.
    pub(crate) writer: Mutex<Option<JoinHandle<()>>>,
    pub(crate) tasks: TaskTracker,
    /// Ends the tasks, at the latest when nobody has the trail any more.
    pub(crate) end: DropGuard,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail").field("directory", &self.options.directory).finish_non_exhaustive()
    }
}

/// A call whose intent is on the trail, and whose outcome is not yet. Dropped without [`Trail::complete`], it becomes a
/// record that says that the outcome is unknown.
#[derive(Debug)]
#[must_use = "the outcome of the call must be written"]
pub struct Pending {
    sequence: u64,
    class: Class,
    _guard: IntentGuard,
}

impl Trail {
    /// Opens the trail, or begins one. What a crash has torn is cut off, and calls that it interrupted are written as
    /// such. `sealing_key` seals the signing keys at rest; it must be the same each time. Heads, log files and digests
    /// are made in the background, by tasks of the runtime that this is called in.
    ///
    /// # Errors
    /// Files cannot be read or written, or are not as they were written; then nothing is changed.
    pub async fn open(options: TrailOptions, sealing_key: [u8; 32], clock: Clock) -> Result<Self, OpenError> {
        crate::open::open(options, sealing_key, clock).await
    }

    /// What the trail was opened with.
    #[must_use]
    pub fn options(&self) -> &TrailOptions {
        &self.0.options
    }

    /// Whether records can be written.
    #[must_use]
    pub fn health(&self) -> Health {
        self.0.health.borrow().clone()
    }

    /// Writes what a call is about to do; the call may run when this has succeeded. `record` is what will be written if
    /// nobody says how it ended.
    ///
    /// # Errors
    /// Nothing is on the trail, and the call must not run.
    pub async fn begin(&self, class: Class, record: Record) -> Result<Pending, TrailError> {
        let appended = self.append(Kind::Intent, Some(class), None, record.to_body()).await?;
        let guard = appended.guard.expect("an intent comes back with its guard");
        Ok(Pending { sequence: appended.sequence, class, _guard: guard })
    }

    /// Writes how a call ended, which must not be answered before.
    ///
    /// # Errors
    /// The record is not on the disk. It is kept and written as soon as that is possible; but the caller must be told
    /// that the call failed, since nobody can prove now what it did.
    pub async fn complete(&self, pending: Pending, record: Record) -> Result<(), TrailError> {
        let body = record.to_body();
        // The guard goes when the answer is there: an intent that is completed, or owed, no longer cares.
        self.append(Kind::Record, Some(pending.class), Some(pending.sequence), body).await.map(drop)
    }

    /// Writes a record of something that needed no [`begin`](Self::begin): a call that reads, one that was refused, an
    /// event.
    ///
    /// # Errors
    /// The record is not on the trail.
    pub async fn write(&self, class: Class, record: Record) -> Result<(), TrailError> {
        self.append(Kind::Record, Some(class), None, record.to_body()).await.map(drop)
    }

    /// Writes that something is about to be removed that the chain has the hash of. It may go when this has succeeded.
    /// `record` is the event; what it tells is `tombstone`.
    ///
    /// # Errors
    /// Nothing is on the trail, and nothing may be removed.
    pub async fn write_tombstone(&self, record: Record, tombstone: &Tombstone) -> Result<(), TrailError> {
        let record = Record { service_event_details: Some(tombstone.to_details()), ..record };
        self.append(Kind::Tombstone, Some(Class::Write), None, record.to_body()).await.map(drop)
    }

    /// The public keys whose validity touches a range of time, the oldest first, as `ListPublicKeys` answers them.
    #[must_use]
    pub fn public_keys(&self, start: Option<Timestamp>, end: Option<Timestamp>) -> Vec<PublicKey> {
        let keys = self.0.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.public().iter().filter(|key| key.is_valid_within(start, end)).cloned().collect()
    }

    async fn append(
        &self,
        kind: Kind,
        class: Option<Class>,
        completes: Option<u64>,
        body: Vec<u8>,
    ) -> Result<Appended, TrailError> {
        let (reply, answer) = oneshot::channel();
        let item = Item { kind, class, completes, body, news: News::None, reply };
        self.0.commands.send(Command::Append(Box::new(item))).await.map_err(|_| TrailError::Closed)?;
        answer.await.map_err(|_| TrailError::Closed)?
    }

    /// Finds records, the newest first, among all whose calls have been answered.
    ///
    /// # Errors
    /// The index or the chain cannot be read.
    pub async fn lookup(&self, query: &LookupQuery) -> Result<LookupPage, LookupError> {
        let target = *self.0.progress.borrow();
        self.0.index.catch_up(target).await?;
        self.0.index.lookup(query).await
    }

    /// The bucket with the log files and digests.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.0.objects
    }

    /// Does whatever is due now: signs a head, delivers log files and digests, renews the key. It happens by itself,
    /// too. The result says how long nothing else will be due.
    ///
    /// # Errors
    /// Something could not be done; it stays due.
    pub async fn tend(&self) -> Result<Duration, TendError> {
        tend(&self.0.tender).await
    }

    /// Removes the records of each class that have been kept longer than they must be, and the log files with them.
    /// First the chain says what is removed, on whose order (an ARN) and why; what it says can be looked up, too.
    ///
    /// Records go only with all of their class in the same segment, and none from the segment that is written to.
    ///
    /// # Errors
    /// Something could not be done. What the chain says is removed may still be there; doing it again removes it.
    pub async fn apply_retention(
        &self,
        retention: Retention,
        by: &str,
        reason: &str,
    ) -> Result<Removed, RetentionError> {
        let (by, reason) = (by.to_owned(), reason.to_owned());
        let mut tender = Arc::clone(&self.0.tender).lock_owned().await;
        let applied = tokio::task::spawn_blocking(move || tender.apply_retention(&retention, &by, &reason));
        let plan = applied.await.map_err(|error| TendError::Io(io::Error::other(error)))??;
        // The index may be behind what was removed; first it gets as far as the chain is.
        let target = *self.0.progress.borrow();
        self.0.index.catch_up(target).await?;
        for first in plan.segments.iter().chain(plan.thinned.keys()) {
            self.0.index.reindex(*first).await?;
        }
        Ok(plan.removed)
    }

    /// What [`apply_retention`](Self::apply_retention) would remove now. Nothing changes.
    ///
    /// # Errors
    /// The trail cannot be read.
    pub async fn foresee_retention(&self, retention: Retention) -> Result<Removed, RetentionError> {
        let tender = Arc::clone(&self.0.tender).lock_owned().await;
        let foreseen = tokio::task::spawn_blocking(move || tender.foresee_retention(&retention));
        Ok(foreseen.await.map_err(|error| TendError::Io(io::Error::other(error)))??)
    }

    /// Delivers what there is, signs a head, and stops. Calls that come afterwards get [`TrailError::Closed`].
    pub async fn close(&self) {
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return };
        self.0.tasks.close();
        self.0.tasks_end().cancel();
        self.0.tasks.wait().await;
        let stopped = event::stopped(&self.0.options.trail, self.0.clock.now());
        if let Err(error) = self.write(Class::Write, stopped).await {
            tracing::error!(%error, "the end of the audit trail could not be written");
        }
        let mut tender = Arc::clone(&self.0.tender).lock_owned().await;
        let finished = tokio::task::spawn_blocking(move || tender.finish()).await;
        if let Ok(Err(error)) = finished {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the last records were not delivered; the next start does it"
            );
        }
        // If the thread is gone already, there is nobody to tell.
        let _ = self.0.commands.send(Command::Stop).await;
        let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        self.0.index.close().await;
    }
}

impl Inner {
    fn tasks_end(&self) -> &CancellationToken {
        self.end.token()
    }
}

async fn tend(tender: &Arc<AsyncMutex<Tender>>) -> Result<Duration, TendError> {
    let mut tender = Arc::clone(tender).lock_owned().await;
    let tended = tokio::task::spawn_blocking(move || tender.tend()).await;
    tended.map_err(io::Error::other)?
}

/// Does what is due, when it is.
pub(crate) async fn tend_always(tender: Arc<AsyncMutex<Tender>>, end: CancellationToken) {
    loop {
        let next = match tend(&tender).await {
            Ok(next) => next.max(Duration::from_millis(100)),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the audit trail is not delivered");
                TEND_AGAIN
            }
        };
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(next) => {}
        }
    }
}

/// Lets the index follow the chain.
pub(crate) async fn index_always(
    index: Arc<Index>,
    mut progress: watch::Receiver<Progress>,
    end: CancellationToken,
) {
    loop {
        let target = *progress.borrow_and_update();
        let caught_up = tokio::select! {
            // What is not indexed yet will be at the next start.
            () = end.cancelled() => return,
            caught_up = index.catch_up(target) => caught_up,
        };
        if let Err(error) = caught_up {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the index of the audit trail stands still"
            );
        }
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(INDEX_REST) => {}
        }
        tokio::select! {
            () = end.cancelled() => return,
            changed = progress.changed() => if changed.is_err() { return },
        }
    }
}
