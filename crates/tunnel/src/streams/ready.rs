//! Which streams are to be looked at: those that something happened to, in the order in which it did.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use postern_protocol::tunnel::StreamId;

/// The streams that wait for their turn, each once.
#[derive(Debug, Default)]
pub(super) struct Ready(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    ids: VecDeque<StreamId>,
    /// Of the task that drives all of them.
    driver: Option<Waker>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ready {
    /// Whoever drives the streams wants to hear of the next.
    pub(super) fn listen(&self, driver: &Waker) {
        let mut waiting = self.0.lock();
        if !waiting.driver.as_ref().is_some_and(|known| known.will_wake(driver)) {
            waiting.driver = Some(driver.clone());
        }
    }

    /// How many wait now.
    pub(super) fn count(&self) -> usize {
        self.0.lock().ids.len()
    }

    /// The first.
    pub(super) fn next(&self) -> Option<StreamId> {
        self.0.lock().ids.pop_front()
    }

    /// A bell for a new stream, rung once.
    pub(super) fn bell(&self, id: StreamId) -> Bell {
        let ringer = Arc::new(Ringer { id, queue: Arc::clone(&self.0), is_rung: AtomicBool::new(false) });
        let bell = Bell { waker: Waker::from(Arc::clone(&ringer)), ringer };
        bell.ring();
        bell
    }
}

/// One stream's way into the queue.
#[derive(Debug)]
pub(super) struct Bell {
    ringer: Arc<Ringer>,
    waker: Waker,
}

impl Bell {
    /// Puts the stream into the queue, unless it is there.
    pub(super) fn ring(&self) {
        self.waker.wake_by_ref();
    }

    /// It has left the queue.
    pub(super) fn answer(&self) {
        self.ringer.is_rung.store(false, Ordering::Release);
    }

    /// Rings it.
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }
}

#[derive(Debug)]
struct Ringer {
    id: StreamId,
    queue: Arc<Queue>,
    is_rung: AtomicBool,
}

impl Wake for Ringer {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let driver = {
            let mut waiting = self.queue.lock();
            waiting.ids.push_back(self.id);
            waiting.driver.take()
        };
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}
