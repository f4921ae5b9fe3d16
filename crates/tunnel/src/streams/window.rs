//! How much the other end may send into one stream, and how that grows.
//!
//! It grows while it is the window that holds up the sender, and not the reader: the sender used all that it was given (a
//! frame ended exactly where a limit that was announced lay, as only one does that is stopped there), and then the reader
//! took everything. What all streams have grown by is bounded; the more of them have, the less is each one's share, and
//! what is beyond it is not given again.

use std::collections::VecDeque;

use postern_protocol::tunnel::{INITIAL_WINDOW_BYTES, SESSION_GROWTH_BYTES_MAX, WINDOW_BYTES_MAX};

/// By how much all windows of one session may still grow.
#[derive(Debug)]
pub(super) struct Growth {
    left: usize,
    /// Windows that have grown, or would have if there had been something left.
    growing: usize,
}

impl Default for Growth {
    fn default() -> Self {
        Self { left: SESSION_GROWTH_BYTES_MAX, growing: 0 }
    }
}

impl Growth {
    /// How large the window of one that has grown may be.
    fn fair_size(&self) -> usize {
        let share = SESSION_GROWTH_BYTES_MAX / self.growing.max(1);
        (INITIAL_WINDOW_BYTES + share).min(WINDOW_BYTES_MAX)
    }
}

/// What is given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Giving {
    /// Half of the window at a time.
    Halves,
    /// Whatever was taken, at once: a datagram that has no room does not wait, but is lost.
    Everything,
}

/// One stream's.
#[derive(Debug)]
pub(super) struct Window {
    giving: Giving,
    size: usize,
    /// What may still come.
    open: usize,
    /// What was taken, and may be given again.
    taken: usize,
    /// All that came.
    received: u64,
    /// Up to where the other end was told that it may send, as far as it has not come there.
    limits: VecDeque<u64>,
    /// It has come to such a limit, and perhaps had to wait there.
    was_exhausted: bool,
    /// Counted in [`Growth`].
    is_growing: bool,
}

impl Window {
    pub(super) fn new(giving: Giving) -> Self {
        Self {
            giving,
            size: INITIAL_WINDOW_BYTES,
            open: INITIAL_WINDOW_BYTES,
            taken: 0,
            received: 0,
            limits: VecDeque::from([INITIAL_WINDOW_BYTES as u64]),
            was_exhausted: false,
            is_growing: false,
        }
    }

    /// So much came. `false`: it is more than may.
    #[must_use]
    pub(super) fn receive(&mut self, count: usize) -> bool {
        let Some(open) = self.open.checked_sub(count) else { return false };
        self.open = open;
        self.received += count as u64;
        while let Some(&limit) = self.limits.front().filter(|limit| **limit <= self.received) {
            self.was_exhausted |= limit == self.received;
            self.limits.pop_front();
        }
        self.was_exhausted |= self.giving == Giving::Everything && self.open < self.size / 2;
        true
    }

    /// So much of it was taken, and so much is `left`. Returns what the other end is to be given.
    pub(super) fn take(&mut self, count: usize, left: usize, growth: &mut Growth) -> Option<u32> {
        self.taken += count;
        if left == 0 && std::mem::take(&mut self.was_exhausted) && self.grow(growth) {
            return self.give();
        }
        let least = match self.giving {
            Giving::Halves => self.size / 2,
            Giving::Everything => 1,
        };
        if self.taken < least {
            return None;
        }
        self.shrink(growth);
        self.give()
    }

    fn give(&mut self) -> Option<u32> {
        let given = std::mem::take(&mut self.taken);
        self.open += given;
        self.limits.push_back(self.received + self.open as u64);
        u32::try_from(given).ok().filter(|given| *given > 0)
    }

    /// Whether it did. What cannot, because others have everything, makes these smaller.
    fn grow(&mut self, growth: &mut Growth) -> bool {
        growth.growing += usize::from(!std::mem::replace(&mut self.is_growing, true));
        let wanted = (self.size * 2).min(growth.fair_size()).saturating_sub(self.size).min(growth.left);
        if wanted == 0 {
            return false;
        }
        growth.left -= wanted;
        self.size += wanted;
        self.taken += wanted;
        true
    }

