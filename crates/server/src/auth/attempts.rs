//! How often something may be guessed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Things that are remembered, some 100 bytes each. An attacker who guesses at more of them gets a fresh start with
/// each round, but no more guesses at any one of them than a round allows.
const KEYS_MAX: usize = 16_384;

/// A bucket of attempts for each thing that is guessed at, which fills again slowly.
#[derive(Debug)]
pub(crate) struct Attempts<K> {
    burst: f64,
    refill_time: Duration,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Hash + Eq> Attempts<K> {
    /// `burst` attempts at once, and as many more in each `refill_time`.
    pub(crate) fn new(burst: u32, refill_time: Duration) -> Self {
        Self { burst: burst.into(), refill_time, buckets: Mutex::default() }
    }

    /// Counts an attempt; `false` if it is one too many. Counting comes before trying, so that attempts at the same
    /// time are not all the first.
    pub(crate) fn admits(&self, key: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS_MAX && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| now.duration_since(bucket.at) < self.refill_time);
            if buckets.len() >= KEYS_MAX {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: self.burst, at: now });
        let refilled = now.duration_since(bucket.at).as_secs_f64() / self.refill_time.as_secs_f64();
        bucket.left = (bucket.left + refilled * self.burst).min(self.burst);
        bucket.at = now;
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }

    /// Gives back one attempt, which was no guess: it succeeded.
    pub(crate) fn forgive(&self, key: &K) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.left = (bucket.left + 1.0).min(self.burst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_run_out_and_come_back_one_by_one() {
        let attempts = Attempts::new(3, Duration::from_secs(30));
        let start = Instant::now();
        for _ in 0..3 {
            assert!(attempts.admits("alice", start));
        }
        assert!(!attempts.admits("alice", start));
        assert!(attempts.admits("bob", start));
        assert!(!attempts.admits("alice", start + Duration::from_secs(9)));
        assert!(attempts.admits("alice", start + Duration::from_secs(20)));
        assert!(!attempts.admits("alice", start + Duration::from_secs(20)));
    }

    #[test]
    fn whoever_succeeds_is_not_counted() {
        let attempts = Attempts::new(2, Duration::from_secs(60));
        let now = Instant::now();
        for _ in 0..10 {
            assert!(attempts.admits("alice", now));
            attempts.forgive(&"alice");
        }
        assert!(attempts.admits("alice", now) && attempts.admits("alice", now));
        assert!(!attempts.admits("alice", now));
    }

    #[test]
    fn the_table_stays_bounded() {
        let attempts = Attempts::new(1, Duration::from_secs(60));
        let now = Instant::now();
        for number in 0..3 * KEYS_MAX {
            attempts.admits(number, now);
        }
        assert!(attempts.buckets.lock().unwrap().len() <= KEYS_MAX);
    }
}
