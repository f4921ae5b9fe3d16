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
use postern_sigv4::ChunkVerifier;
use sha2::{Digest as _, Sha256};

/// A line that says how long a chunk is, or a trailer. Those of clients have some hundred bytes.
const LINE_BYTES_MAX: usize = 1024;
/// Trailers are a checksum and, with signed chunks, a signature.
const TRAILERS_MAX: usize = 8;

/// The header with the length of a body that comes as `aws-chunked`, without the chunks.
pub const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
/// The header behind the last chunk that signs the others there.
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";
/// The parameter of a chunk's length.
const CHUNK_SIGNATURE: &str = "chunk-signature=";

/// What a signature says of the body that comes after it.
#[derive(Debug)]
pub enum DeclaredBody {
    /// It has this SHA-256.
    Sha256([u8; 32]),
    /// Nothing.
    Unsigned,
    /// Nothing, and it comes as `aws-chunked` (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`).
    UnsignedChunks,
    /// It comes as `aws-chunked`, and each chunk has a signature (`STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, `…-TRAILER`).
    SignedChunks(ChunkVerifier),
}

impl DeclaredBody {
    /// Whether it comes in chunks. How long they are together, the request says in [`DECODED_LENGTH`].
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        matches!(self, Self::UnsignedChunks | Self::SignedChunks(_))
    }
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
    #[error("The signature of a chunk does not match what was computed.")]
    Signature,
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
    Chunks(Box<Chunks>),
}

