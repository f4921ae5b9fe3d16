//! Telling a PTY that there is no more input.
//!
//! A PTY has no end of file of its own: Ctrl-D (EOT) is one, when a program reads a whole line at a time and a line
//! begins, or when a shell edits its line and it is empty. While a shell changes from one to the other, or while
//! another program runs, the byte can be swallowed. So it is repeated, more and more rarely, until the session
//! ends.

use std::time::{Duration, Instant};

use bytes::Bytes;

const EOT: &[u8] = &[0x04];
const FIRST_WAIT: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct EndOfInput {
    at: Instant,
    wait: Duration,
    /// The last line has no end: the first EOT only hands it over.
    partial: bool,
}

impl EndOfInput {
    /// Input ended with the byte `last`.
    pub(crate) fn new(now: Instant, last: u8) -> Self {
        Self { at: now, wait: FIRST_WAIT, partial: !matches!(last, b'\n' | b'\r') }
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.at
    }

    /// What to send now.
    pub(crate) fn poll_due(&mut self, now: Instant) -> Option<Bytes> {
        if now < self.at {
            return None;
        }
        self.at = now + self.wait;
        self.wait = (self.wait * 2).min(WAIT_MAX);
        let bytes = if std::mem::take(&mut self.partial) { [EOT, EOT].concat() } else { EOT.to_vec() };
        Some(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_repeated_more_and_more_rarely() {
        let start = Instant::now();
        let mut end = EndOfInput::new(start, b'\n');
        let mut sent = Vec::new();
        while end.poll_timeout() < start + Duration::from_secs(60) {
            let at = end.poll_timeout();
            assert_eq!(end.poll_due(at).unwrap(), EOT);
            assert_eq!(end.poll_due(at), None);
            sent.push((at - start).as_millis());
        }
        assert_eq!(sent, [0, 200, 600, 1400, 3000, 6200, 12600, 22600, 32600, 42600, 52600]);
    }

    #[test]
    fn a_line_without_end_is_handed_over_first() {
        let start = Instant::now();
        let mut end = EndOfInput::new(start, b's');
        assert_eq!(end.poll_due(start).unwrap(), "\u{4}\u{4}");
    }
}
