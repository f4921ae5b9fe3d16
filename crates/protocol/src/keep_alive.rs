//! When to ask a silent peer whether it is still there, and when to believe that it is not.

use std::ops::Add;
use std::time::Duration;

/// Whoever has heard nothing for this long pings. AWS's agent pings every 54 s and its plugin every 5 minutes,
/// which is too seldom to notice a vanished peer in time.
pub const PING_AFTER: Duration = Duration::from_secs(20);
/// A peer that was silent for this long is gone. It leaves a lost ping one retry, and stays below the 60 s
/// in which AWS's agent expects its own pings answered.
pub const GONE_AFTER: Duration = Duration::from_secs(45);

/// What silence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// Send a ping.
    Ping,
    /// Give the connection up.
    Gone,
}

/// Watches one connection, by the clock of whoever calls: `I` is an instant of it.
#[derive(Debug)]
pub struct KeepAlive<I> {
    heard_at: I,
    pinged_at: I,
    /// The first ping since something was heard.
    asked_at: Option<I>,
    is_listening: bool,
}

impl<I: Copy + Ord + Add<Duration, Output = I>> KeepAlive<I> {
    /// A connection that was opened at `now`.
    #[must_use]
    pub fn new(now: I) -> Self {
        Self { heard_at: now, pinged_at: now, asked_at: None, is_listening: true }
    }

    /// Anything at all came from the peer at `time`, of which one may learn late.
    pub fn handle_heard(&mut self, time: I) {
        self.heard_at = self.heard_at.max(time);
        if self.asked_at.is_some_and(|at| at <= self.heard_at) {
            self.asked_at = Some(self.pinged_at).filter(|at| *at > self.heard_at);
        }
    }

    /// The peer is not listened to, because what it sends has no way on. Its silence means nothing then, but it must go
    /// on hearing from us: its own pings wait unread.
    pub fn handle_not_listening(&mut self, now: I) {
        if self.is_listening {
            *self = Self { is_listening: false, ..Self::new(now) };
        }
    }

    /// The peer is listened to (again): from now on its silence counts.
    pub fn handle_listening(&mut self, now: I) {
        if !self.is_listening {
            *self = Self::new(now);
        }
    }

    /// What is due at `now`. Whoever stood still himself asks before he gives up.
    pub fn poll(&mut self, now: I) -> Option<Silence> {
        if self.gone_at().is_some_and(|at| now >= at) {
            return Some(Silence::Gone);
        }
        if now >= self.ping_at() {
            self.pinged_at = now;
            self.asked_at.get_or_insert(now);
            return Some(Silence::Ping);
        }
        None
    }

    /// When to call [`Self::poll`] again if nothing is heard before.
    #[must_use]
    pub fn poll_timeout(&self) -> I {
        self.gone_at().map_or(self.ping_at(), |at| at.min(self.ping_at()))
    }

    fn gone_at(&self) -> Option<I> {
        let asked_at = self.asked_at.filter(|_| self.is_listening)?;
        Some((self.heard_at + GONE_AFTER).max(asked_at + (GONE_AFTER - PING_AFTER)))
    }

    fn ping_at(&self) -> I {
        self.heard_at.max(self.pinged_at) + PING_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds since the connection was opened are a clock too: `Duration` adds up.
    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn silence_is_pinged_then_given_up() {
        let mut keep_alive = KeepAlive::new(s(0));
        for (at, expected) in [
            (19, None),
            (20, Some(Silence::Ping)),
            (21, None),
            (40, Some(Silence::Ping)),
            (44, None),
            (45, Some(Silence::Gone)),
        ] {
            assert_eq!(keep_alive.poll(s(at)), expected, "after {at} s");
        }
        assert_eq!(keep_alive.poll_timeout(), s(45));
    }

    #[test]
    fn whatever_is_heard_starts_anew() {
        let mut keep_alive = KeepAlive::new(s(0));
        assert_eq!(keep_alive.poll(s(20)), Some(Silence::Ping));
        keep_alive.handle_heard(s(21));
        assert_eq!(keep_alive.poll(s(40)), None);
        assert_eq!(keep_alive.poll_timeout(), s(41));
    }

    #[test]
    fn what_is_learned_late_counts_from_when_it_was() {
        let mut keep_alive = KeepAlive::new(s(0));
        for now in [20, 40] {
            assert_eq!(keep_alive.poll(s(now)), Some(Silence::Ping));
            keep_alive.handle_heard(s(now - 15));
        }
        keep_alive.handle_heard(s(3));
        assert_eq!(keep_alive.poll(s(69)), Some(Silence::Ping));
        assert_eq!(keep_alive.poll(s(70)), Some(Silence::Gone), "45 s after second 25");
    }

    #[test]
    fn whoever_stood_still_asks_first() {
        let mut keep_alive = KeepAlive::new(s(0));
        assert_eq!(keep_alive.poll(s(300)), Some(Silence::Ping));
        assert_eq!(keep_alive.poll_timeout(), s(320));
        assert_eq!(keep_alive.poll(s(320)), Some(Silence::Ping));
        assert_eq!(keep_alive.poll_timeout(), s(325));
        assert_eq!(keep_alive.poll(s(325)), Some(Silence::Gone));
    }

    #[test]
    fn who_does_not_listen_goes_on_pinging() {
        let mut keep_alive = KeepAlive::new(s(0));
        for at in [0, 1, 20, 40, 60, 80] {
            keep_alive.handle_not_listening(s(at));
            assert_eq!(keep_alive.poll(s(at)), (at >= 20).then_some(Silence::Ping), "after {at} s");
        }
        keep_alive.handle_listening(s(81));
        assert_eq!(keep_alive.poll(s(101)), Some(Silence::Ping));
        assert_eq!(keep_alive.poll(s(126)), Some(Silence::Gone));
    }
}
