//! How long to wait before trying again: longer each time, and never in step with other nodes.

use std::time::Duration;

use crate::random;

/// Growing pauses, each between half of its limit and its limit.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    tries: u32,
}

impl Backoff {
    /// Pauses that begin at `first`, double, and end at `most`.
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, tries: 0 }
    }

    /// For connections to the server: a restarting server is back within moments, and nobody should wait longer than
    /// half a minute for a node whose network works again.
    pub(crate) fn for_connections() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(30))
    }

    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let limit = self.first.saturating_mul(1 << self.tries.min(20)).min(self.most);
        self.tries = self.tries.saturating_add(1);
        random::jittered(limit)
    }

    /// It worked: the next pause is a short one again.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_limit_and_start_over() {
        let mut backoff = Backoff::for_connections();
        for limit_ms in [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000] {
            let pause = backoff.next();
            let limit = Duration::from_millis(limit_ms);
            assert!(
                pause >= limit / 2 && pause <= limit,
                "{pause:?} is not between half of {limit:?} and that"
            );
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(200));
        let mut endless = Backoff { tries: u32::MAX, ..backoff };
        assert!(endless.next() <= Duration::from_secs(30));
    }
}
