//! Puts what happens to the connections of a session on the trail and into the store, in order, while the session goes on.
//!
//! A disk takes some milliseconds for what must survive a loss of power; a connection should not. So nothing is waited for but
//! what the next process could not do without, unless recordings are to survive that too. The line about a connection in
//! the session's recording stands before its first message goes on, and survives the end of this process. What cannot be
//! written ends the session.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{join, join_all};
use postern_store::{ConnectionChanges, SessionRecord};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::not_followed;
use crate::gateway::Shared;
use crate::session::EndReason;
use crate::witness::SessionEvent;

/// Pages that may wait to be written. Whoever opens connections faster than the disk takes note of them waits then.
const WAITING_MAX: usize = 64;

/// What there is to write.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) events: Vec<SessionEvent>,
    pub(super) changes: Option<ConnectionChanges>,
    /// Whether the next process would take what comes for something else without the changes.
    pub(super) needs_store: bool,
}

struct Order {
    page: Page,
    /// Told when it is written.
    written: Option<oneshot::Sender<()>>,
}

/// See the [module's documentation](self).
#[derive(Debug)]
pub(in crate::session) struct Chronicle {
    orders: Option<mpsc::Sender<Order>>,
    writer: JoinHandle<Result<(), EndReason>>,
    is_over: bool,
}

impl Chronicle {
    pub(in crate::session) fn begin(shared: &Arc<Shared>, session: &SessionRecord) -> Self {
        let (orders, ordered) = mpsc::channel(WAITING_MAX);
        let writer = shared.tasks.spawn(write_all(Arc::clone(shared), session.clone(), ordered));
        Self { orders: Some(orders), writer, is_over: false }
    }

    /// Has a page written. It is on its way when this returns; with `waits`, it is written.
    pub(super) async fn write(&mut self, page: Page, waits: bool) -> Result<(), EndReason> {
        let Some(orders) = &self.orders else { return Err(EndReason::NotWitnessed) };
        let (written, done) = oneshot::channel();
        let sent = orders.send(Order { page, written: waits.then_some(written) }).await;
        if sent.is_ok() && (!waits || done.await.is_ok()) {
            return Ok(());
        }
        self.close().await?;
        Err(EndReason::NotWitnessed)
    }

    /// Why something could not be written, when it turns out so.
    pub(in crate::session) fn poll_failed(&mut self, cx: &mut Context<'_>) -> Poll<EndReason> {
        if self.is_over {
            return Poll::Pending;
        }
        let outcome = std::task::ready!(Pin::new(&mut self.writer).poll(cx));
        self.is_over = true;
        Poll::Ready(match outcome {
            Ok(Err(reason)) => reason,
            Ok(Ok(())) | Err(_) => EndReason::NotWitnessed,
        })
    }

    /// Waits until all is written. Nothing can be added afterwards.
    ///
    /// # Errors
    /// Something could not be.
    pub(in crate::session) async fn close(&mut self) -> Result<(), EndReason> {
        self.orders = None;
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(());
        }
        (&mut self.writer).await.unwrap_or(Err(EndReason::NotWitnessed))
    }
}

impl Drop for Chronicle {
    /// What was ordered is written all the same: the writer ends when it has.
    fn drop(&mut self) {
        self.orders = None;
    }
}

async fn write_all(
    shared: Arc<Shared>,
    session: SessionRecord,
    mut ordered: mpsc::Receiver<Order>,
) -> Result<(), EndReason> {
    let mut batch = Vec::with_capacity(WAITING_MAX);
    while ordered.recv_many(&mut batch, WAITING_MAX).await > 0 {
        let mut written = Vec::new();
        let mut page = Page::default();
        for order in batch.drain(..) {
            page.add(order.page);
            written.extend(order.written);
        }
        write(&shared, &session, page).await?;
        for written in written {
            // Whoever waited may be gone.
            let _ = written.send(());
        }
    }
    Ok(())
}

/// One wait for all of it: it is written together.
async fn write(shared: &Shared, session: &SessionRecord, page: Page) -> Result<(), EndReason> {
    let Page { events, changes, needs_store } = page;
    let told = join_all(events.into_iter().map(|event| shared.witness.witness(session, event)));
    let stored = async {
        match &changes {
            Some(changes) => shared.store.change_session_connections(&session.id, changes).await,
            None => Ok(()),
        }
    };
    let (told, stored) = join(told, stored).await;
    if told.into_iter().any(|told| told.is_err()) {
        return Err(EndReason::NotWitnessed);
    }
    if let Err(error) = stored {
        let error: &dyn std::error::Error = &error;
        tracing::error!(session.id = %session.id, error, "cannot remember the connections of session {}", session.id);
        if needs_store {
            return Err(not_followed("they cannot be remembered"));
        }
    }
    Ok(())
}

impl Page {
    /// What came after it, too.
    fn add(&mut self, later: Self) {
        self.events.extend(later.events);
        self.needs_store |= later.needs_store;
        self.changes = match (self.changes.take(), later.changes) {
            (Some(first), Some(then)) => Some(merged(first, then)),
            (one, other) => one.or(other),
        };
    }
}

/// The changes that both together are.
fn merged(first: ConnectionChanges, then: ConnectionChanges) -> ConnectionChanges {
    let mut open: BTreeMap<u32, Vec<u8>> = first.open.into_iter().collect();
    let mut closed: BTreeSet<u32> = first.closed.into_iter().collect();
    for number in then.closed {
        open.remove(&number);
        closed.insert(number);
    }
    for (number, content) in then.open {
        closed.remove(&number);
        open.insert(number, content);
    }
    ConnectionChanges {
        carriage: then.carriage,
        open: open.into_iter().collect(),
        closed: closed.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(carriage: &str, open: &[(u32, &str)], closed: &[u32]) -> ConnectionChanges {
        ConnectionChanges {
            carriage: carriage.into(),
            open: open.iter().map(|(number, content)| (*number, (*content).into())).collect(),
            closed: closed.to_vec(),
        }
    }

    #[test]
    fn what_is_written_together_is_what_came_of_all() {
        let first = changes("a", &[(1, "one"), (3, "three")], &[5]);
        let then = changes("b", &[(3, "three again"), (5, "five again")], &[1]);
        assert_eq!(merged(first, then), changes("b", &[(3, "three again"), (5, "five again")], &[1]));
    }
}
