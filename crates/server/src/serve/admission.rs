//! How many connections there may be: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::rate_limit::network;

/// An address that goes on connecting is reported once in this time, whichever it is.
const REPORTED_EVERY: Duration = Duration::from_secs(60);

/// Lets connections in. Clones count together.
#[derive(Debug, Clone)]
pub struct Admissions {
    room: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// A connection that counts while this lives.
#[derive(Debug)]
pub(super) struct Admission {
    _room: OwnedSemaphorePermit,
    address: IpAddr,
    addresses: Arc<Addresses>,
}

#[derive(Debug)]
struct Addresses {
    connections_max: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// Connections by address; those without any are not in it.
    open: HashMap<IpAddr, usize>,
    reported_at: Option<Instant>,
}

impl Admissions {
    /// Lets in `connections_max` connections at a time, of which `per_address_max` may come from one address.
    #[must_use]
    pub fn new(connections_max: usize, per_address_max: usize) -> Self {
        let room = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
        let addresses = Arc::new(Addresses { connections_max: per_address_max, table: Mutex::default() });
        Self { room, addresses }
    }

    /// Waits until there is room for a connection.
    pub(super) async fn room(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.room).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Lets a connection from `address` in; `None` if that has too many already.
    pub(super) fn admit(
        &self,
        room: OwnedSemaphorePermit,
        address: IpAddr,
        now: Instant,
    ) -> Option<Admission> {
        let address = network(address);
        let per_address_max = self.addresses.connections_max;
        {
            let mut table = self.addresses.lock();
            let count = table.open.get(&address).copied().unwrap_or(0);
            if count >= per_address_max {
                if table.reported_at.is_none_or(|at| now.duration_since(at) >= REPORTED_EVERY) {
                    table.reported_at = Some(now);
                    tracing::warn!(client.address = %address, "refusing connections from {address}: it has {count}, see limits.connections_per_address_max");
                }
                return None;
            }
            table.open.insert(address, count + 1);
        }
        Some(Admission { _room: room, address, addresses: Arc::clone(&self.addresses) })
    }
}

impl Addresses {
    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        // Numbers are consistent between any two operations.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut table = self.addresses.lock();
        if let Some(count) = table.open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                table.open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_gets_its_share_and_others_theirs() {
        let admissions = Admissions::new(4, 2);
        let (one, other): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        let neighbour = "2001:db8::2".parse().unwrap();
        let now = Instant::now();
        let first = admissions.admit(admissions.room().await, one, now).unwrap();
        let _second = admissions.admit(admissions.room().await, neighbour, now).unwrap();
        assert!(admissions.admit(admissions.room().await, one, now).is_none());
        let _other = admissions.admit(admissions.room().await, other, now).unwrap();
        drop(first);
        let _third = admissions.admit(admissions.room().await, one, now).unwrap();
        assert_eq!(admissions.room.available_permits(), 1, "what is refused takes no room");
    }

    #[tokio::test]
    async fn addresses_without_connections_are_forgotten() {
        let admissions = Admissions::new(10, 1);
        for last in 0..100 {
            let address = IpAddr::from([192, 0, 2, last]);
            drop(admissions.admit(admissions.room().await, address, Instant::now()).unwrap());
        }
        assert!(admissions.addresses.lock().open.is_empty());
    }
}
