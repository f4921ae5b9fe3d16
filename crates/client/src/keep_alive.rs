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

/// When something was last heard, and what has been done since.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    heard: Instant,
    since: Since,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Nothing,
    Pinged,
    /// We do not listen, because our own output does not move. Silence means nothing then, but the server must
    /// go on hearing from us: its own pings wait unread.
    NotListening,
}

impl KeepAlive {
    pub(crate) fn new(now: Instant) -> Self {
        Self { heard: now, since: Since::Nothing }
    }

    /// Anything arrived.
    pub(crate) fn handle_heard(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// We are not listening.
    pub(crate) fn handle_not_listening(&mut self, now: Instant) {
        if self.since != Since::NotListening {
            *self = Self { heard: now, since: Since::NotListening };
        }
    }

    /// We are listening (again): from now on silence counts.
    pub(crate) fn handle_listening(&mut self, now: Instant) {
        if self.since == Since::NotListening {
            *self = Self::new(now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.heard + if self.since == Since::Pinged { LOST_AFTER } else { PING_AFTER }
    }

    pub(crate) fn poll_due(&mut self, now: Instant) -> Option<Due> {
        if now < self.poll_timeout() {
            return None;
        }
        match self.since {
            // After a long sleep of this machine both limits have passed: ask before giving up.
            Since::Nothing => self.since = Since::Pinged,
            Since::Pinged => return Some(Due::Lost),
            Since::NotListening => self.heard = now,
        }
        Some(Due::Ping)
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

    #[test]
    fn who_does_not_listen_goes_on_pinging() {
        let start = Instant::now();
        let after = |s| start + Duration::from_secs(s);
        let mut keep_alive = KeepAlive::new(start);
        for s in [0, 1, 20, 40, 60, 80] {
            keep_alive.handle_not_listening(after(s));
            let expected = (s >= 20).then_some(Due::Ping);
            assert_eq!(keep_alive.poll_due(after(s)), expected, "{s}");
        }
        keep_alive.handle_listening(after(81));
        assert_eq!(keep_alive.poll_due(after(101)), Some(Due::Ping));
        assert_eq!(keep_alive.poll_due(after(126)), Some(Due::Lost));
    }
}
