//! Noticing that the server has vanished.

use std::time::{Duration, Instant};

/// Silence after which a ping asks whether the server is there.
const PING_AFTER: Duration = Duration::from_secs(20);
/// Silence after which it is not.
const LOST_AFTER: Duration = Duration::from_secs(45);

/// What silence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send a ping.
    Ping,
    /// The connection is dead.
    Lost,
}

/// When something was last heard, and whether a ping is out.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    heard: Instant,
    pinged: bool,
}

impl KeepAlive {
    pub(crate) fn new(now: Instant) -> Self {
        Self { heard: now, pinged: false }
    }

    /// Anything arrived.
    pub(crate) fn handle_heard(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.heard + if self.pinged { LOST_AFTER } else { PING_AFTER }
    }

    pub(crate) fn poll_due(&mut self, now: Instant) -> Option<Due> {
        if now < self.poll_timeout() {
            return None;
        }
        // After a long sleep of this machine both limits have passed: ask before giving up.
        if std::mem::replace(&mut self.pinged, true) { Some(Due::Lost) } else { Some(Due::Ping) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_asks_and_then_gives_up() {
        let start = Instant::now();
        let after = |s| start + Duration::from_secs(s);
        let mut keep_alive = KeepAlive::new(start);
        assert_eq!(keep_alive.poll_due(after(19)), None);
        assert_eq!(keep_alive.poll_due(after(20)), Some(Due::Ping));
        assert_eq!(keep_alive.poll_due(after(44)), None);
        keep_alive.handle_heard(after(44));
        assert_eq!(keep_alive.poll_timeout(), after(64));
        assert_eq!(keep_alive.poll_due(after(64)), Some(Due::Ping));
        assert_eq!(keep_alive.poll_due(after(89)), Some(Due::Lost));
    }
}
