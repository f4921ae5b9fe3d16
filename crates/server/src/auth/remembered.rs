//! What was read from the store, remembered until identities change.

use std::sync::{PoisonError, RwLock};

use tokio::sync::watch;

/// Things of one identity generation: when the next begins, all of them are forgotten.
pub(crate) struct Remembered<T> {
    generation: watch::Receiver<u64>,
    known: RwLock<(u64, T)>,
}

impl<T: Default> Remembered<T> {
    /// Nothing yet. `generation` is the store's.
    pub(crate) fn new(generation: watch::Receiver<u64>) -> Self {
        Self { generation, known: RwLock::default() }
    }

    /// The generation by now. Read before the store is asked, so that a change in the meantime makes the answer
    /// worthless.
    pub(crate) fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    /// What is known of the present generation.
    pub(crate) fn recall<R>(&self, look: impl FnOnce(&T) -> Option<R>) -> Option<R> {
        let present = self.generation();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.0 == present { look(&known.1) } else { None }
    }

    /// Puts in what was read in `generation`, unless a later one is known.
    pub(crate) fn remember(&self, generation: u64, put: impl FnOnce(&mut T)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.0 < generation {
            *known = (generation, T::default());
        }
        if known.0 == generation {
            put(&mut known.1);
        }
    }
}
