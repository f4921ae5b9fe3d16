//! The body of an upload, checked while it comes: what it was signed as, and `aws-chunked`.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

/// A line that says how long a chunk is, or a trailer. Those of clients have some hundred bytes.
const LINE_BYTES_MAX: usize = 1024;
/// Trailers are a checksum and, with signed chunks, a signature.
const TRAILERS_MAX: usize = 8;

/// What a signature says of the body that comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclaredBody {
    /// It has this SHA-256.
    Sha256([u8; 32]),
    /// Nothing.
    Unsigned,
    /// Nothing, and it comes as `aws-chunked` (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`).
    UnsignedChunks,
}

/// What came behind the chunks of a body; there once the body has been read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trailers(Arc<OnceLock<HeaderMap>>);

/// A body does not hold what was said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    Mismatch,
    #[error("The body is not laid out as aws-chunked.")]
    Chunks,
    #[error("You did not provide the number of bytes specified by the Content-Length HTTP header.")]
    Incomplete,
}

impl Trailers {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get()?.get(name)?.to_str().ok()
    }
}

impl From<BodyError> for io::Error {
    fn from(error: BodyError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

impl BodyError {
    /// What a body's stream failed with, if it was this.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(*found);
            }
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            cause = inner.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
        }
        None
    }
}

/// The contents of a body; it ends in an error unless they are what was declared.
pub(crate) struct CheckedBody<S> {
    body: S,
    declared: Declared,
}

enum Declared {
    Sha256 { hasher: Sha256, expected: [u8; 32] },
    Unsigned,
    Chunks(Chunks),
}

impl<S> CheckedBody<S> {
    pub(crate) fn new(body: S, declared: DeclaredBody, trailers: Trailers) -> Self {
        let declared = match declared {
            DeclaredBody::Sha256(expected) => Declared::Sha256 { hasher: Sha256::new(), expected },
            DeclaredBody::Unsigned => Declared::Unsigned,
            DeclaredBody::UnsignedChunks => Declared::Chunks(Chunks::new(trailers)),
        };
        Self { body, declared }
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Stream for CheckedBody<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Declared::Chunks(chunks) = &mut this.declared
                && let Some(ready) = chunks.contents.pop_front()
            {
                return Poll::Ready(Some(Ok(ready)));
            }
            let next = ready!(this.body.poll_next_unpin(cx)).transpose()?;
            match (&mut this.declared, next) {
                (Declared::Unsigned, next) => return Poll::Ready(next.map(Ok)),
                (Declared::Sha256 { hasher, .. }, Some(bytes)) => {
                    hasher.update(&bytes);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                (Declared::Sha256 { hasher, expected }, None) => {
                    let is_right = hasher.finalize_reset().as_slice() == expected.as_slice();
                    this.declared = Declared::Unsigned;
                    return Poll::Ready((!is_right).then(|| Err(BodyError::Mismatch.into())));
                }
                (Declared::Chunks(chunks), Some(bytes)) => chunks.take(&bytes)?,
                (Declared::Chunks(chunks), None) => {
                    let is_whole = chunks.at == At::End;
                    this.declared = Declared::Unsigned;
                    return Poll::Ready((!is_whole).then(|| Err(BodyError::Incomplete.into())));
                }
            }
        }
    }
}

/// The decoder of `aws-chunked`.
///
/// Source: "Signature calculations for the Authorization header: Transferring payload in multiple chunks", Amazon S3
/// API Reference: `<length in hexadecimal>[;chunk-signature=…]CRLF<bytes>CRLF`, a chunk of length 0, trailers.
struct Chunks {
    at: At,
    line: BytesMut,
    contents: VecDeque<Bytes>,
    trailers: Trailers,
    found: HeaderMap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Length,
    Bytes(u64),
    /// The end of a line behind the bytes of a chunk.
    AfterBytes,
    Trailer,
    End,
}

impl Chunks {
    fn new(trailers: Trailers) -> Self {
        Self {
            at: At::Length,
            line: BytesMut::new(),
            contents: VecDeque::new(),
            trailers,
            found: HeaderMap::new(),
        }
    }

