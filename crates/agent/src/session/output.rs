//! From the program's output to payloads: whole characters, prefixes, sizes.

use std::io;

/// Bytes at the end of `bytes` that begin a UTF-8 character and do not finish it, at most 3. They wait for the rest, so
/// that no character is split over two messages. Anything that is not UTF-8 does not wait.
pub(super) fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let length = match bytes[bytes.len() - back] {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if length > back { back } else { 0 };
    }
    0
}

/// Collects output for one message, with room for what waited from the one before.
#[derive(Debug)]
pub(super) struct Collector {
    buffer: Vec<u8>,
    filled: usize,
    keeps_characters: bool,
}

/// What one round of reading brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Collected {
    /// There may be something to take; more output will come.
    Some,
    /// The program's end of the terminal or pipe is closed.
    End,
}

impl Collector {
    /// For a terminal, which shows characters.
    pub(super) fn of_characters() -> Self {
        Self { buffer: Vec::new(), filled: 0, keeps_characters: true }
    }

    /// For a pipe, which carries bytes.
    pub(super) fn of_bytes() -> Self {
        Self { keeps_characters: false, ..Self::of_characters() }
    }

    /// Where the next `chunk_bytes` less what waits go. Never empty.
    pub(super) fn space(&mut self, chunk_bytes: usize) -> &mut [u8] {
        let length = chunk_bytes.max(self.filled + 1);
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        &mut self.buffer[self.filled..length]
    }

    /// Takes note of a first read of `count` bytes, and goes on reading until nothing is left or the message is full: a
    /// keystroke's echo goes out at once, and a flood in few messages.
    pub(super) fn collect(
        &mut self,
        count: usize,
        chunk_bytes: usize,
        mut read: impl FnMut(&mut [u8]) -> io::Result<Option<usize>>,
    ) -> Collected {
        if count == 0 {
            return Collected::End;
        }
        self.filled += count;
        while self.filled < chunk_bytes {
            match read(&mut self.buffer[self.filled..chunk_bytes]) {
                Ok(Some(0)) | Err(_) => return Collected::End,
                Ok(Some(count)) => self.filled += count,
                Ok(None) => break,
            }
        }
        Collected::Some
    }

    /// How much there is.
    pub(super) fn filled(&self) -> usize {
        self.filled
    }

    /// Turns the first bytes, `most` of them if there are as many, into a payload; but for an unfinished character at
    /// the end of what there is, unless `is_end`. `None` if nothing is left.
    pub(super) fn take<T>(
        &mut self,
        most: usize,
        is_end: bool,
        to_payload: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let first = self.filled.min(most);
        let waits = self.keeps_characters && !(is_end && first == self.filled);
        let ready = first - if waits { unfinished(&self.buffer[..first]) } else { 0 };
        if ready == 0 {
            return None;
        }
        let payload = to_payload(&self.buffer[..ready]);
        self.buffer.copy_within(ready..self.filled, 0);
        self.filled -= ready;
        Some(payload)
    }
}

/// Puts a prefix before the first data of a stream, and again after each message that ended a line.
/// Source: agent/session/plugins/shell/ of aws/amazon-ssm-agent.
#[derive(Debug)]
pub(super) struct Prefix {
    text: String,
    is_due: bool,
}

impl Prefix {
    pub(super) fn new(text: String) -> Self {
        Self { text, is_due: true }
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn apply(&mut self, data: &[u8]) -> Vec<u8> {
        let prefix = if self.is_due { self.text.as_bytes() } else { b"" };
        self.is_due = data.ends_with(b"\n");
        [prefix, data].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_character_waits() {
        for (bytes, expected) in [
            (&b""[..], 0),
            (b"abc", 0),
            ("ä".as_bytes(), 0),
            (&"ä".as_bytes()[..1], 1),
            (&"a€".as_bytes()[..2], 1),
            (&"a€".as_bytes()[..3], 2),
            ("€".as_bytes(), 0),
            (&"😀".as_bytes()[..3], 3),
            ("😀".as_bytes(), 0),
            (b"a\xff", 0),
            (b"\x80\x80\x80", 0),
            (b"\xc0", 0),
            (b"\xf5", 0),
        ] {
            assert_eq!(unfinished(bytes), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn characters_are_never_split_whatever_the_reads() {
        let text = "grün 日本語 😀 \u{fffd} end";
        for size in 1..=5 {
            let mut collector = Collector::of_characters();
            let mut sent = String::new();
            for piece in text.as_bytes().chunks(size) {
                let space = collector.space(1024);
                space[..piece.len()].copy_from_slice(piece);
                assert_eq!(collector.collect(piece.len(), 1024, |_| Ok(None)), Collected::Some);
                collector.take(1024, false, |bytes| sent.push_str(std::str::from_utf8(bytes).unwrap()));
            }
            assert_eq!(sent, text, "in pieces of {size}");
        }
    }

    #[test]
    fn any_bytes_survive() {
        let noise: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        for size in [1, 2, 3, 7, 100] {
            let mut collector = Collector::of_characters();
            let mut sent = Vec::new();
            for piece in noise.chunks(size) {
                collector.space(1024)[..piece.len()].copy_from_slice(piece);
                collector.collect(piece.len(), 1024, |_| Ok(None));
                collector.take(1024, false, |bytes| sent.extend_from_slice(bytes));
            }
            collector.take(1024, true, |bytes| sent.extend_from_slice(bytes));
            assert_eq!(sent, noise, "in pieces of {size}");
        }
    }

    #[test]
    fn reads_are_put_together_up_to_the_size_of_a_message() {
        let mut collector = Collector::of_bytes();
        collector.space(10)[..4].fill(b'a');
        let mut reads = 0;
        let collected = collector.collect(4, 10, |space| {
            reads += 1;
            let count = space.len().min(4);
            space[..count].fill(b'b');
            Ok(Some(count))
        });
        assert_eq!((collected, reads), (Collected::Some, 2));
        let mut sent = Vec::new();
        collector.take(1024, false, |bytes| sent.extend_from_slice(bytes));
        assert_eq!(sent, b"aaaabbbbbb");
        assert_eq!(collector.collect(0, 10, |_| Ok(None)), Collected::End);
    }

    #[test]
    fn what_was_collected_for_a_larger_message_is_cut() {
        let mut collector = Collector::of_characters();
        let text = "äöüß".as_bytes();
        collector.space(100)[..8].copy_from_slice(text);
        collector.collect(8, 100, |_| Ok(None));
        let taken: Vec<Vec<u8>> = std::iter::from_fn(|| collector.take(5, false, <[u8]>::to_vec)).collect();
        assert_eq!(taken, ["äö".as_bytes(), "üß".as_bytes()]);
    }

    #[test]
    fn prefixes_stand_before_lines() {
        let mut prefix = Prefix::new("err:".to_owned());
        let messages: Vec<Vec<u8>> =
            ["a", "b\n", "c\nd\n", "e"].iter().map(|data| prefix.apply(data.as_bytes())).collect();
        assert_eq!(messages, [b"err:a".to_vec(), b"b\n".to_vec(), b"err:c\nd\n".to_vec(), b"err:e".to_vec()]);
    }
}
