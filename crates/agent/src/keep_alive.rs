//! When to ask a silent server whether it is still there, and when to believe that it is not.

use std::time::Duration;

use tokio::time::Instant;

/// Whoever has heard nothing for this long pings.
const PING_AFTER: Duration = Duration::from_secs(20);
/// A peer that was silent for this long is gone: a lost ping has one retry.
const GONE_AFTER: Duration = Duration::from_secs(45);

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
    pinged_at: Option<Instant>,
}

impl KeepAlive {
    /// A connection that was opened at `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self { heard_at: now, pinged_at: None }
    }

    /// Something came in; anything proves that the peer is there.
    pub(crate) fn handle_heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.pinged_at = None;
    }

    /// When to call [`Self::poll`].
    pub(crate) fn poll_timeout(&self) -> Instant {
        let ping_at = self.pinged_at.unwrap_or(self.heard_at) + PING_AFTER;
        ping_at.min(self.heard_at + GONE_AFTER)
    }

    /// What to do at `now`, if anything.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Silence> {
        if now >= self.heard_at + GONE_AFTER {
            return Some(Silence::Gone);
        }
        if now < self.poll_timeout() {
            return None;
        }
        self.pinged_at = Some(now);
        Some(Silence::Ping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_asked_about_twice_and_then_believed() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(start);
        for (after_s, expected) in [
            (19, None),
            (20, Some(Silence::Ping)),
            (21, None),
            (40, Some(Silence::Ping)),
            (45, Some(Silence::Gone)),
        ] {
            assert_eq!(keep_alive.poll(start + Duration::from_secs(after_s)), expected, "after {after_s} s");
        }
    }

    #[test]
    fn whoever_speaks_is_left_alone() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(start);
        keep_alive.handle_heard(start + Duration::from_secs(19));
        assert_eq!(keep_alive.poll(start + Duration::from_secs(38)), None);
        assert_eq!(keep_alive.poll_timeout(), start + Duration::from_secs(39));
    }
}
