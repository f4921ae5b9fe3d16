//! What Postern remembers: storage traits by subject, their model types, and SQLite behind them.
//!
//! Nothing here reads a clock: every method that needs the time takes it. Times are kept to the microsecond.
//! "Not found" is `Ok(None)` or `Ok(false)`; a rule that refuses is an error of the operation.

mod activation;
#[cfg(test)]
mod conformance;
mod console;
mod document;
mod error;
mod identity;
mod kms;
mod node;
mod node_connection;
mod object;
mod page;
mod passkey;
mod seal;
mod secret;
mod session;
mod session_connections;
mod session_encryption;
mod session_log;
mod setting;
mod sqlite;
mod tag;
mod token;

pub use activation::{Activation, ActivationFilter, ActivationStore};
pub use console::{
    ConsoleSignIn, ConsoleSignInStore, PasswordProof, SIGN_INS_KEPT, SIGN_INS_PER_OWNER_MAX, SignInEnd,
    SignInStage,
};
pub use document::{
    Document, DocumentError, DocumentQuotas, DocumentStore, DocumentVersion, NewDocument, NewDocumentVersion,
    VersionChoice,
};
pub use error::{BoxError, StoreError};
pub use identity::{
    AccessKey, AccessKeyStore, AccessKeyUse, AccountStore, AttachedPolicy, AuthorizationStore, Dependent,
    Entity, Group, GroupPolicies, GroupStore, Guardrail, HeldPolicies, HeldPolicyStore, IdentityCounts,
    IdentityError, IdentityTagStore, InlinePolicy, InstanceProfile, InstanceProfileStore, KeyLastUsed,
    KeyStatus, LoginProfile, LoginProfileUpdate, ManagedPolicy, ManagedPolicyStore, MfaCounter, MfaDevice,
    MfaFilter, NewMfaDevice, NewName, NewPolicy, OidcProvider, OidcStore, OidcUpdate, PolicyEntities,
    PolicyEntity, PolicyHolder, PolicyQuery, PolicyUsage, PolicyUse, PolicyVersion, Principal, PrincipalName,
    PrincipalPolicies, Quota, Quotas, Role, RoleLastUsed, RoleStore, RoleUpdate, RoleUse, SignInStore,
    TaggedIdentity, User, UserStore, VersionRank, policy_chars,
};
pub use kms::{
    KmsAliasError, KmsAliasRecord, KmsKey, KmsKeyState, KmsMaterial, KmsMaterialName, KmsMaterialOrigin,
    KmsPolicyError, KmsRotation, KmsStore, KmsTagError,
};
pub use node::{
    Deregistered, Node, NodeFilter, NodeInfo, NodeStore, PlatformType, RegisterError, Registration,
    ReplacePublicKeyError,
};
pub use node_connection::{
    CloseReason, LastClose, NodeConnection, NodeConnectionStatus, NodeConnectionStore,
};
pub use object::{
    Bucket, BucketLock, BucketStore, Bypass, ObjectAttributes, ObjectError, ObjectStore, Precondition,
    Retention, RetentionMode, Segment, StoredObject, Upload, UploadPart, UploadStore,
};
pub use page::{Page, Paged};
pub use passkey::{Passkey, PasskeyCreation, PasskeySignIn, PasskeyStore, PasskeyUse, SpentChallenge};
pub use seal::MasterKey;
pub use secret::Secret;
pub use session::{
    AccessType, CreateSessionError, EndStatus, HISTORY_KEPT, SessionClaim, SessionCursor, SessionEnd,
    SessionFilter, SessionQuery, SessionRecord, SessionState, SessionStatus, SessionStore,
};
pub use session_connections::{ConnectionChanges, KnownConnections, SessionConnectionStore};
pub use session_encryption::SessionEncryptionStore;
pub use session_log::{SessionLog, SessionLogFailure, SessionLogSink, SessionLogState, SessionLogStore};
pub use setting::SettingStore;
pub use sqlite::{Durability, OpenError, SqliteOptions, SqliteStore};
pub use tag::{AddTagsError, ResourceKey, ResourceType, Tag, TagStore};
pub use token::{ChannelSide, TokenGrant, TokenHash, TokenScope};

/// Everything about identities.
pub trait IdentityStore:
    UserStore
    + GroupStore
    + RoleStore
    + AccessKeyStore
    + ManagedPolicyStore
    + HeldPolicyStore
    + SignInStore
    + InstanceProfileStore
    + OidcStore
    + IdentityTagStore
    + AccountStore
    + AuthorizationStore
{
}

impl<T> IdentityStore for T where
    T: UserStore
        + GroupStore
        + RoleStore
        + AccessKeyStore
        + ManagedPolicyStore
        + HeldPolicyStore
        + SignInStore
        + InstanceProfileStore
        + OidcStore
        + IdentityTagStore
        + AccountStore
        + AuthorizationStore
{
}

/// Everything Postern remembers, for programs that need all of it: `Arc<dyn Store>`.
pub trait Store:
    NodeStore
    + NodeConnectionStore
    + BucketStore
    + ObjectStore
    + UploadStore
    + ActivationStore
    + SessionStore
    + TagStore
    + DocumentStore
    + IdentityStore
    + ConsoleSignInStore
    + PasskeyStore
    + SettingStore
    + KmsStore
    + SessionConnectionStore
    + SessionEncryptionStore
    + SessionLogStore
    + Send
    + Sync
{
}

impl<T> Store for T where
    T: NodeStore
        + NodeConnectionStore
        + BucketStore
        + ObjectStore
        + UploadStore
        + ActivationStore
        + SessionStore
        + TagStore
        + DocumentStore
        + IdentityStore
        + ConsoleSignInStore
        + PasskeyStore
        + SettingStore
        + KmsStore
        + SessionConnectionStore
        + SessionEncryptionStore
        + SessionLogStore
        + Send
        + Sync
{
}

/// An enum of texts that AWS spells: `Display`, `FromStr`, and `as_str`.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident, $expected:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The value as it is written on the wire and in the store.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownText;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownText::new(text, $expected)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
use text_enum;

/// A text that is none of an enum's values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct UnknownText {
    text: String,
    expected: &'static str,
}

impl UnknownText {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), expected }
    }
}
