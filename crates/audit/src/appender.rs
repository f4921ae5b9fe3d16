//! The one writer of the chain: a thread that takes whatever is queued, writes it, waits for the disk once, and then
//! answers everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use postern_audit_format::Record;
use postern_audit_format::chain::{Class, Kind, NewLine};
use postern_audit_format::delivery::DeliveryState;
use postern_audit_format::key::PublicKey;
use postern_audit_format::segment::{FORMAT, Position, SegmentStart, TrailName};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::disk::Disk;
use crate::error::TrailError;
use crate::unknown::{self, Cause};

/// Lines that wait for the thread; more wait in their callers.
pub(crate) const QUEUE_LINES: usize = 4096;
/// Bytes of bodies after which a batch is closed.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The age at which a segment is followed by another, however short it is.
const SEGMENT_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What a trail's files survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A crash of the server.
    ServerCrash,
    /// Also a power failure: every batch waits for the disk.
    #[default]
    PowerFailure,
}

/// A line to append.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) class: Option<Class>,
    pub(crate) completes: Option<u64>,
    pub(crate) body: Vec<u8>,
    /// What segments begin with after this line.
    pub(crate) news: News,
    pub(crate) reply: oneshot::Sender<Result<Appended, TrailError>>,
}

/// What a line changes of the summary that each segment begins with.
#[derive(Debug, Default)]
pub(crate) enum News {
    /// Nothing.
    #[default]
    None,
    /// How far deliveries have come.
    Delivery(DeliveryState),
    /// There is one more key.
    Key(PublicKey),
}

/// A line that was appended.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) sequence: u64,
    /// Of an intent.
    pub(crate) guard: Option<IntentGuard>,
}

/// Held until the outcome of an intent is written. Dropped before that, as when a call is cut off, it has the thread
/// write that the outcome is unknown.
#[derive(Debug)]
pub(crate) struct IntentGuard {
    dropped: Arc<AtomicBool>,
    drops: Arc<AtomicU64>,
    commands: mpsc::WeakSender<Command>,
}

impl Drop for IntentGuard {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Release);
        self.drops.fetch_add(1, Ordering::Release);
        if let Some(commands) = self.commands.upgrade() {
            // A full queue wakes the thread, too.
            let _ = commands.try_send(Command::Sweep);
        }
    }
}

/// What the thread is asked for.
#[derive(Debug)]
pub(crate) enum Command {
    Append(Box<Item>),
    /// Nothing: look for intents that were dropped.
    Sweep,
    /// Write what is queued, and end.
    Stop,
}

/// How far the chain is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The last line.
    pub(crate) position: Position,
    /// The first line of its segment.
    pub(crate) segment: u64,
    /// The segment's length in bytes.
    pub(crate) segment_bytes: u64,
}

/// Whether records can be written.
#[derive(Debug, Clone, Default)]
pub enum Health {
    /// They can.
    #[default]
    Sound,
    /// The last attempt failed. The next one is made with the next record.
    Broken {
        /// Since when.
        since: Timestamp,
        /// How it failed.
        error: Arc<io::Error>,
    },
}

/// An intent whose outcome is not written.
#[derive(Debug)]
pub(crate) struct OpenIntent {
    pub(crate) class: Option<Class>,
    pub(crate) body: Vec<u8>,
    pub(crate) state: IntentState,
}

/// What is to come of an intent.
#[derive(Debug)]
pub(crate) enum IntentState {
    /// Somebody holds it; `true` when they have dropped it.
    Held(Arc<AtomicBool>),
    /// Nobody will say.
    Abandoned(Cause),
    /// Its record could not be written when it came, and waits for better times.
    Owed(Option<Class>, Vec<u8>),
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Appender {
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) durability: Durability,
    pub(crate) segment_bytes_max: u64,
    /// When the segment began.
    pub(crate) segment_began: Timestamp,
    pub(crate) trail: TrailName,
    pub(crate) clock: Clock,
    pub(crate) open: BTreeMap<u64, OpenIntent>,
    /// The keys of `open`, for those who remove old segments.
    pub(crate) open_shown: Arc<Mutex<BTreeSet<u64>>>,
    /// How many held intents have been dropped in all.
    pub(crate) drops: Arc<AtomicU64>,
    pub(crate) drops_seen: u64,
    pub(crate) commands: mpsc::WeakSender<Command>,
    pub(crate) delivery: DeliveryState,
    /// The keys that the chain names.
    pub(crate) keys: Vec<PublicKey>,
    /// Something may be behind the durable end of the file.
    pub(crate) is_dirty: bool,
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) health: watch::Sender<Health>,
}

