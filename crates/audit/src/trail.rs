//! The trail, as its callers see it.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use postern_audit_format::chain::{Class, Kind};
use postern_audit_format::key::PublicKey;
use postern_audit_format::{Layout, Record};
use tokio::sync::{mpsc, oneshot, watch};

use crate::appender::{
    Appended, Appender, Command, Health, IntentGuard, Item, News, Progress, QUEUE_LINES,
};
use crate::clock::Clock;
use crate::disk;
use crate::error::{OpenError, TrailError};
use crate::keys::Keys;
use crate::options::TrailOptions;
use crate::recover;

/// The audit trail of one account in one region. Clones are the same trail.
#[derive(Debug, Clone)]
pub struct Trail(Arc<Inner>);

struct Inner {
    options: TrailOptions,
    commands: mpsc::Sender<Command>,
    progress: watch::Receiver<Progress>,
    health: watch::Receiver<Health>,
    keys: Mutex<Keys>,
    /// The thread that writes; taken by whoever closes the trail.
    writer: Mutex<Option<JoinHandle<()>>>,
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
    /// such. `sealing_key` seals the signing keys at rest; it must be the same each time.
    ///
    /// # Errors
    /// Files cannot be read or written, or are not as they were written; then nothing is changed.
    pub async fn open(
        options: TrailOptions,
        sealing_key: [u8; 32],
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let opening = tokio::task::spawn_blocking(move || open(options, sealing_key, clock));
        opening.await.map_err(io::Error::other)?
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
        self.0.commands.send(Command::Append(item)).await.map_err(|_| TrailError::Closed)?;
        answer.await.map_err(|_| TrailError::Closed)?
    }

    /// Writes what is queued, and stops. Calls that come afterwards get [`TrailError::Closed`].
    pub async fn close(&self) {
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return };
        // If the thread is gone already, there is nobody to tell.
        let _ = self.0.commands.send(Command::Stop).await;
        let _ = tokio::task::spawn_blocking(move || writer.join()).await;
    }
}

fn open(options: TrailOptions, sealing_key: [u8; 32], clock: Clock) -> Result<Trail, OpenError> {
    let layout = Layout::new(&options.directory);
    let directories: [PathBuf; 3] = [options.directory.clone(), layout.chain(), layout.keys()];
    directories.iter().try_for_each(|directory| disk::create_directory(directory))?;
    let mut keys = Keys::open(&layout, sealing_key, options.key_lifetime)?;
    let recovered = recover::recover(&layout, &options.trail, None, clock.now())?;
    if recovered.torn_bytes > 0 {
        let torn_bytes = recovered.torn_bytes;
        tracing::warn!(torn_bytes, "the end of the audit trail was torn and has been cut off");
    }
    if keys.signing(clock.now()).is_none() {
        keys.rotate(clock.now())?;
    }
    let (commands, queue) = mpsc::channel(QUEUE_LINES);
    let (progress_sender, progress) = watch::channel(recovered.progress);
    let (health_sender, health) = watch::channel(Health::Sound);
    let mut appender = Appender {
        disk: Box::new(recovered.disk),
        durability: options.durability,
        segment_bytes_max: options.segment_bytes_max,
        trail: options.trail.clone(),
        clock,
        open: recovered.open,
        drops: Arc::new(AtomicU64::new(0)),
        drops_seen: 0,
        commands: commands.downgrade(),
        delivery: recovered.delivery,
        keys: recovered.keys,
        is_dirty: false,
        progress: progress_sender,
        health: health_sender,
    };
    announce(&mut appender, keys.public())?;
    let thread = std::thread::Builder::new().name("audit".to_owned());
    let writer = thread.spawn(move || appender.run(queue))?;
    let inner =
        Inner { options, commands, progress, health, keys: Mutex::new(keys), writer: Mutex::new(Some(writer)) };
    Ok(Trail(Arc::new(inner)))
}

/// Names keys on the chain that it does not name yet, and writes what became of the calls that a crash interrupted.
fn announce(appender: &mut Appender, keys: &[PublicKey]) -> Result<(), OpenError> {
    let unnamed = keys.iter().filter(|key| !appender.keys.contains(&key.fingerprint));
    let items = unnamed.map(|key| key_item(key).0).collect();
    appender.commit(items);
    match &*appender.health.borrow() {
        Health::Sound => Ok(()),
        Health::Broken { error, .. } => Err(io::Error::new(error.kind(), error.to_string()).into()),
    }
}

/// The line about a key.
fn key_item(key: &PublicKey) -> (Item, oneshot::Receiver<Result<Appended, TrailError>>) {
    let (reply, answer) = oneshot::channel();
    let body = serde_json::to_vec(key).expect("texts and times are always JSON");
    let news = News::Key(key.fingerprint.clone());
    (Item { kind: Kind::Key, class: None, completes: None, body, news, reply }, answer)
}
