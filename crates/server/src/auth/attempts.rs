//! How often something may be guessed.

use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::token_bucket::TokenBuckets;

/// Things that are remembered, some 100 bytes each. To get an exhausted one forgotten, a guesser has to exhaust as many
/// others first. For passwords, which cost 15 ms each to look at, that takes longer than the bucket takes to fill.
const KEYS_MAX: usize = 16_384;

/// A number of attempts for each thing that is guessed at.
#[derive(Debug)]
pub(crate) struct Attempts<K>(TokenBuckets<K>);

impl<K: Hash + Eq + Clone> Attempts<K> {
    /// `burst` attempts at once, and as many more in each `refill_time`.
    pub(crate) fn new(burst: u32, refill_time: Duration) -> Self {
        Self(TokenBuckets::new(burst.into(), refill_time, KEYS_MAX))
    }

    /// Counts an attempt; `false` if it is one too many. Counting comes before trying, so that attempts at the same
    /// time are not all the first.
    pub(crate) fn admits(&self, key: K, now: Instant) -> bool {
        self.0.take(key, now)
    }

    /// Gives back one attempt, which was no guess: it succeeded.
    pub(crate) fn forgive(&self, key: &K) {
        self.0.give_back(key);
    }
}
