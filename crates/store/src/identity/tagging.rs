//! Tags of what IAM names. Tags of nodes and documents are in [`TagStore`](crate::TagStore).

use async_trait::async_trait;
use postern_ids::{InstanceProfileName, MfaSerial, OidcIssuer, PolicyArn, RoleName, UserName};

use super::{Entity, IdentityError};
use crate::Tag;

/// What carries tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaggedIdentity {
    /// A user.
    User(UserName),
    /// A role.
    Role(RoleName),
    /// A customer managed policy.
    Policy(PolicyArn),
    /// An instance profile.
    InstanceProfile(InstanceProfileName),
    /// An MFA device.
    MfaDevice(MfaSerial),
    /// An OIDC provider.
    OidcProvider(OidcIssuer),
}

impl From<TaggedIdentity> for Entity {
    fn from(tagged: TaggedIdentity) -> Self {
        match tagged {
            TaggedIdentity::User(name) => Self::User(name),
            TaggedIdentity::Role(name) => Self::Role(name),
            TaggedIdentity::Policy(arn) => Self::Policy(arn),
            TaggedIdentity::InstanceProfile(name) => Self::InstanceProfile(name),
            TaggedIdentity::MfaDevice(serial) => Self::MfaDevice(serial),
            TaggedIdentity::OidcProvider(issuer) => Self::OidcProvider(issuer),
        }
    }
}

/// Tags of what IAM names.
///
/// A user's or role's keys that differ only in case are the same key: the newer one replaces the older. The keys of
/// other things are case-sensitive. Source: AWS IAM user guide, "Tags for AWS IAM resources", case sensitivity.
#[async_trait]
pub trait IdentityTagStore: Send + Sync {
    /// Adds `tags`, replacing the values of keys that are there already: all of them or none.
    ///
    /// # Errors
    /// `NotFound`, `LimitExceeded`.
    async fn tag_identity(&self, identity: &TaggedIdentity, tags: &[Tag]) -> Result<(), IdentityError>;

    /// Removes the tags with `keys`. A key that is not there is no error.
    ///
    /// # Errors
    /// `NotFound`.
    async fn untag_identity(&self, identity: &TaggedIdentity, keys: &[String]) -> Result<(), IdentityError>;

    /// The tags, ordered by key.
    ///
    /// # Errors
    /// `NotFound`.
    async fn identity_tags(&self, identity: &TaggedIdentity) -> Result<Vec<Tag>, IdentityError>;
}
