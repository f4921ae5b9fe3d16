//! How a signature covers the body.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::Refusal;
use crate::key::sha256;
use crate::refusal::excerpt;

/// The word for a body that the signature does not cover. Source: Amazon S3 API Reference, "Authenticating
/// Requests: Using the Authorization Header".
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// The word for a body in chunks that the signature does not cover, with a checksum behind it: what SDKs send for
/// uploads over TLS. Source: as above, "Signature calculations for trailing headers".
const UNSIGNED_CHUNKS: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// The words for a body whose chunks are signed one by one, without and with a trailer. Source: as above.
const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_CHUNKS_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
/// Begins the words for bodies in chunks; with other algorithms, too.
const STREAMING_PREFIX: &str = "STREAMING-";

/// The last line of a canonical request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadHash {
    /// The body's SHA-256.
    Sha256([u8; 32]),
    /// The signature does not cover the body.
    Unsigned,
    /// The same, and the body comes in chunks (`aws-chunked`).
    UnsignedChunks,
    /// Each chunk of the body has a signature of its own ([`ChunkVerifier`](crate::ChunkVerifier)).
    SignedChunks {
        /// What is behind the last chunk has one, too.
        has_trailer: bool,
    },
}

impl PayloadHash {
    /// The hash of `body`.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self::Sha256(sha256(body))
    }
}

impl fmt::Display for PayloadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digest) => f.write_str(&hex::encode(digest)),
            Self::Unsigned => f.write_str(UNSIGNED),
            Self::UnsignedChunks => f.write_str(UNSIGNED_CHUNKS),
            Self::SignedChunks { has_trailer: false } => f.write_str(SIGNED_CHUNKS),
            Self::SignedChunks { has_trailer: true } => f.write_str(SIGNED_CHUNKS_TRAILER),
        }
    }
}

/// What a request says about its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: the hash is that of the body that came.
    Undeclared,
    /// `x-amz-content-sha256` with a digest, which the body must have.
    Declared([u8; 32]),
    /// The signature does not cover the body.
    Unsigned,
    /// The same, and the body comes in chunks (`aws-chunked`).
    UnsignedChunks,
    /// Each chunk of the body has a signature of its own ([`ChunkVerifier`](crate::ChunkVerifier)).
    SignedChunks {
        /// What is behind the last chunk has one, too.
        has_trailer: bool,
    },
}

impl Payload {
    /// Reads the value of `x-amz-content-sha256`.
    pub(crate) fn parse(value: &str) -> Result<Self, Refusal> {
        if value == UNSIGNED {
            return Ok(Self::Unsigned);
        }
        if value == UNSIGNED_CHUNKS {
            return Ok(Self::UnsignedChunks);
        }
        if value == SIGNED_CHUNKS || value == SIGNED_CHUNKS_TRAILER {
            return Ok(Self::SignedChunks { has_trailer: value == SIGNED_CHUNKS_TRAILER });
        }
        if value.starts_with(STREAMING_PREFIX) {
            return Err(Refusal::StreamingPayload { word: excerpt(value) });
        }
        let mut digest = [0; 32];
        match hex::decode_to_slice(value, &mut digest) {
            Ok(()) => Ok(Self::Declared(digest)),
            Err(_) => Err(Refusal::PayloadHashSyntax),
        }
    }

    /// The hash to sign with, when `body` is what was declared.
    pub(crate) fn hash(self, body: &[u8]) -> Result<PayloadHash, Refusal> {
        match self {
            Self::Unsigned => Ok(PayloadHash::Unsigned),
            Self::UnsignedChunks => Ok(PayloadHash::UnsignedChunks),
            Self::SignedChunks { has_trailer } => Ok(PayloadHash::SignedChunks { has_trailer }),
            Self::Undeclared => Ok(PayloadHash::of(body)),
            Self::Declared(digest) if bool::from(digest.ct_eq(&sha256(body))) => {
                Ok(PayloadHash::Sha256(digest))
            }
            Self::Declared(_) => Err(Refusal::PayloadMismatch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_hash_must_be_the_bodys() {
        let declared = Payload::parse(&PayloadHash::of(b"{}").to_string()).unwrap();
        assert_eq!(declared.hash(b"{}"), Ok(PayloadHash::of(b"{}")));
        assert_eq!(declared.hash(b"{ }"), Err(Refusal::PayloadMismatch));
        assert_eq!(Payload::Unsigned.hash(b"anything"), Ok(PayloadHash::Unsigned));
        assert_eq!(Payload::Undeclared.hash(b"{}"), Ok(PayloadHash::of(b"{}")));
    }

    #[test]
    fn other_words_are_refused() {
        assert_eq!(Payload::parse("UNSIGNED-PAYLOAD"), Ok(Payload::Unsigned));
        let chunks = Payload::parse(UNSIGNED_CHUNKS).unwrap();
        assert_eq!(chunks.hash(b"anything").unwrap().to_string(), UNSIGNED_CHUNKS);
        for (word, has_trailer) in [(SIGNED_CHUNKS, false), (SIGNED_CHUNKS_TRAILER, true)] {
            let chunks = Payload::parse(word).unwrap();
            assert_eq!(chunks, Payload::SignedChunks { has_trailer });
            assert_eq!(chunks.hash(b"anything").unwrap().to_string(), word);
        }
        assert!(matches!(
            Payload::parse("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"),
            Err(Refusal::StreamingPayload { .. })
        ));
        for wrong in ["", "unsigned-payload", "00", &"g".repeat(64)] {
            assert_eq!(Payload::parse(wrong), Err(Refusal::PayloadHashSyntax), "{wrong:?}");
        }
    }
}
