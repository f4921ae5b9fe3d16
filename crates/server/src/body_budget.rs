//! How many bytes of request bodies are held at a time: by all requests, and by those of one address.
//!
//! A request is authenticated only when its body is there, since the signature covers it. So what strangers can make
//! the server hold needs a bound of its own beside that of a single body. Bytes count when they have come, not when
//! they are announced, and until the request is answered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::rate_limit::network;

/// One address gets this part of the room, so that it cannot shut others out.
const ADDRESS_PART: usize = 4;

/// See the [module's documentation](self). Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct BodyBudget {
    bytes_max: usize,
    per_address_max: usize,
    held: Arc<Mutex<Bytes>>,
}

#[derive(Debug, Default)]
struct Bytes {
    total: usize,
    /// By address; those that hold nothing are not in it.
    by_address: HashMap<IpAddr, usize>,
}

/// What one request holds of the room; given back when this is dropped.
#[derive(Debug)]
pub(crate) struct HeldBytes {
    budget: BodyBudget,
    address: IpAddr,
    bytes: usize,
}

impl BodyBudget {
    /// Room for `bytes_max` bytes. Any one body of `body_bytes_max` finds room in its address's part.
    pub(crate) fn new(bytes_max: usize, body_bytes_max: usize) -> Self {
        let per_address_max = (bytes_max / ADDRESS_PART).max(body_bytes_max);
        Self { bytes_max, per_address_max, held: Arc::default() }
    }

    /// A request from `address`, which holds nothing yet.
    pub(crate) fn of(&self, address: IpAddr) -> HeldBytes {
        HeldBytes { budget: self.clone(), address: network(address), bytes: 0 }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Bytes> {
        // Numbers are consistent between any two operations.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldBytes {
    /// Takes room for `more` bytes; `false` if there is none.
    pub(crate) fn grow(&mut self, more: usize) -> bool {
        if more == 0 {
            return true;
        }
        let mut held = self.budget.lock();
        let of_address = held.by_address.get(&self.address).copied().unwrap_or(0);
        if held.total.saturating_add(more) > self.budget.bytes_max
            || of_address.saturating_add(more) > self.budget.per_address_max
        {
            return false;
        }
        held.total += more;
        held.by_address.insert(self.address, of_address + more);
        drop(held);
        self.bytes += more;
        true
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.budget.lock();
        held.total -= self.bytes;
        if let Some(of_address) = held.by_address.get_mut(&self.address) {
            *of_address -= self.bytes;
            if *of_address == 0 {
                held.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared_out_and_comes_back() {
        let budget = BodyBudget::new(400, 50);
        let mut of_one = budget.of(IpAddr::from([192, 0, 2, 1]));
        let mut also_of_one = budget.of(IpAddr::from([192, 0, 2, 1]));
        assert!(of_one.grow(60) && also_of_one.grow(40));
        assert!(!of_one.grow(1), "an address has a quarter");
        let mut others: Vec<_> = (2..5).map(|last| budget.of(IpAddr::from([192, 0, 2, last]))).collect();
        assert!(others.iter_mut().all(|other| other.grow(100)));
        let mut late = budget.of(IpAddr::from([192, 0, 2, 9]));
        assert!(!late.grow(1), "all is taken");
        drop(of_one);
        assert!(late.grow(60) && !late.grow(1));
        drop((also_of_one, others, late));
        let held = budget.lock();
        assert!(held.total == 0 && held.by_address.is_empty());
    }

    #[test]
    fn one_body_always_finds_room() {
        let budget = BodyBudget::new(100, 100);
        assert!(budget.of(IpAddr::from([192, 0, 2, 1])).grow(100));
    }
}
