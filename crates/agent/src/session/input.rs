//! What the user typed and the terminal has not taken yet.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// Input up to this size is acknowledged when it is here, not only when the terminal has taken it. AWS's plugin ends the
/// session when a message stays unacknowledged for five minutes, so a program that does not read must not hold up
/// what is typed ahead of it.
const ACKNOWLEDGED_BYTES_MAX: usize = 64 * 1024;

/// Input in the order in which it came. Its size is bounded by what the data channel delivers unacknowledged.
#[derive(Debug, Default)]
pub(super) struct Input {
    pending: VecDeque<Pending>,
    bytes: usize,
}

#[derive(Debug)]
struct Pending {
    bytes: Bytes,
    /// To be acknowledged once it is written.
    sequence_number: Option<i64>,
}

impl Input {
    /// Adds a message; the number of it to acknowledge now, if so.
    pub(super) fn push(&mut self, sequence_number: i64, bytes: Bytes) -> Option<i64> {
        let is_acknowledged = self.bytes + bytes.len() <= ACKNOWLEDGED_BYTES_MAX;
        if bytes.is_empty() {
            return Some(sequence_number);
        }
        self.bytes += bytes.len();
        let pending = (!is_acknowledged).then_some(sequence_number);
        self.pending.push_back(Pending { bytes, sequence_number: pending });
        is_acknowledged.then_some(sequence_number)
    }

    /// Adds what nobody typed.
    pub(super) fn push_own(&mut self, bytes: Bytes) {
        self.bytes += bytes.len();
        self.pending.push_back(Pending { bytes, sequence_number: None });
    }

    /// What to write next.
    pub(super) fn front(&self) -> Option<&[u8]> {
        self.pending.front().map(|pending| pending.bytes.as_ref())
    }

    /// `count` bytes of the front were written; the number of the message to acknowledge now, if so.
    pub(super) fn written(&mut self, count: usize) -> Option<i64> {
        let front = self.pending.front_mut()?;
        let count = count.min(front.bytes.len());
        front.bytes.advance(count);
        self.bytes -= count;
        if !front.bytes.is_empty() {
            return None;
        }
        self.pending.pop_front()?.sequence_number
    }

    /// Nobody will take it any more; all numbers to acknowledge.
    pub(super) fn discard(&mut self) -> Vec<i64> {
        self.bytes = 0;
        self.pending.drain(..).filter_map(|pending| pending.sequence_number).collect()
    }
}

/// The signal that a client's input means to a program without a terminal: Ctrl-C or Ctrl-\, whichever is first.
pub(super) fn signal(input: &[u8]) -> Option<postern_pty::Signal> {
    input.iter().find_map(|byte| match byte {
        0x03 => Some(postern_pty::Signal::Interrupt),
        0x1c => Some(postern_pty::Signal::Quit),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use postern_pty::Signal;

    use super::*;

    #[test]
    fn typing_ahead_is_acknowledged_and_a_flood_when_it_is_written() {
        let mut input = Input::default();
        let half = Bytes::from(vec![b'x'; ACKNOWLEDGED_BYTES_MAX / 2]);
        assert_eq!(input.push(0, half.clone()), Some(0));
        assert_eq!(input.push(1, half.clone()), Some(1));
        assert_eq!(input.push(2, half.clone()), None);
        assert_eq!(input.push(3, Bytes::new()), Some(3));
        assert_eq!(input.written(half.len() - 1), None);
        assert_eq!(input.front().unwrap().len(), 1);
        assert_eq!(input.written(1), None);
        assert_eq!(input.written(half.len()), None);
        assert_eq!(input.written(half.len()), Some(2));
        assert_eq!(input.front(), None);
        assert_eq!(input.written(1), None);
    }

    #[test]
    fn what_is_discarded_is_acknowledged() {
        let mut input = Input::default();
        input.push_own(Bytes::from_static(b"cd /\n"));
        let large = Bytes::from(vec![b'x'; ACKNOWLEDGED_BYTES_MAX]);
        assert_eq!(input.push(0, large), None);
        assert_eq!(input.discard(), [0]);
        assert_eq!(input.front(), None);
    }

    #[test]
    fn control_characters_become_signals() {
        assert_eq!(signal(b"abc\x03\x1c"), Some(Signal::Interrupt));
        assert_eq!(signal(b"\x1c"), Some(Signal::Quit));
        assert_eq!(signal(b"quit\r"), None);
    }
}
