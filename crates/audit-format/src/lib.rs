//! The audit trail's records and files, and their verification without a server.
//!
//! The truth is a chain of lines in segment files ([`chain`]). Beside it are signed heads ([`head`]), the public keys
//! ([`key`]), and the log and digest files that CloudTrail would have delivered ([`delivery`]). [`verify()`] checks all of
//! them. `docs/audit.md` describes them for people who want to check with tools of their own.

pub mod chain;
pub mod delivery;
pub mod head;
mod identity;
pub mod key;
mod layout;
mod limits;
mod record;
mod recorded;
pub mod segment;
pub mod tombstone;
pub mod verify;

pub use identity::{
    Attributes, IdentityType, SessionContext, SessionIssuer, UserIdentity, WebIdFederationData,
};
pub use layout::Layout;
pub use limits::BODY_BYTES_MAX;
pub use record::{
    Addendum, AddendumReason, EventCategory, EventType, HIDDEN, HIDDEN_TOKEN, Record, Resource, TlsDetails,
};
pub use recorded::{RecordedFile, SESSION_ENDED, SESSION_RECORDING_PROGRESS};
pub use verify::verify;
