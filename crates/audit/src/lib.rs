//! The audit trail: every call and event as a CloudTrail record, in a signed chain, durable before the answer.

mod appender;
mod clock;
mod deliver;
mod disk;
mod error;
mod event;
mod heads;
mod index;
mod keys;
mod objects;
mod open;
mod options;
mod recover;
mod retention;
mod tend;
mod trail;
mod unknown;

pub use appender::{Durability, Health};
pub use clock::Clock;
pub use error::{OpenError, TrailError};
pub use index::{
    FoundEvent, LookupAttribute, LookupCursor, LookupError, LookupPage, LookupQuery, ParseCursorError,
};
pub use objects::{Object, ObjectInfo, ObjectPage, Objects};
pub use options::TrailOptions;
pub use postern_audit_format as format;
pub use postern_audit_format::chain::Class;
pub use postern_audit_format::key::PublicKey;
pub use postern_audit_format::{
    Addendum, AddendumReason, Attributes, EventCategory, EventType, HIDDEN, HIDDEN_TOKEN, IdentityType,
    Record, Resource, SessionContext, SessionIssuer, TlsDetails, UserIdentity, WebIdFederationData,
};
pub use retention::{Removed, Retention, RetentionError};
pub use tend::TendError;
pub use trail::{Pending, Trail};
