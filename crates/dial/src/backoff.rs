//! How long to wait before trying again: longer each time, and never in step with others.

use std::time::Duration;

/// Growing pauses, each between half of its limit and its limit.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    tries: u32,
}

impl Backoff {
    /// Pauses that begin at `first`, double, and end at `most`.
    #[must_use]
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, tries: 0 }
    }

    /// The next pause.
    pub fn next_pause(&mut self) -> Duration {
        let limit = self.first.saturating_mul(1 << self.tries.min(20)).min(self.most);
        self.tries = self.tries.saturating_add(1);
        jittered(limit)
    }

    /// It worked: the next pause is a short one again.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

/// Evenly distributed between half of `most` and `most`.
#[must_use]
pub fn jittered(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works once it has worked");
    let fraction = f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX);
    most.mul_f64(0.5 + fraction / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_limit_and_start_over() {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
        for limit_ms in [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000] {
            let pause = backoff.next_pause();
            let limit = Duration::from_millis(limit_ms);
            assert!(
                pause >= limit / 2 && pause <= limit,
                "{pause:?} is not between half of {limit:?} and that"
            );
        }
        backoff.reset();
        assert!(backoff.next_pause() <= Duration::from_millis(200));
        let mut endless = Backoff { tries: u32::MAX, ..backoff };
        assert!(endless.next_pause() <= Duration::from_secs(30));
    }
}