impl Appender {
    /// Runs until it is stopped, or nobody can ask any more.
    pub(crate) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut batch = Vec::new();
        loop {
            let Some(command) = commands.blocking_recv() else { return };
            let mut is_last = collect(command, &mut batch);
            let mut bytes: usize = batch.iter().map(|item: &Item| item.body.len()).sum();
            while !is_last && bytes < BATCH_BYTES_MAX {
                let Ok(command) = commands.try_recv() else { break };
                is_last = collect(command, &mut batch);
                bytes += batch.last().map_or(0, |item| item.body.len());
            }
            self.commit(std::mem::take(&mut batch));
            if is_last {
                return;
            }
        }
    }

    /// Writes a batch, and what is owed from before.
    pub(crate) fn commit(&mut self, mut batch: Vec<Item>) {
        // Whoever gave up before the call ran needs no intent.
        batch.retain(|item| item.kind != Kind::Intent || !item.reply.is_closed());
        self.notice_drops();
        let owed = self.owed();
        if batch.is_empty() && owed.is_empty() {
            return;
        }
        let written = self.write(&batch, &owed);
        match written {
            Ok(first) => self.succeed(first, batch, &owed),
            Err(error) => self.fail(batch, error),
        }
    }

    /// Finds intents whose holders have dropped them.
    fn notice_drops(&mut self) {
        let drops = self.drops.load(Ordering::Acquire);
        if drops == self.drops_seen {
            return;
        }
        self.drops_seen = drops;
        for intent in self.open.values_mut() {
            if matches!(&intent.state, IntentState::Held(dropped) if dropped.load(Ordering::Acquire)) {
                intent.state = IntentState::Abandoned(Cause::CallCutOff);
            }
        }
    }

    /// Records that complete intents without anybody waiting for it: the intent, the class and the body.
    fn owed(&self) -> Vec<(u64, Option<Class>, Vec<u8>)> {
        let owed = self.open.iter().filter_map(|(sequence, intent)| match &intent.state {
            IntentState::Held(_) => None,
            IntentState::Abandoned(cause) => {
                let body = unknown::record(&intent.body, *cause).map(Record::to_body);
                Some((*sequence, intent.class, body.unwrap_or_else(|_| intent.body.clone())))
            }
            IntentState::Owed(class, body) => Some((*sequence, *class, body.clone())),
        });
        owed.collect()
    }

    /// Writes lines; the result is the number of the batch's first. On an error no line has come to be.
    fn write(&mut self, batch: &[Item], owed: &[(u64, Option<Class>, Vec<u8>)]) -> io::Result<u64> {
        if self.is_dirty {
            let end = self.progress.borrow().segment_bytes;
            self.disk.truncate(end)?;
            self.is_dirty = false;
        }
        if self.is_segment_complete() {
            self.begin_segment()?;
        }
        let time = self.clock.now();
        let mut progress = *self.progress.borrow();
        let first = progress.position.sequence + 1;
        let mut lines = Vec::new();
        let items = batch.iter().map(|item| (item.kind, item.class, item.completes, item.body.as_slice()));
        let owed =
            owed.iter().map(|(intent, class, body)| (Kind::Record, *class, Some(*intent), body.as_slice()));
        for (kind, class, completes, body) in items.chain(owed) {
            let Position { sequence, hash: previous } = progress.position;
            let line = NewLine { sequence: sequence + 1, time, previous, kind, class, completes, body };
            progress.position = Position { sequence: sequence + 1, hash: line.write(&mut lines) };
        }
        self.is_dirty = true;
        self.disk.append(&lines)?;
        if self.durability == Durability::PowerFailure {
            self.disk.sync()?;
        }
        self.is_dirty = false;
        progress.segment_bytes += u64::try_from(lines.len()).expect("a length fits 64 bits");
        self.progress.send_replace(progress);
        Ok(first)
    }

    /// Whether the next line belongs into another segment. What is old can only be removed from a segment that is not the
    /// last one, so none goes on for ever.
    fn is_segment_complete(&self) -> bool {
        self.progress.borrow().segment_bytes >= self.segment_bytes_max
            || self.clock.now().duration_since(self.segment_began) >= SEGMENT_AGE_MAX
    }

    /// Begins the next segment.
    fn begin_segment(&mut self) -> io::Result<()> {
        let position = self.progress.borrow().position;
        let open_intents = self.open.keys().copied().collect();
        let time = self.clock.now();
        let start = SegmentStart {
            format: FORMAT,
            trail: self.trail.clone(),
            open_intents,
            keys: self.keys.clone(),
            delivery: self.delivery.clone(),
        };
        let (line, position) = segment_line(&start, position, time);
        self.disk.begin_segment(position.sequence, &line)?;
        let segment_bytes = u64::try_from(line.len()).expect("a length fits 64 bits");
        self.progress.send_replace(Progress { position, segment: position.sequence, segment_bytes });
        self.segment_began = time;
        Ok(())
    }

    fn succeed(&mut self, first: u64, batch: Vec<Item>, owed: &[(u64, Option<Class>, Vec<u8>)]) {
        if matches!(*self.health.borrow(), Health::Broken { .. }) {
            tracing::warn!("the audit trail can be written again");
            self.health.send_replace(Health::Sound);
        }
        // The set is whole whatever happens to its holders.
        let shown = Arc::clone(&self.open_shown);
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        for (intent, ..) in owed {
            self.open.remove(intent);
            shown.remove(intent);
        }
        for (item, sequence) in batch.into_iter().zip(first..) {
            if let Some(intent) = item.completes {
                self.open.remove(&intent);
                shown.remove(&intent);
            }
            match item.news {
                News::None => {}
                News::Delivery(delivery) => self.delivery = delivery,
                News::Key(key) => self.keys.push(key),
            }
            let mut guard = None;
            if item.kind == Kind::Intent {
                let dropped = Arc::new(AtomicBool::new(false));
                guard = Some(self.guard(&dropped));
                let state = IntentState::Held(dropped);
                shown.insert(sequence);
                self.open.insert(sequence, OpenIntent { class: item.class, body: item.body, state });
            }
            // If nobody waits any more, the guard is dropped, and says so.
            let _ = item.reply.send(Ok(Appended { sequence, guard }));
        }
    }

    fn guard(&self, dropped: &Arc<AtomicBool>) -> IntentGuard {
        IntentGuard {
            dropped: Arc::clone(dropped),
            drops: Arc::clone(&self.drops),
            commands: self.commands.clone(),
        }
    }

    fn fail(&mut self, batch: Vec<Item>, error: io::Error) {
        let error = Arc::new(error);
        if matches!(*self.health.borrow(), Health::Sound) {
            tracing::error!(%error, "the audit trail cannot be written: calls are refused until it can");
            self.health.send_replace(Health::Broken { since: self.clock.now(), error: Arc::clone(&error) });
        }
        for item in batch {
            if let Some(intent) = item.completes.and_then(|intent| self.open.get_mut(&intent)) {
                intent.state = IntentState::Owed(item.class, item.body);
            }
            // Whoever was cut off needs no answer.
            let _ = item.reply.send(Err(TrailError::Broken(Arc::clone(&error))));
        }
    }
}

/// Takes a command; `true` if it is the last.
fn collect(command: Command, batch: &mut Vec<Item>) -> bool {
    match command {
        Command::Append(item) => batch.push(*item),
        Command::Sweep => {}
        Command::Stop => return true,
    }
    false
}

/// The first line of the segment after `last`.
pub(crate) fn segment_line(start: &SegmentStart, last: Position, time: Timestamp) -> (Vec<u8>, Position) {
    let body = serde_json::to_vec(start).expect("texts and numbers are always JSON");
    let sequence = last.sequence + 1;
    let mut line = Vec::new();
    let kind = Kind::Segment;
    let new =
        NewLine { sequence, time, previous: last.hash, kind, class: None, completes: None, body: &body };
    let hash = new.write(&mut line);
    (line, Position { sequence, hash })
}

#[cfg(test)]
mod tests;