impl<S> CheckedBody<S> {
    /// `length` is that of what the chunks hold together, if the body comes in chunks.
    pub(crate) fn new(body: S, declared: DeclaredBody, length: Option<u64>, trailers: Trailers) -> Self {
        let declared = match declared {
            DeclaredBody::Sha256(expected) => Declared::Sha256 { hasher: Sha256::new(), expected },
            DeclaredBody::Unsigned => Declared::Unsigned,
            DeclaredBody::UnsignedChunks => Declared::Chunks(Box::new(Chunks::new(trailers, length, None))),
            DeclaredBody::SignedChunks(verifier) => {
                let signatures = Some(Signatures::new(verifier));
                Declared::Chunks(Box::new(Chunks::new(trailers, length, signatures)))
            }
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
    signatures: Option<Signatures>,
    /// What is to come yet, if the request says how much.
    left: Option<u64>,
}

/// What is known of the signatures of a body.
struct Signatures {
    verifier: ChunkVerifier,
    /// That of the chunk which is coming.
    announced: String,
    /// Of the bytes of that chunk, or of the lines behind the last one.
    hasher: Sha256,
}

impl Signatures {
    fn new(verifier: ChunkVerifier) -> Self {
        Self { verifier, announced: String::new(), hasher: Sha256::new() }
    }

    /// The line with the length of a chunk names its signature.
    fn announce(&mut self, parameters: &str) -> Result<(), BodyError> {
        let signature = parameters.strip_prefix(CHUNK_SIGNATURE).ok_or(BodyError::Signature)?;
        self.announced = signature.trim().to_owned();
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), BodyError> {
        let digest = self.hasher.finalize_reset().into();
        self.verifier.chunk(&digest, &self.announced).map_err(|_| BodyError::Signature)
    }

    /// Nothing that is not signed may stand behind the chunks.
    fn end_trailer(&mut self, found: &HeaderMap) -> Result<(), BodyError> {
        let signature = found.get(TRAILER_SIGNATURE).map(|value| value.to_str().unwrap_or_default());
        match signature {
            None if found.is_empty() && !self.verifier.has_trailer() => Ok(()),
            Some(signature) if self.verifier.has_trailer() => {
                let digest = self.hasher.finalize_reset().into();
                self.verifier.trailer(&digest, signature).map_err(|_| BodyError::Signature)
            }
            _ => Err(BodyError::Signature),
        }
    }
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
    fn new(trailers: Trailers, left: Option<u64>, signatures: Option<Signatures>) -> Self {
        Self {
            signatures,
            left,
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
                let contents = bytes.split_to(now);
                let left = left - now as u64;
                if let Some(signatures) = &mut self.signatures {
                    signatures.hasher.update(&contents);
                    if left == 0 {
                        signatures.end_chunk()?;
                    }
                }
                self.contents.push_back(contents);
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
                let (digits, parameters) = text.split_once(';').unwrap_or((text, ""));
                if let Some(signatures) = &mut self.signatures {
                    signatures.announce(parameters)?;
                }
                let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let length = u64::from_str_radix(digits, 16).ok().filter(|_| is_number);
                let length = length.ok_or(BodyError::Chunks)?;
                if let Some(left) = &mut self.left {
                    *left = left.checked_sub(length).ok_or(BodyError::Incomplete)?;
                }
                match length {
                    0 if self.left.is_some_and(|left| left > 0) => return Err(BodyError::Incomplete),
                    0 => {
                        self.signatures.as_mut().map_or(Ok(()), Signatures::end_chunk)?;
                        At::Trailer
                    }
                    length => At::Bytes(length),
                }
            }
            At::AfterBytes if text.is_empty() => At::Length,
            At::Trailer if text.is_empty() => {
                if let Some(signatures) = &mut self.signatures {
                    signatures.end_trailer(&self.found)?;
                }
                let _ = self.trailers.0.set(std::mem::take(&mut self.found));
                At::End
            }
            At::Trailer => {
                let (name, value) = text.split_once(':').ok_or(BodyError::Chunks)?;
                let name = HeaderName::try_from(name.trim()).map_err(|_| BodyError::Chunks)?;
                let value = HeaderValue::try_from(value.trim()).map_err(|_| BodyError::Chunks)?;
                if let Some(signatures) = self.signatures.as_mut().filter(|_| name != TRAILER_SIGNATURE) {
                    let line = [name.as_str().as_bytes(), b":", value.as_bytes(), b"\n"].concat();
                    signatures.hasher.update(line);
                }
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
    use postern_sigv4::{Scope, SigningKey, SigningTime};

    use super::*;

    fn read(body: &[u8], step: usize, declared: DeclaredBody) -> (Result<Vec<u8>, BodyError>, Trailers) {
        read_of(body, step, declared, None)
    }

    fn read_of(
        body: &[u8],
        step: usize,
        declared: DeclaredBody,
        length: Option<u64>,
    ) -> (Result<Vec<u8>, BodyError>, Trailers) {
        let trailers = Trailers::default();
        let parts: Vec<io::Result<Bytes>> =
            body.chunks(step).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        let checked = CheckedBody::new(stream::iter(parts), declared, length, trailers.clone());
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

    /// Whoever signs: its key, and the signature before.
    struct Signer {
        key: SigningKey,
        previous: String,
    }

    const TIME: &str = "20130524T000000Z";
    const SEED: &str = "00";

    fn scope() -> Scope {
        Scope { date: "20130524".into(), region: "us-east-1".into(), service: "s3".into() }
    }

    impl Signer {
        fn new() -> Self {
            Self { key: SigningKey::derive("secret", &scope()), previous: SEED.to_owned() }
        }

        fn next(&mut self, algorithm: &str, digests: &str) -> String {
            let text = format!("{algorithm}\n{TIME}\n{}\n{}\n{digests}", scope(), self.previous);
            self.previous = self.key.sign(&text);
            self.previous.clone()
        }

        fn chunk(&mut self, contents: &str) -> String {
            let digest = |bytes: &str| hex::encode(Sha256::digest(bytes));
            let digests = format!("{}\n{}", digest(""), digest(contents));
            let signature = self.next("AWS4-HMAC-SHA256-PAYLOAD", &digests);
            let end = if contents.is_empty() { "" } else { "\r\n" };
            format!("{:x};chunk-signature={signature}\r\n{contents}{end}", contents.len())
        }

        fn trailer(&mut self, line: &str) -> String {
            let digest = hex::encode(Sha256::digest(format!("{line}\n")));
            let signature = self.next("AWS4-HMAC-SHA256-TRAILER", &digest);
            format!("{line}\r\nx-amz-trailer-signature:{signature}\r\n")
        }
    }

    fn read_signed(body: &str, has_trailer: bool) -> (Result<Vec<u8>, BodyError>, Trailers) {
        let time = SigningTime::parse_basic(TIME).unwrap();
        let key = SigningKey::derive("secret", &scope());
        let verifier = ChunkVerifier::new(key, time, &scope(), SEED, has_trailer);
        read(body.as_bytes(), 3, DeclaredBody::SignedChunks(verifier))
    }

    #[test]
    fn signed_chunks_are_what_was_signed_in_that_order() {
        let mut signer = Signer::new();
        let (one, two, end) = (signer.chunk("hello"), signer.chunk(", world"), signer.chunk(""));
        let good = [&one, &two, &end, "\r\n"].concat();
        assert_eq!(read_signed(&good, false).0.unwrap(), b"hello, world");
        for (what, body, error) in [
            ("changed", good.replace("world", "worle"), BodyError::Signature),
            ("out of order", [&two, &one, &end, "\r\n"].concat(), BodyError::Signature),
            ("left out", [&one, &end, "\r\n"].concat(), BodyError::Signature),
            ("no signature", good.replace(";chunk-signature", ";x"), BodyError::Signature),
            ("cut off", [&*one, &two].concat(), BodyError::Incomplete),
            ("ended early", [&one, "0\r\n\r\n"].concat(), BodyError::Signature),
            (
                "a trailer",
                [&one, &two, &end, "x-amz-checksum-crc32:AAAA\r\n\r\n"].concat(),
                BodyError::Signature,
            ),
        ] {
            assert_eq!(read_signed(&body, false).0, Err(error), "{what}");
        }
    }

    #[test]
    fn a_signed_trailer_is_what_was_signed() {
        let mut signer = Signer::new();
        let chunks = [signer.chunk("hello"), signer.chunk("")].concat();
        let trailer = signer.trailer("x-amz-checksum-crc32:NhCmhg==");
        let (contents, trailers) = read_signed(&format!("{chunks}{trailer}\r\n"), true);
        assert_eq!(contents.unwrap(), b"hello");
        assert_eq!(trailers.get("x-amz-checksum-crc32"), Some("NhCmhg=="));
        for other in [trailer.replace("NhC", "AAA"), String::new()] {
            assert_eq!(read_signed(&format!("{chunks}{other}\r\n"), true).0, Err(BodyError::Signature));
        }
    }

    #[test]
    fn chunks_are_as_long_as_the_request_says() {
        let body = b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
        for (length, expected) in [
            (Some(6), Ok(b"hello!".to_vec())),
            (None, Ok(b"hello!".to_vec())),
            (Some(5), Err(BodyError::Incomplete)),
            (Some(7), Err(BodyError::Incomplete)),
        ] {
            assert_eq!(read_of(body, 3, DeclaredBody::UnsignedChunks, length).0, expected, "{length:?}");
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
