//! How often one address may call without having proved who it is.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses that are remembered, some 50 bytes each. An attacker with more of them gets a fresh start with each
/// round, so that the memory stays bounded; activation codes do not depend on this limit, they have 130 bits.
const ADDRESSES_MAX: usize = 65_536;
const REFILL_TIME: Duration = Duration::from_secs(60);

/// A bucket of calls for each address, refilled over a minute.
#[derive(Debug)]
pub(crate) struct RateLimit {
    calls_per_minute_max: f64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    calls_left: f64,
    at: Instant,
}

impl RateLimit {
    pub(crate) fn new(calls_per_minute_max: usize) -> Self {
        Self { calls_per_minute_max: calls_per_minute_max as f64, buckets: Mutex::default() }
    }

    /// Counts a call of `address`; `false` if it makes too many.
    pub(crate) fn admits(&self, address: IpAddr, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if buckets.len() >= ADDRESSES_MAX && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| now.duration_since(bucket.at) < REFILL_TIME);
            if buckets.len() >= ADDRESSES_MAX {
                buckets.clear();
            }
        }
        let full = Bucket { calls_left: self.calls_per_minute_max, at: now };
        let bucket = buckets.entry(address).or_insert(full);
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
        let limit = RateLimit::new(1);
        let now = Instant::now();
        assert!(limit.admits("2001:db8::1".parse().unwrap(), now));
        assert!(!limit.admits("2001:db8::2".parse().unwrap(), now));
        assert!(limit.admits("192.0.2.1".parse().unwrap(), now));
        assert!(!limit.admits("::ffff:192.0.2.1".parse().unwrap(), now));
    }

    #[test]
    fn the_table_stays_bounded() {
        let limit = RateLimit::new(1);
        let now = Instant::now();
        for number in 0..2 * u32::try_from(ADDRESSES_MAX).unwrap() {
            limit.admits(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(limit.buckets.lock().unwrap().len() <= ADDRESSES_MAX);
    }
}
