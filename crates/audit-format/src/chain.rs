//! The lines of the chain.
//!
//! A line is one JSON object, its members in this order and without white space between them:
//!
//! ```text
//! {"sequence":7,"time":"2026-06-15T12:00:01.000123Z","previousHash":"…","kind":"record","class":"write","completes":6,
//!  "bodyHash":"…","hash":"…","record":{…}}
//! ```
//!
//! `bodyHash` is the SHA-256 of the bytes of the body, the last member, whose name is the line's kind. `hash` is the
//! SHA-256 of the line's bytes up to the comma before `"hash"`: it covers the hash of the line before, and through
//! `bodyHash` the body. So a body can be removed, as retention does, and the chain still be followed.
//! `class` and `completes` are left out where they mean nothing.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first line has in place of the hash of a line before it.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from(digest(&SHA256, bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digits.
    fn digits(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
        text
    }

    fn from_digits(digits: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl From<aws_lc_rs::digest::Digest> for Hash {
    fn from(digest: aws_lc_rs::digest::Digest) -> Self {
        Self(digest.as_ref().try_into().expect("a SHA-256 has 32 bytes"))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).expect("digits are ASCII"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is written as 64 hexadecimal digits")]
pub struct HashError;

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        Self::from_digits(text.as_bytes()).ok_or(HashError)
    }
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

/// An enum whose values are words in a line.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word in the line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            fn from_bytes(word: &[u8]) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str().as_bytes() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a line holds.
    Kind {
        /// The beginning of a segment file.
        Segment = "segment",
        /// A public key that heads and digests are signed with from now on.
        Key = "key",
        /// A record.
        Record = "record",
        /// What a call is about to do: a record without its outcome.
        Intent = "intent",
        /// What is removed: a record, too.
        Tombstone = "tombstone",
        /// Log files that were delivered.
        Delivery = "delivery",
        /// A digest file that was delivered.
        Digest = "digest",
    }
}

impl Kind {
    /// Whether the body is a record that log files and lookups show.
    #[must_use]
    pub fn is_shown(self) -> bool {
        matches!(self, Self::Record | Self::Tombstone)
    }
}

words! {
    /// What a record is kept as; each class has a retention of its own.
    Class {
        /// Calls that change something, sign-ins, and what happens in sessions.
        Write = "write",
        /// Calls that read.
        Read = "read",
        /// What nodes say of their own accord.
        Node = "node",
        /// Work with data, such as reading a recording.
        Data = "data",
    }
}

/// A line to write.
#[derive(Debug, Clone, Copy)]
pub struct NewLine<'a> {
    /// Its number: one more than that of the line before.
    pub sequence: u64,
    /// When it is written.
    pub time: Timestamp,
    /// The hash of the line before.
    pub previous: Hash,
    /// What it holds.
    pub kind: Kind,
    /// What a record or intent is kept as.
    pub class: Option<Class>,
    /// The number of the intent whose outcome this is.
    pub completes: Option<u64>,
    /// The body: JSON in one line.
    pub body: &'a [u8],
}

impl NewLine<'_> {
    /// Adds the line, with its end, to `out`; the result is its hash.
    pub fn write(&self, out: &mut Vec<u8>) -> Hash {
        let start = out.len();
        let Self { sequence, time, previous, kind, .. } = self;
        write!(out, "{{\"sequence\":{sequence},\"time\":\"{time:.6}\",\"previousHash\":\"")
            .expect(INFALLIBLE);
        out.extend_from_slice(&previous.digits());
        write!(out, "\",\"kind\":\"{kind}\"").expect(INFALLIBLE);
        if let Some(class) = self.class {
            write!(out, ",\"class\":\"{class}\"").expect(INFALLIBLE);
        }
        if let Some(completes) = self.completes {
            write!(out, ",\"completes\":{completes}").expect(INFALLIBLE);
        }
        out.extend_from_slice(b",\"bodyHash\":\"");
        out.extend_from_slice(&Hash::of(self.body).digits());
        out.push(b'"');
        let hash = Hash::of(&out[start..]);
        out.extend_from_slice(b",\"hash\":\"");
        out.extend_from_slice(&hash.digits());
        write!(out, "\",\"{kind}\":").expect(INFALLIBLE);
        out.extend_from_slice(self.body);
        out.extend_from_slice(b"}\n");
        hash
    }
}

const INFALLIBLE: &str = "writing to a Vec cannot fail";

/// A line that was read, and that fits its own hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number.
    pub sequence: u64,
    /// When it was written.
    pub time: Timestamp,
    /// The hash of the line before.
    pub previous: Hash,
    /// What it holds.
    pub kind: Kind,
    /// What a record or intent is kept as.
    pub class: Option<Class>,
    /// The number of the intent whose outcome this is.
    pub completes: Option<u64>,
    /// Its hash.
    pub hash: Hash,
    /// The body; `None` if it was removed.
    pub body: Option<&'a [u8]>,
    /// What is hashed: the line without hash and body.
    pub head: &'a [u8],
}

