//! Why an identity was not changed.

use std::fmt;

use postern_ids::{
    AccessKeyId, GroupName, InstanceProfileName, MfaSerial, OidcIssuer, PolicyArn, PolicyName,
    PolicyVersionId, RoleName, UserName,
};

use super::Quota;
use crate::StoreError;

/// Something that IAM names. `Display` gives kind and name, such as `user alice`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// A user.
    User(UserName),
    /// A group.
    Group(GroupName),
    /// A role.
    Role(RoleName),
    /// A managed policy.
    Policy(PolicyArn),
    /// A version of a managed policy.
    PolicyVersion(PolicyArn, PolicyVersionId),
    /// A managed policy's attachment to the identity in question.
    Attachment(PolicyArn),
    /// An inline policy of the identity in question.
    InlinePolicy(PolicyName),
    /// An access key.
    AccessKey(AccessKeyId),
    /// A user's password.
    LoginProfile(UserName),
    /// An MFA device.
    MfaDevice(MfaSerial),
    /// An instance profile.
    InstanceProfile(InstanceProfileName),
    /// The role of the instance profile in question.
    ProfileRole(RoleName),
    /// An OIDC provider.
    OidcProvider(OidcIssuer),
    /// An account-wide guardrail.
    Guardrail(PolicyName),
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Role(name) => write!(f, "role {name}"),
            Self::Policy(arn) => write!(f, "policy {arn}"),
            Self::PolicyVersion(arn, version) => write!(f, "version {version} of policy {arn}"),
            Self::Attachment(arn) => write!(f, "attachment of policy {arn}"),
            Self::InlinePolicy(name) => write!(f, "inline policy {name}"),
            Self::AccessKey(id) => write!(f, "access key {id}"),
            Self::LoginProfile(user) => write!(f, "login profile of user {user}"),
            Self::MfaDevice(serial) => write!(f, "MFA device {serial}"),
            Self::InstanceProfile(name) => write!(f, "instance profile {name}"),
            Self::ProfileRole(name) => write!(f, "role {name} of the instance profile"),
            Self::OidcProvider(issuer) => write!(f, "OIDC provider {issuer}"),
            Self::Guardrail(name) => write!(f, "guardrail {name}"),
        }
    }
}

/// What is still there and keeps something from being deleted. `Display` names it in the plural.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dependent {
    /// Managed policies that are attached to the identity.
    AttachedPolicies,
    /// Policies embedded in the identity.
    InlinePolicies,
    /// A user's access keys.
    AccessKeys,
    /// A user's password.
    LoginProfile,
    /// A user's MFA devices.
    MfaDevices,
    /// Groups that a user belongs to.
    Groups,
    /// Users that belong to a group.
    Users,
    /// Instance profiles that hold a role.
    InstanceProfiles,
    /// The role that an instance profile holds.
    Role,
    /// Identities that a managed policy is attached to.
    Attachments,
    /// Identities whose permissions boundary a managed policy is.
    Boundaries,
    /// Versions of a managed policy beside its default one.
    OtherVersions,
    /// That it is the policy's default version.
    DefaultVersion,
    /// The user that an MFA device is enabled for.
    Owner,
}

impl fmt::Display for Dependent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AttachedPolicies => "attached policies",
            Self::InlinePolicies => "inline policies",
            Self::AccessKeys => "access keys",
            Self::LoginProfile => "a login profile",
            Self::MfaDevices => "MFA devices",
            Self::Groups => "groups that it belongs to",
            Self::Users => "users that belong to it",
            Self::InstanceProfiles => "instance profiles that hold it",
            Self::Role => "a role in it",
            Self::Attachments => "identities that it is attached to",
            Self::Boundaries => "identities whose permissions boundary it is",
            Self::OtherVersions => "other versions than the default one",
            Self::DefaultVersion => "its place as the default version",
            Self::Owner => "a user that it is enabled for",
        })
    }
}

/// Why an identity was not created, changed or deleted. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// What the call names does not exist.
    #[error("{0} does not exist")]
    NotFound(Entity),
    /// The name or identifier is taken.
    #[error("{0} already exists")]
    AlreadyExists(Entity),
    /// It cannot be deleted while something else is there: never empty, in the order of [`Dependent`].
    #[error("{entity} still has {}", list(remaining))]
    DeleteConflict {
        /// What was to be deleted.
        entity: Entity,
        /// What is still there.
        remaining: Vec<Dependent>,
    },
    /// A trust policy names a user or role of the account that does not exist.
    #[error("there is no principal {principal}")]
    PrincipalUnknown {
        /// As the policy names it.
        principal: String,
    },
    /// The password is no longer the one that the change was asked with.
    #[error("the password of {0} has been changed meanwhile")]
    PasswordChanged(UserName),
    /// There would be more than may be.
    #[error("there may be at most {max} {quota}")]
    LimitExceeded {
        /// Of what.
        quota: Quota,
        /// How many.
        max: u32,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn list(remaining: &[Dependent]) -> String {
    remaining.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_all_that_is_still_there() {
        let error = IdentityError::DeleteConflict {
            entity: Entity::User("alice".parse().unwrap()),
            remaining: vec![Dependent::AccessKeys, Dependent::Groups],
        };
        assert_eq!(error.to_string(), "user alice still has access keys, groups that it belongs to");
    }
}
