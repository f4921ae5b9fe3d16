//! AWS Signature Version 4: read, check, verify and make signatures.
//!
//! Nothing here does I/O, reads a clock or draws random bytes; the time is an argument. A request on its way
//! through verification changes its type, so a step cannot be left out:
//!
//! 1. [`SignedRequest::parse`] reads the `Authorization` header or the presigned query: who says to have signed.
//! 2. [`SignedRequest::check`] holds it against what this service accepts ([`Expectation`]): region, service,
//!    age, and that all that matters is signed. The result is a [`CheckedRequest`].
//! 3. [`CheckedRequest::payload`] compares the body with the hash the signer declared.
//! 4. [`CheckedRequest::verify`] recomputes the signature with the secret key; for the calls that a managed node
//!    signs with its RSA key, [`CheckedRequest::string_to_sign`] gives the text under the signature.
//!
//! Signing is [`Signing`]: headers, a presigned query, or the string to sign for a signature made elsewhere.
//!
//! Source: "AWS Signature Version 4 for API requests" in the IAM User Guide, and for the differences of S3
//! "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API Reference.

mod authorization;
mod canonical;
mod chunks;
mod key;
mod payload;
mod presigned;
mod refusal;
mod request;
mod scope;
mod sign;
mod time;
mod verify;

pub use authorization::{AUTHORIZATION_BYTES_MAX, Authorization, SIGNED_HEADERS_MAX};
pub use canonical::{PathRule, canonical_request, string_to_sign};
pub use chunks::ChunkVerifier;
pub use key::SigningKey;
pub use payload::{Payload, PayloadHash};
pub use presigned::EXPIRES_S_MAX;
pub use refusal::{Refusal, RefusalKind};
pub use request::{Header, Request};
pub use scope::{Credential, Scope};
pub use sign::{Prepared, SignError, Signing};
pub use time::SigningTime;
pub use verify::{CheckedRequest, Expectation, KeyKind, Place, Regions, SignedRequest};

/// The only algorithm that is verified and made. A node's RSA signatures carry this word as well.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