    fn shrink(&mut self, growth: &mut Growth) {
        let excess = self.size.saturating_sub(growth.fair_size()).min(self.taken);
        growth.left += excess;
        self.size -= excess;
        self.taken -= excess;
    }

    /// Nothing more comes: others may have what it had grown by.
    pub(super) fn release(&mut self, growth: &mut Growth) {
        growth.left += self.size - INITIAL_WINDOW_BYTES;
        self.size = INITIAL_WINDOW_BYTES;
        growth.growing -= usize::from(std::mem::take(&mut self.is_growing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that may come comes, and is taken at once.
    fn rush(window: &mut Window, growth: &mut Growth) -> Option<u32> {
        let count = window.open;
        assert!(window.receive(count));
        window.take(count, 0, growth)
    }

    #[test]
    fn a_reader_that_waits_for_the_sender_gets_more() {
        let (mut window, mut growth) = (Window::new(Giving::Halves), Growth::default());
        for expected in [128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 16_384] {
            let given = rush(&mut window, &mut growth);
            assert_eq!(given, Some(expected * 1024));
        }
        assert_eq!(growth.left, SESSION_GROWTH_BYTES_MAX - WINDOW_BYTES_MAX + INITIAL_WINDOW_BYTES);
        window.release(&mut growth);
        assert_eq!((growth.left, growth.growing), (SESSION_GROWTH_BYTES_MAX, 0));
    }

    #[test]
    fn a_reader_that_is_behind_gets_what_it_took() {
        let (mut window, mut growth) = (Window::new(Giving::Halves), Growth::default());
        assert!(window.receive(INITIAL_WINDOW_BYTES));
        assert!(!window.receive(1), "nothing beyond");
        assert_eq!(window.take(1000, INITIAL_WINDOW_BYTES - 1000, &mut growth), None);
        let half = INITIAL_WINDOW_BYTES / 2;
        assert_eq!(window.take(half - 1000, half, &mut growth), Some(32_768));
        assert!(window.receive(half));
        assert!(!window.receive(1));
        assert_eq!(growth.growing, 0);
    }

    #[test]
    fn a_sender_with_little_to_say_needs_no_more() {
        let (mut window, mut growth) = (Window::new(Giving::Halves), Growth::default());
        for _ in 0..1000 {
            assert!(window.receive(1009));
            window.take(1009, 0, &mut growth);
        }
        assert_eq!((growth.growing, window.size), (0, INITIAL_WINDOW_BYTES));
    }

    #[test]
    fn what_datagrams_used_is_given_at_once() {
        let (mut window, mut growth) = (Window::new(Giving::Everything), Growth::default());
        assert!(window.receive(12));
        assert_eq!(window.take(12, 0, &mut growth), Some(12));
        assert!(window.receive(INITIAL_WINDOW_BYTES));
        assert_eq!(window.take(INITIAL_WINDOW_BYTES, 0, &mut growth), Some(128 * 1024));
        assert!(window.receive(100));
        assert_eq!(window.take(100, 0, &mut growth), Some(100));
    }

    #[test]
    fn all_that_want_to_grow_share_what_there_is() {
        let mut growth = Growth::default();
        let mut windows: Vec<Window> = (0..100).map(|_| Window::new(Giving::Halves)).collect();
        // A few come first, and have everything.
        for round in 0..40 {
            let count = if round < 20 { 4 } else { 100 };
            for window in windows.iter_mut().take(count) {
                rush(window, &mut growth);
            }
            if round == 19 {
                assert!(growth.left < INITIAL_WINDOW_BYTES * 8, "{}", growth.left);
            }
        }
        let all: usize = windows.iter().map(|window| window.size - INITIAL_WINDOW_BYTES).sum();
        assert_eq!(all + growth.left, SESSION_GROWTH_BYTES_MAX);
        let (least, most) = windows
            .iter()
            .map(|window| window.size)
            .fold((usize::MAX, 0), |(least, most), size| (least.min(size), most.max(size)));
        assert!(least * 10 >= most * 9, "{least} to {most}");
        for window in &mut windows {
            window.release(&mut growth);
        }
        assert_eq!((growth.left, growth.growing), (SESSION_GROWTH_BYTES_MAX, 0));
    }
}
