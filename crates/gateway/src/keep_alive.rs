//! When to ask a silent peer whether it is still there, and when to believe that it is not.

use std::time::Duration;

use tokio::time::Instant;

/// Whoever has heard nothing for this long pings. AWS's agent pings every 54 s and its plugin every 5 minutes,
/// which is too seldom to notice a vanished peer in time.
pub(crate) const PING_AFTER: Duration = Duration::from_secs(20);
/// A peer that was silent for this long is gone. It leaves a lost ping one retry, and stays below the 60 s
/// in which AWS's agent expects its own pings answered.
pub(crate) const GONE_AFTER: Duration = Duration::from_secs(45);

/// What silence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Send a ping.
    Ping,
    /// Give the connection up.
    Gone,
}

/// Watches one connection.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    heard_at: Instant,
    pinged_at: Instant,
}

impl KeepAlive {
    /// A connection that was opened at `now`.
    #[must_use]
    pub(crate) fn new(now: Instant) -> Self {
        Self { heard_at: now, pinged_at: now }
    }

    /// Anything at all came from the peer at `time`, of which one may learn late.
    pub(crate) fn handle_heard(&mut self, time: Instant) {
        self.heard_at = self.heard_at.max(time);
    }

    /// What is due at `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Silence> {
        if now >= self.heard_at + GONE_AFTER {
            return Some(Silence::Gone);
        }
        if now >= self.next_ping() {
            self.pinged_at = now;
            return Some(Silence::Ping);
        }
        None
    }

    /// When to call [`Self::poll`] again if nothing is heard before.
    #[must_use]
    pub(crate) fn poll_timeout(&self) -> Instant {
        self.next_ping().min(self.heard_at + GONE_AFTER)
    }

    fn next_ping(&self) -> Instant {
        self.heard_at.max(self.pinged_at) + PING_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_pinged_then_given_up() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(keep_alive.poll(at(19)), None);
        assert_eq!(keep_alive.poll(at(20)), Some(Silence::Ping));
        assert_eq!(keep_alive.poll(at(21)), None, "one ping at a time");
        assert_eq!(keep_alive.poll(at(40)), Some(Silence::Ping));
        assert_eq!(keep_alive.poll_timeout(), at(45));
        assert_eq!(keep_alive.poll(at(45)), Some(Silence::Gone));
    }

    #[test]
    fn whatever_is_heard_starts_anew() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(keep_alive.poll(at(20)), Some(Silence::Ping));
        keep_alive.handle_heard(at(21));
        assert_eq!(keep_alive.poll(at(40)), None);
        assert_eq!(keep_alive.poll_timeout(), at(41));
    }

    #[test]
    fn what_is_learned_late_counts_from_when_it_was() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        for now in [20, 40] {
            assert_eq!(keep_alive.poll(at(now)), Some(Silence::Ping));
            keep_alive.handle_heard(at(now - 15));
        }
        keep_alive.handle_heard(at(3));
        assert_eq!(keep_alive.poll(at(69)), Some(Silence::Ping));
        assert_eq!(keep_alive.poll(at(70)), Some(Silence::Gone), "45 s after second 25");
    }
}
