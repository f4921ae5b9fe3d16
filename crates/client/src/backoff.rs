//! How long to wait before the next attempt.

use std::time::Duration;

/// The first attempt is immediate; then the waits double, from about 0.1 s to about 5 s, with jitter so that
/// clients of a restarted server do not come all at once.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

const FIRST_MS: u64 = 100;
const CAP_MS: u64 = 5_000;

impl Backoff {
    /// The wait before the next attempt. `random` is any random number.
    pub(crate) fn next(&mut self, random: u64) -> Duration {
        let attempt = self.attempts;
        self.attempts = self.attempts.saturating_add(1);
        if attempt == 0 {
            return Duration::ZERO;
        }
        let base = FIRST_MS.saturating_mul(1 << (attempt - 1).min(16)).min(CAP_MS);
        Duration::from_millis(base / 2 + random % base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stay_bounded() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(7), Duration::ZERO);
        for base in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            let wait = backoff.next(u64::MAX);
            let range = Duration::from_millis(base / 2)..Duration::from_millis(base / 2 + base);
            assert!(range.contains(&wait), "{wait:?} for {base}");
        }
    }
}