    fn take(&mut self, bytes: &Bytes) -> Result<(), BodyError> {
        let mut bytes = bytes.clone();
        while !bytes.is_empty() {
            if let At::Bytes(left) = self.at {
                let now = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                self.contents.push_back(bytes.split_to(now));
                let left = left - now as u64;
                self.at = if left == 0 { At::AfterBytes } else { At::Bytes(left) };
                continue;
            }
            if self.at == At::End {
                return Err(BodyError::Chunks);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(bytes.len(), |end| end + 1);
            if self.line.len() + length > LINE_BYTES_MAX {
                return Err(BodyError::Chunks);
            }
            self.line.extend_from_slice(&bytes[..length]);
            bytes.advance(length);
            if end.is_some() {
                let line = self.line.split();
                self.take_line(line.strip_suffix(b"\r\n").ok_or(BodyError::Chunks)?)?;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), BodyError> {
        let text = std::str::from_utf8(line).map_err(|_| BodyError::Chunks)?;
        self.at = match self.at {
            At::Length => {
                let digits = text.split(';').next().unwrap_or_default();
                let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let length = u64::from_str_radix(digits, 16).ok().filter(|_| is_number);
                match length.ok_or(BodyError::Chunks)? {
                    0 => At::Trailer,
                    length => At::Bytes(length),
                }
            }
            At::AfterBytes if text.is_empty() => At::Length,
            At::Trailer if text.is_empty() => {
                let _ = self.trailers.0.set(std::mem::take(&mut self.found));
                At::End
            }
            At::Trailer => {
                let (name, value) = text.split_once(':').ok_or(BodyError::Chunks)?;
                let name = HeaderName::try_from(name.trim()).map_err(|_| BodyError::Chunks)?;
                let value = HeaderValue::try_from(value.trim()).map_err(|_| BodyError::Chunks)?;
                if self.found.len() >= TRAILERS_MAX || self.found.insert(name, value).is_some() {
                    return Err(BodyError::Chunks);
                }
                At::Trailer
            }
            At::AfterBytes | At::Bytes(_) | At::End => return Err(BodyError::Chunks),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;
    use futures_util::stream;

    use super::*;

    fn read(body: &[u8], step: usize, declared: DeclaredBody) -> (Result<Vec<u8>, BodyError>, Trailers) {
        let trailers = Trailers::default();
        let parts: Vec<io::Result<Bytes>> =
            body.chunks(step).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        let checked = CheckedBody::new(stream::iter(parts), declared, trailers.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read: io::Result<Vec<Bytes>> = runtime.block_on(checked.try_collect());
        (read.map(|parts| parts.concat()).map_err(|error| BodyError::of(&error).unwrap()), trailers)
    }

    #[test]
    fn chunks_are_put_together_wherever_they_are_cut() {
        let body =
            b"5\r\nhello\r\nB;chunk-signature=00\r\n, chunks\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        for step in 1..body.len() {
            let (contents, trailers) = read(body, step, DeclaredBody::UnsignedChunks);
            assert_eq!(contents.unwrap(), b"hello, chunks\r\n!", "{step}");
            assert_eq!(trailers.get("x-amz-checksum-crc32"), Some("AAAA"));
        }
    }

    #[test]
    fn what_is_not_laid_out_as_chunks_is_refused() {
        for (body, error) in [
            (&b"5\r\nhello\r\n"[..], BodyError::Incomplete),
            (b"5\r\nhel", BodyError::Incomplete),
            (b"", BodyError::Incomplete),
            (b"0\r\n", BodyError::Incomplete),
            (b"+5\r\nhello\r\n0\r\n\r\n", BodyError::Chunks),
            (b"\r\n0\r\n\r\n", BodyError::Chunks),
            (b"5\nhello\r\n0\r\n\r\n", BodyError::Chunks),
            (b"4\r\nhello\r\n0\r\n\r\n", BodyError::Chunks),
            (b"10000000000000000\r\nhello", BodyError::Chunks),
            (b"0\r\n\r\nmore", BodyError::Chunks),
            (b"0\r\nno trailer\r\n\r\n", BodyError::Chunks),
            (b"0\r\na:1\r\na:2\r\n\r\n", BodyError::Chunks),
            (&[b'0'; 2000], BodyError::Chunks),
        ] {
            let (contents, _) = read(body, 3, DeclaredBody::UnsignedChunks);
            assert_eq!(contents, Err(error), "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn the_hash_decides_at_the_end() {
        let digest: [u8; 32] = Sha256::digest(b"hello").into();
        assert_eq!(read(b"hello", 2, DeclaredBody::Sha256(digest)).0.unwrap(), b"hello");
        for body in [&b"hellO"[..], b"hell", b"hello!", b""] {
            assert_eq!(read(body, 2, DeclaredBody::Sha256(digest)).0, Err(BodyError::Mismatch));
        }
        assert_eq!(read(b"any", 2, DeclaredBody::Unsigned).0.unwrap(), b"any");
    }
}
