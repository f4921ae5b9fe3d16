//! What is done from time to time: heads, log files, digests, new keys.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use postern_audit_format::chain::{Class, Kind};
use postern_audit_format::key::PublicKey;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

use crate::appender::{Appended, Command, Item, News, Progress};
use crate::clock::Clock;
use crate::deliver::Deliverer;
use crate::error::{OpenError, TrailError};
use crate::heads::Heads;
use crate::keys::Keys;
use crate::objects::Objects;
use crate::options::TrailOptions;

/// Why something that was due was not done. It stays due.
#[derive(Debug, thiserror::Error)]
pub enum TendError {
    /// A file cannot be read or written.
    #[error("cannot deliver what is on the audit trail")]
    Io(#[from] io::Error),
    /// The chain cannot be written.
    #[error("cannot write what was delivered")]
    Trail(#[from] TrailError),
    /// No key can be made.
    #[error("cannot make a key")]
    Key(#[source] OpenError),
}

/// Does what is due. Blocks.
#[derive(Debug)]
pub(crate) struct Tender {
    pub(crate) options: TrailOptions,
    pub(crate) clock: Clock,
    pub(crate) commands: mpsc::WeakSender<Command>,
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) keys: Arc<Mutex<Keys>>,
    pub(crate) heads: Heads,
    pub(crate) deliverer: Deliverer,
    pub(crate) objects: Objects,
    /// The lines of intents whose outcome is not written.
    pub(crate) open_intents: Arc<Mutex<BTreeSet<u64>>>,
    pub(crate) due: Due,
    /// Whether the key before has vouched for the one that signs.
    pub(crate) is_handed_over: bool,
}

/// When what is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) head: Timestamp,
    pub(crate) logs: Timestamp,
}

impl Tender {
    /// Does everything that is due, and says how long nothing else will be.
    pub(crate) fn tend(&mut self) -> Result<Duration, TendError> {
        let now = self.clock.now();
        self.renew_key(now)?;
        if let Some(end) = self.deliverer.digest_due(now, seconds(self.options.digest_interval)) {
            self.deliver_digest(end)?;
        }
        if now >= self.due.logs {
            self.deliver_logs(now)?;
            self.due.logs = later(now, self.options.log_file_interval);
        }
        if now >= self.due.head {
            self.sign_head(now)?;
            self.due.head = later(now, self.options.head_interval);
        }
        Ok(self.next(now))
    }

    /// Does at the end what would have been due later.
    pub(crate) fn finish(&mut self) -> Result<(), TendError> {
        let now = self.clock.now();
        // A server that is stopped does not have the time for more than one; the next start delivers the rest.
        let target = *self.progress.borrow();
        self.deliver_next(target, now)?;
        self.sign_head(now)
    }

    fn next(&self, now: Timestamp) -> Duration {
        let interval = seconds(self.options.digest_interval);
        let digest = (now.as_second().div_euclid(interval) + 1) * interval;
        let digest = Timestamp::from_second(digest).unwrap_or(Timestamp::MAX);
        let next = digest.min(self.due.logs).min(self.due.head);
        Duration::try_from(now.duration_until(next)).unwrap_or_default()
    }

    /// Makes the next key when the one that signs has signed long enough. Nothing is signed with it before the chain
    /// names it, and the first head after that is signed with the key before: so whoever has that one can believe this.
    fn renew_key(&mut self, now: Timestamp) -> Result<(), TendError> {
        let keys = Arc::clone(&self.keys);
        let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.is_fresh(now) {
            return Ok(());
        }
        let next = keys.make(now).map_err(TendError::Key)?;
        let public = next.public().clone();
        self.append(Kind::Key, &public, News::Key(public.clone()))?;
        keys.hand_over(next);
        self.is_handed_over = false;
        drop(keys);
        self.sign_head(now)
    }

    fn deliver_digest(&mut self, end: Timestamp) -> Result<(), TendError> {
        let staged = {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            self.deliverer.stage_digest(end, self.head_sequence(), keys.signing())?
        };
        self.append(Kind::Digest, &staged.body, News::Delivery(staged.state.clone()))?;
        Ok(self.deliverer.show(staged)?)
    }

    pub(crate) fn deliver_logs(&mut self, now: Timestamp) -> Result<(), TendError> {
        let target = *self.progress.borrow();
        while self.deliver_next(target, now)? {}
        Ok(())
    }

    /// Delivers as many records as fit into log files; `false` if there were none.
    fn deliver_next(&mut self, target: Progress, now: Timestamp) -> Result<bool, TendError> {
        if self.deliverer.state().through >= target.position.sequence {
            return Ok(false);
        }
        let head = self.head_sequence();
        let Some(staged) = self.deliverer.stage_logs(target, head, now)? else { return Ok(false) };
        self.append(Kind::Delivery, &staged.body, News::Delivery(staged.state.clone()))?;
        self.deliverer.show(staged)?;
        Ok(true)
    }

    fn head_sequence(&self) -> Option<u64> {
        self.heads.last().map(|head| head.sequence)
    }

    pub(crate) fn sign_head(&mut self, now: Timestamp) -> Result<(), TendError> {
        let position = self.progress.borrow().position;
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.heads.last().map(|head| head.fingerprint.as_str());
        let previous = keys
            .previous()
            .filter(|key| !self.is_handed_over && last.is_none_or(|last| last == key.public().fingerprint));
        self.heads.sign(position, now, previous.unwrap_or_else(|| keys.signing()))?;
        self.is_handed_over = true;
        Ok(())
    }

    fn append(&self, kind: Kind, body: &impl Serialize, news: News) -> Result<(), TendError> {
        self.append_of(kind, None, body, news)
    }

    pub(crate) fn append_of(
        &self,
        kind: Kind,
        class: Option<Class>,
        body: &impl Serialize,
        news: News,
    ) -> Result<(), TendError> {
        let (item, answer) = item(kind, body, news);
        let item = Item { class, ..item };
        let commands = self.commands.upgrade().ok_or(TrailError::Closed)?;
        commands.blocking_send(Command::Append(Box::new(item))).map_err(|_| TrailError::Closed)?;
        answer.blocking_recv().map_err(|_| TrailError::Closed)??;
        Ok(())
    }
}

/// A line of the trail's own.
pub(crate) fn item(
    kind: Kind,
    body: &impl Serialize,
    news: News,
) -> (Item, oneshot::Receiver<Result<Appended, TrailError>>) {
    let (reply, answer) = oneshot::channel();
    let body = serde_json::to_vec(body).expect("texts, numbers and times are always JSON");
    (Item { kind, class: None, completes: None, body, news, reply }, answer)
}

/// The line about a key.
pub(crate) fn key_item(key: &PublicKey) -> Item {
    item(Kind::Key, key, News::Key(key.clone())).0
}

pub(crate) fn later(now: Timestamp, interval: Duration) -> Timestamp {
    now.saturating_add(interval).unwrap_or(Timestamp::MAX)
}

/// Whole seconds, at least one.
fn seconds(interval: Duration) -> i64 {
    i64::try_from(interval.as_secs()).unwrap_or(i64::MAX).max(1)
}
