//! When a stream has stood still for too long.

use std::time::{Duration, Instant};

/// It is looked at when it is due: what moved meanwhile has all of the time again.
#[derive(Debug)]
pub(super) struct Timer {
    patience: Duration,
    /// `None` until it is looked at for the first time.
    since: Option<Instant>,
    has_moved: bool,
}

impl Timer {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, since: None, has_moved: false }
    }

    pub(super) fn moved(&mut self) {
        self.has_moved = true;
    }

    /// When to look at it; `None` for at once.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.patience)
    }

    /// Whether it has stood still for all of its time.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        let has_moved = std::mem::take(&mut self.has_moved);
        if has_moved || self.since.is_none() {
            self.since = Some(now);
        }
        self.due().is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_has_all_of_the_time_again() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut timer = Timer::new(second);
        assert_eq!(timer.due(), None);
        assert!(!timer.is_over(start));
        assert_eq!(timer.due(), Some(start + second));
        timer.moved();
        assert!(!timer.is_over(start + second));
        assert!(!timer.is_over(start + second * 3 / 2));
        assert!(timer.is_over(start + second * 2));
    }
}
