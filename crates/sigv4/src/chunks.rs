//! Bodies that are signed chunk by chunk: each signature covers the one before it, the first that of the request.
//!
//! Source: "Signature calculations for the Authorization header: Transferring payload in multiple chunks", Amazon S3 API
//! Reference, and "… Including trailing headers" there.

use std::fmt;

use crate::key::sha256;
use crate::{Refusal, Scope, SigningKey, SigningTime};

const OF_CHUNK: &str = "AWS4-HMAC-SHA256-PAYLOAD";
const OF_TRAILER: &str = "AWS4-HMAC-SHA256-TRAILER";

/// Verifies the chunks of one body, in their order.
pub struct ChunkVerifier {
    key: SigningKey,
    /// Time and scope, as the text under each signature has them.
    when: String,
    previous: String,
    has_trailer: bool,
}

impl ChunkVerifier {
    /// For the body of a request that was signed with `key` at `time`, and whose signature is `seed`.
    #[must_use]
    pub fn new(key: SigningKey, time: SigningTime, scope: &Scope, seed: &str, has_trailer: bool) -> Self {
        Self { key, when: format!("{time}\n{scope}"), previous: seed.to_owned(), has_trailer }
    }

    /// Whether a signed trailer follows the last chunk.
    #[must_use]
    pub fn has_trailer(&self) -> bool {
        self.has_trailer
    }

    /// The next chunk, by the SHA-256 of its bytes.
    ///
    /// # Errors
    /// [`Refusal::SignatureMismatch`].
    pub fn chunk(&mut self, digest: &[u8; 32], signature: &str) -> Result<(), Refusal> {
        let digests = format!("{}\n{}", hex::encode(sha256(b"")), hex::encode(digest));
        self.next(OF_CHUNK, &digests, signature)
    }

    /// The trailer, by the SHA-256 of its lines: `name:value`, and a line feed.
    ///
    /// # Errors
    /// [`Refusal::SignatureMismatch`].
    pub fn trailer(&mut self, digest: &[u8; 32], signature: &str) -> Result<(), Refusal> {
        self.next(OF_TRAILER, &hex::encode(digest), signature)
    }

    fn next(&mut self, algorithm: &str, digests: &str, signature: &str) -> Result<(), Refusal> {
        let text = format!("{algorithm}\n{}\n{}\n{digests}", self.when, self.previous);
        if !self.key.verify(&text, signature) {
            return Err(Refusal::SignatureMismatch);
        }
        signature.clone_into(&mut self.previous);
        Ok(())
    }
}

impl fmt::Debug for ChunkVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkVerifier").field("has_trailer", &self.has_trailer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the documentation: 65 KiB and 1 KiB of `a`, with and without a trailer.
    fn verifier(seed: &str, has_trailer: bool) -> ChunkVerifier {
        let scope = Scope { date: "20130524".into(), region: "us-east-1".into(), service: "s3".into() };
        let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &scope);
        let time = SigningTime::parse_basic("20130524T000000Z").unwrap();
        ChunkVerifier::new(key, time, &scope, seed, has_trailer)
    }

    const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    const FIRST: &str = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    const SECOND: &str = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497";
    const LAST: &str = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9";

    #[test]
    fn the_chunks_of_the_documentation() {
        let mut chunks = verifier(SEED, false);
        let digest = |length| sha256(&vec![b'a'; length]);
        assert_eq!(chunks.chunk(&digest(65_536), FIRST), Ok(()));
        assert_eq!(chunks.chunk(&digest(1023), SECOND), Err(Refusal::SignatureMismatch));
        assert_eq!(chunks.chunk(&digest(1024), SECOND), Ok(()));
        assert_eq!(chunks.chunk(&digest(0), LAST), Ok(()));
        let mut out_of_order = verifier(SEED, false);
        assert_eq!(out_of_order.chunk(&digest(1024), SECOND), Err(Refusal::SignatureMismatch));
    }

    #[test]
    fn the_trailer_of_the_documentation() {
        let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
        let mut chunks = verifier(seed, true);
        for (length, signature) in [
            (65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
            (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
            (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
        ] {
            assert_eq!(chunks.chunk(&sha256(&vec![b'a'; length]), signature), Ok(()), "{length}");
        }
        let signature = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
        assert_eq!(
            chunks.trailer(&sha256(b"x-amz-checksum-crc32c:AAAAAA==\n"), signature),
            Err(Refusal::SignatureMismatch)
        );
        assert_eq!(chunks.trailer(&sha256(b"x-amz-checksum-crc32c:sOO8/Q==\n"), signature), Ok(()));
    }
}
