//! Buckets of tokens, one for each key, which fill again slowly: how often something may be done.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When the table is full, one in so many of its buckets makes room, so that it is not searched for each new key.
const EVICTED_FRACTION: usize = 8;

/// A bucket of tokens for each key.
///
/// The table is bounded. A bucket that is full again says nothing and is the first to go; after that, those go that have
/// most tokens left, and so lose least. Whoever makes up keys to fill the table therefore has to empty as many buckets
/// before one that is empty is forgotten.
#[derive(Debug)]
pub(crate) struct TokenBuckets<K> {
    burst: f64,
    refill_time: Duration,
    keys_max: usize,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Hash + Eq + Clone> TokenBuckets<K> {
    /// `burst` tokens at once, and as many more in each `refill_time`, for at most `keys_max` keys.
    pub(crate) fn new(burst: f64, refill_time: Duration, keys_max: usize) -> Self {
        Self { burst, refill_time, keys_max, buckets: Mutex::default() }
    }

    /// Takes a token of `key`; `false` if there is none.
    pub(crate) fn take(&self, key: K, now: Instant) -> bool {
        self.take_several(key, 1.0, now)
    }

    /// Takes so many tokens of `key`; `false`, and none taken, if there are not as many.
    pub(crate) fn take_several(&self, key: K, tokens: f64, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= self.keys_max && !buckets.contains_key(&key) {
            self.make_room(&mut buckets, now);
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: self.burst, at: now });
        *bucket = Bucket { left: self.left(*bucket, now), at: now };
        if bucket.left < tokens {
            return false;
        }
        bucket.left -= tokens;
        true
    }

    /// Gives a token of `key` back.
    pub(crate) fn give_back(&self, key: &K) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.left = (bucket.left + 1.0).min(self.burst);
        }
    }

    /// What is in a bucket by now.
    fn left(&self, bucket: Bucket, now: Instant) -> f64 {
        let refilled = now.duration_since(bucket.at).as_secs_f64() / self.refill_time.as_secs_f64();
        (bucket.left + refilled * self.burst).min(self.burst)
    }

    fn make_room(&self, buckets: &mut HashMap<K, Bucket>, now: Instant) {
        let mut fullest: Vec<(f64, K)> =
            buckets.iter().map(|(key, bucket)| (self.left(*bucket, now), key.clone())).collect();
        let evicted = (fullest.len() / EVICTED_FRACTION).max(1);
        fullest.sort_unstable_by(|(one, _), (other, _)| other.total_cmp(one));
        for (index, (left, key)) in fullest.iter().enumerate() {
            if index >= evicted && *left < self.burst {
                break;
            }
            buckets.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn tokens_run_out_and_come_back_one_by_one() {
        let buckets = TokenBuckets::new(3.0, Duration::from_secs(30), 10);
        let start = Instant::now();
        for _ in 0..3 {
            assert!(buckets.take("alice", start));
        }
        assert!(!buckets.take("alice", start));
        assert!(buckets.take("bob", start));
        assert!(!buckets.take("alice", start + Duration::from_secs(9)));
        assert!(buckets.take("alice", start + Duration::from_secs(20)));
        assert!(!buckets.take("alice", start + Duration::from_secs(20)));
    }

    #[test]
    fn a_token_that_was_given_back_is_there() {
        let buckets = TokenBuckets::new(2.0, MINUTE, 10);
        let now = Instant::now();
        for _ in 0..10 {
            assert!(buckets.take("alice", now));
            buckets.give_back(&"alice");
        }
        assert!(buckets.take("alice", now) && buckets.take("alice", now));
        assert!(!buckets.take("alice", now));
        buckets.give_back(&"nobody");
    }

    /// Whoever can make up names, or has many addresses, must not get somebody else's empty bucket forgotten.
    #[test]
    fn filling_the_table_does_not_fill_an_empty_bucket() {
        let buckets = TokenBuckets::new(2.0, MINUTE, 64);
        let now = Instant::now();
        assert!(buckets.take(0, now) && buckets.take(0, now));
        for number in 1..10_000 {
            assert!(buckets.take(number, now), "{number}");
            assert!(!buckets.take(0, now), "after {number} others");
        }
        assert!(buckets.buckets.lock().unwrap().len() <= 64);
    }

    #[test]
    fn the_table_stays_bounded_even_if_every_bucket_is_empty() {
        let buckets = TokenBuckets::new(1.0, MINUTE, 64);
        let now = Instant::now();
        for number in 0..1_000 {
            assert!(buckets.take(number, now));
            assert!(buckets.buckets.lock().unwrap().len() <= 64);
        }
    }

    #[test]
    fn all_that_are_full_again_go_first() {
        let buckets = TokenBuckets::new(2.0, MINUTE, 64);
        let start = Instant::now();
        for number in 0..63 {
            buckets.take(number, start);
        }
        let later = start + MINUTE;
        buckets.take(63, later);
        buckets.take(64, later);
        assert_eq!(buckets.buckets.lock().unwrap().len(), 2);
    }
}