/// Why a line is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct LineError {
    /// The first byte that is wrong, counted from the line's beginning; of a hash that does not fit, its first digit.
    pub offset: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl<'a> Line<'a> {
    /// Reads a line, without its end, and checks both hashes.
    ///
    /// # Errors
    /// It is not laid out as a line, or does not fit its hashes.
    pub fn parse(line: &'a [u8]) -> Result<Self, LineError> {
        let mut rest = Cursor { line, offset: 0 };
        rest.expect(b"{\"sequence\":")?;
        let sequence = rest.number()?;
        rest.expect(b",\"time\":\"")?;
        let time = rest.time()?;
        rest.expect(b"\",\"previousHash\":\"")?;
        let previous = rest.hash()?;
        rest.expect(b"\",\"kind\":\"")?;
        let kind = rest.word(Kind::from_bytes, "the kind of the line is not known")?;
        rest.expect(b"\"")?;
        let mut class = None;
        if rest.take(b",\"class\":\"") {
            class = Some(rest.word(Class::from_bytes, "the class of the record is not known")?);
            rest.expect(b"\"")?;
        }
        let completes = if rest.take(b",\"completes\":") { Some(rest.number()?) } else { None };
        rest.expect(b",\"bodyHash\":\"")?;
        let body_hash_offset = rest.offset;
        let body_hash = rest.hash()?;
        rest.expect(b"\"")?;
        let head = &line[..rest.offset];
        rest.expect(b",\"hash\":\"")?;
        let hash_offset = rest.offset;
        let hash = rest.hash()?;
        rest.expect(b"\"")?;
        let body = rest.body(kind)?;
        if Hash::of(head) != hash {
            return Err(LineError { offset: hash_offset, what: "the line does not fit its hash" });
        }
        if body.is_some_and(|body| Hash::of(body) != body_hash) {
            return Err(LineError { offset: body_hash_offset, what: "the body does not fit its hash" });
        }
        Ok(Self { sequence, time, previous, kind, class, completes, hash, body, head })
    }

    /// Adds the line without its body, with its end, to `out`.
    pub fn write_stub(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head);
        out.extend_from_slice(b",\"hash\":\"");
        out.extend_from_slice(&self.hash.digits());
        out.extend_from_slice(b"\"}\n");
    }
}

/// Reads a line from its beginning.
struct Cursor<'a> {
    line: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        self.line.get(self.offset..).unwrap_or_default()
    }

    fn take(&mut self, bytes: &[u8]) -> bool {
        let is_there = self.rest().starts_with(bytes);
        self.offset += if is_there { bytes.len() } else { 0 };
        is_there
    }

    fn expect(&mut self, bytes: &[u8]) -> Result<(), LineError> {
        if self.take(bytes) {
            return Ok(());
        }
        let same = self.rest().iter().zip(bytes).take_while(|(one, other)| one == other).count();
        Err(LineError { offset: self.offset + same, what: "the line is not laid out as one of the chain" })
    }

    /// The bytes before the next byte that is not of the kind, at most so many.
    fn run(&mut self, most: usize, is_of_kind: fn(&u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().take(most).take_while(|byte| is_of_kind(byte)).count();
        self.offset += length;
        &rest[..length]
    }

    fn number(&mut self) -> Result<u64, LineError> {
        let offset = self.offset;
        let digits = self.run(20, u8::is_ascii_digit);
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        number
            .filter(|_| digits.len() == 1 || digits.first() != Some(&b'0'))
            .ok_or(LineError { offset, what: "a number is expected" })
    }

    fn time(&mut self) -> Result<Timestamp, LineError> {
        let offset = self.offset;
        let text = self.run(40, |byte| *byte != b'"');
        std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(LineError { offset, what: "a time is expected" })
    }

    fn hash(&mut self) -> Result<Hash, LineError> {
        let offset = self.offset;
        let digits = self.run(64, |byte| nibble(*byte).is_some());
        Hash::from_digits(digits)
            .ok_or(LineError { offset: offset + digits.len(), what: "64 hexadecimal digits are expected" })
    }

    fn word<T>(&mut self, parse: fn(&[u8]) -> Option<T>, what: &'static str) -> Result<T, LineError> {
        let offset = self.offset;
        parse(self.run(16, u8::is_ascii_lowercase)).ok_or(LineError { offset, what })
    }

    /// The body, which ends where the line ends.
    fn body(&mut self, kind: Kind) -> Result<Option<&'a [u8]>, LineError> {
        if self.rest() == b"}" {
            return Ok(None);
        }
        self.expect(b",\"")?;
        self.expect(kind.as_str().as_bytes())?;
        self.expect(b"\":")?;
        match self.rest().split_last() {
            Some((b'}', body)) if !body.is_empty() => Ok(Some(body)),
            _ => Err(LineError { offset: self.line.len().saturating_sub(1), what: "the line has no end" }),
        }
    }
}
