//! How often one caller may call: an address that has not proved who it is, or a node that has.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use crate::token_bucket::TokenBuckets;

/// Callers that are remembered, some 50 bytes each. Whoever has more addresses than that, and uses up the calls of all
/// of them, gets a fresh start with some; activation codes do not depend on this limit, they have 130 bits.
const CALLERS_MAX: usize = 65_536;
const REFILL_TIME: Duration = Duration::from_secs(60);

/// A number of calls in each minute for each caller. Addresses come through [`network`].
#[derive(Debug)]
pub(crate) struct RateLimit<K>(TokenBuckets<K>);

impl<K: Eq + Hash + Clone> RateLimit<K> {
    pub(crate) fn new(calls_per_minute_max: usize) -> Self {
        Self(TokenBuckets::new(calls_per_minute_max as f64, REFILL_TIME, CALLERS_MAX))
    }

    /// Counts a call of `caller`; `false` if it makes too many.
    pub(crate) fn admits(&self, caller: K, now: Instant) -> bool {
        self.0.take(caller, now)
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
}
