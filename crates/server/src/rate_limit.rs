//! How often one caller may call: an address that has not proved who it is, or a node that has.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Callers that are remembered, some 50 bytes each. An attacker with more addresses gets a fresh start with each
/// round, so that the memory stays bounded; activation codes do not depend on this limit, they have 130 bits.
const CALLERS_MAX: usize = 65_536;
const REFILL_TIME: Duration = Duration::from_secs(60);

/// A bucket of calls for each caller, refilled over a minute. Addresses come through [`network`].
#[derive(Debug)]
pub(crate) struct RateLimit<K> {
    calls_per_minute_max: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    calls_left: f64,
    at: Instant,
}

impl<K: Eq + Hash> RateLimit<K> {
    pub(crate) fn new(calls_per_minute_max: usize) -> Self {
        Self { calls_per_minute_max: calls_per_minute_max as f64, buckets: Mutex::default() }
    }

    /// Counts a call of `caller`; `false` if it makes too many.
    pub(crate) fn admits(&self, caller: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CALLERS_MAX && !buckets.contains_key(&caller) {
            buckets.retain(|_, bucket| now.duration_since(bucket.at) < REFILL_TIME);
            if buckets.len() >= CALLERS_MAX {
                buckets.clear();
            }
        }
        let full = Bucket { calls_left: self.calls_per_minute_max, at: now };
        let bucket = buckets.entry(caller).or_insert(full);
        let refilled = now.duration_since(bucket.at).as_secs_f64() / REFILL_TIME.as_secs_f64();
        bucket.calls_left =
            (bucket.calls_left + refilled * self.calls_per_minute_max).min(self.calls_per_minute_max);
        bucket.at = now;
        if bucket.calls_left < 1.0 {
            return false;
        }
        bucket.calls_left -= 1.0;
        true
    }
}

/// An IPv6 host may have a whole /64: it counts as one address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_calls_too_often_waits_and_others_do_not() {
        let limit = RateLimit::new(2);
        let start = Instant::now();
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert!(limit.admits(one, start) && limit.admits(one, start));
        assert!(!limit.admits(one, start));
        assert!(limit.admits(other, start));
        assert!(!limit.admits(one, start + Duration::from_secs(29)));
        assert!(limit.admits(one, start + Duration::from_secs(60)));
    }

    #[test]
    fn the_addresses_of_one_ipv6_host_are_one_and_mapped_ones_are_ipv4() {
        let same = |one: &str, other: &str| network(one.parse().unwrap()) == network(other.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::2:0:0:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
    }

    #[test]
    fn the_table_stays_bounded() {
        let limit = RateLimit::new(1);
        let now = Instant::now();
        for number in 0..2 * u32::try_from(CALLERS_MAX).unwrap() {
            limit.admits(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(limit.buckets.lock().unwrap().len() <= CALLERS_MAX);
    }
}
