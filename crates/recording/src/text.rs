//! Terminal output as text: UTF-8 that is cut anywhere becomes whole characters, written as JSON strings.

/// The start of a character whose rest has not come yet: at most three bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carry {
    bytes: [u8; 3],
    length: u8,
}

impl Carry {
    /// `None` if these bytes are not the beginning of one character.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let mut carry = Self::default();
        carry.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        carry.length = u8::try_from(bytes.len()).ok()?;
        let is_beginning = match std::str::from_utf8(bytes) {
            Ok(text) => text.is_empty(),
            Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
        };
        is_beginning.then_some(carry)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// Adds `bytes` to a JSON string that is open at the end of `json`. Bytes that are not UTF-8 become U+FFFD, as the
/// Unicode standard recommends (one for each maximal part); a character whose end is missing waits in `carry`.
pub(crate) fn push(json: &mut Vec<u8>, carry: &mut Carry, bytes: &[u8]) {
    let mut rest = bytes;
    while !carry.is_empty() && !rest.is_empty() {
        rest = complete(json, carry, rest);
    }
    while !rest.is_empty() {
        let error = match std::str::from_utf8(rest) {
            Ok(text) => return push_text(json, text),
            Err(error) => error,
        };
        let (valid, after) = rest.split_at(error.valid_up_to());
        push_text(json, std::str::from_utf8(valid).expect("from_utf8 said so"));
        let Some(invalid) = error.error_len() else {
            *carry = Carry::new(after).expect("from_utf8 said that only the end is missing");
            return;
        };
        push_replacement(json);
        rest = &after[invalid..];
    }
}

/// Gives up waiting for the end of a character.
pub(crate) fn flush(json: &mut Vec<u8>, carry: &mut Carry) {
    if !carry.is_empty() {
        *carry = Carry::default();
        push_replacement(json);
    }
}

/// Takes one byte to the carried ones, if it belongs to them. Gives what is left of `rest`.
fn complete<'r>(json: &mut Vec<u8>, carry: &mut Carry, rest: &'r [u8]) -> &'r [u8] {
    let mut joined = [0; 4];
    let length = carry.as_bytes().len();
    joined[..length].copy_from_slice(carry.as_bytes());
    joined[length] = rest[0];
    let joined = &joined[..=length];
    match std::str::from_utf8(joined) {
        Ok(text) => {
            push_text(json, text);
            *carry = Carry::default();
            &rest[1..]
        }
        Err(error) if error.error_len().is_none() => {
            *carry = Carry::new(joined).expect("from_utf8 said that only the end is missing");
            &rest[1..]
        }
        Err(_) => {
            flush(json, carry);
            rest
        }
    }
}

fn push_replacement(json: &mut Vec<u8>) {
    json.extend_from_slice("\u{fffd}".as_bytes());
}

/// What a byte needs in a JSON string: nothing (0), a short escape (its letter), or six characters (1).
/// Source: RFC 8259, section 7. DEL is escaped too, which the RFC allows, so that no control character is in the file.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = 1;
        byte += 1;
    }
    table[0x7f] = 1;
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Adds `text` with what JSON wants escaped.
pub(crate) fn push_text(json: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(index) = rest.iter().position(|byte| ESCAPES[usize::from(*byte)] != 0) {
        json.extend_from_slice(&rest[..index]);
        let byte = rest[index];
        match ESCAPES[usize::from(byte)] {
            1 => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                json.extend_from_slice(b"\\u00");
                json.push(DIGITS[usize::from(byte >> 4)]);
                json.push(DIGITS[usize::from(byte & 0xf)]);
            }
            letter => json.extend_from_slice(&[b'\\', letter]),
        }
        rest = &rest[index + 1..];
    }
    json.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the string says, after pushing the parts one by one and giving up on what is still open.
    fn pushed(parts: &[&[u8]]) -> String {
        let (mut json, mut carry) = (vec![b'"'], Carry::default());
        for part in parts {
            push(&mut json, &mut carry, part);
        }
        flush(&mut json, &mut carry);
        json.push(b'"');
        serde_json::from_slice(&json).unwrap()
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        let text = "aé€😀\"\\\u{1b}[0m\r\n\u{7f}\u{0}";
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let bytes = text.as_bytes();
                assert_eq!(pushed(&[&bytes[..first], &bytes[first..second], &bytes[second..]]), text);
            }
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        let cases: [(&[&[u8]], &str); 7] = [
            (&[b"a\xffb"], "a\u{fffd}b"),
            (&[b"\xe2\x82"], "\u{fffd}"),
            (&[b"\xe2", b"a"], "\u{fffd}a"),
            (&[b"\xe2", b"\xe2\x82\xac"], "\u{fffd}€"),
            (&[b"\xf0\x9f", b"\x98", b"\xc3", b"\xa9"], "\u{fffd}é"),
            (&[b"\xed\xa0\x80"], "\u{fffd}\u{fffd}\u{fffd}"),
            (&[b"\x80", b"\xc0\x80"], "\u{fffd}\u{fffd}\u{fffd}"),
        ];
        for (parts, expected) in cases {
            assert_eq!(pushed(parts), expected, "{parts:x?}");
        }
    }

    #[test]
    fn a_carry_is_the_beginning_of_one_character() {
        for good in [b"".as_slice(), b"\xe2", b"\xe2\x82", b"\xf0\x9f\x98"] {
            assert_eq!(Carry::new(good).unwrap().as_bytes(), good);
        }
        for bad in [b"a".as_slice(), b"\xff", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80"] {
            assert_eq!(Carry::new(bad), None, "{bad:x?}");
        }
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(bytes: Vec<u8>, cuts: Vec<prop::sample::Index>) {
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut start = 0;
            let parts: Vec<_> = cuts.into_iter().map(|end| &bytes[std::mem::replace(&mut start, end)..end]).collect();
            prop_assert_eq!(pushed(&parts), String::from_utf8_lossy(&bytes));
        }
    }
}
