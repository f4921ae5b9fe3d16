//! How much there may be of what.

use std::fmt;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quota {
    /// Users of the account.
    Users,
    /// Groups of the account.
    Groups,
    /// Roles of the account.
    Roles,
    /// Customer managed policies of the account.
    Policies,
    /// Instance profiles of the account.
    InstanceProfiles,
    /// OIDC providers of the account.
    OidcProviders,
    /// Groups that a user belongs to.
    GroupsPerUser,
    /// Access keys of a user.
    AccessKeysPerUser,
    /// MFA devices of a user.
    MfaDevicesPerUser,
    /// Managed policies attached to a user, group or role.
    AttachedPolicies,
    /// Versions of a managed policy.
    PolicyVersions,
    /// Tags of one thing.
    Tags,
    /// Characters of a managed policy.
    ManagedPolicyChars,
    /// Characters of all inline policies of a user.
    UserPolicyChars,
    /// Characters of all inline policies of a group.
    GroupPolicyChars,
    /// Characters of all inline policies of a role.
    RolePolicyChars,
    /// Characters of a role's trust policy.
    TrustPolicyChars,
    /// Roles in an instance profile.
    RolesPerInstanceProfile,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Roles => "roles",
            Self::Policies => "customer managed policies",
            Self::InstanceProfiles => "instance profiles",
            Self::OidcProviders => "OIDC providers",
            Self::GroupsPerUser => "groups of a user",
            Self::AccessKeysPerUser => "access keys of a user",
            Self::MfaDevicesPerUser => "MFA devices of a user",
            Self::AttachedPolicies => "attached policies",
            Self::PolicyVersions => "versions of a policy",
            Self::Tags => "tags",
            Self::ManagedPolicyChars => "characters in a managed policy",
            Self::UserPolicyChars => "characters in a user's inline policies",
            Self::GroupPolicyChars => "characters in a group's inline policies",
            Self::RolePolicyChars => "characters in a role's inline policies",
            Self::TrustPolicyChars => "characters in a trust policy",
            Self::RolesPerInstanceProfile => "roles in an instance profile",
        })
    }
}

/// The limits. The defaults are AWS's (IAM and STS quotas, IAM user guide), except that a trust policy may be as long
/// as AWS lets an account raise it to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained at the Quota of its name")]
pub struct Quotas {
    pub users: u32,
    pub groups: u32,
    pub roles: u32,
    pub policies: u32,
    pub instance_profiles: u32,
    pub oidc_providers: u32,
    pub groups_per_user: u32,
    pub access_keys_per_user: u32,
    pub mfa_devices_per_user: u32,
    pub attached_policies: u32,
    pub policy_versions: u32,
    pub tags: u32,
    pub managed_policy_chars: u32,
    pub user_policy_chars: u32,
    pub group_policy_chars: u32,
    pub role_policy_chars: u32,
    pub trust_policy_chars: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            users: 5000,
            groups: 300,
            roles: 1000,
            policies: 1500,
            instance_profiles: 1000,
            oidc_providers: 100,
            groups_per_user: 10,
            access_keys_per_user: 2,
            mfa_devices_per_user: 8,
            attached_policies: 10,
            policy_versions: 5,
            tags: 50,
            managed_policy_chars: 6144,
            user_policy_chars: 2048,
            group_policy_chars: 5120,
            role_policy_chars: 10_240,
            trust_policy_chars: 4096,
        }
    }
}

impl Quotas {
    /// How many of `quota` there may be.
    #[must_use]
    pub fn max(&self, quota: Quota) -> u32 {
        match quota {
            Quota::Users => self.users,
            Quota::Groups => self.groups,
            Quota::Roles => self.roles,
            Quota::Policies => self.policies,
            Quota::InstanceProfiles => self.instance_profiles,
            Quota::OidcProviders => self.oidc_providers,
            Quota::GroupsPerUser => self.groups_per_user,
            Quota::AccessKeysPerUser => self.access_keys_per_user,
            Quota::MfaDevicesPerUser => self.mfa_devices_per_user,
            Quota::AttachedPolicies => self.attached_policies,
            Quota::PolicyVersions => self.policy_versions,
            Quota::Tags => self.tags,
            Quota::ManagedPolicyChars => self.managed_policy_chars,
            Quota::UserPolicyChars => self.user_policy_chars,
            Quota::GroupPolicyChars => self.group_policy_chars,
            Quota::RolePolicyChars => self.role_policy_chars,
            Quota::TrustPolicyChars => self.trust_policy_chars,
            Quota::RolesPerInstanceProfile => 1,
        }
    }
}

/// The characters of a policy document as IAM counts them: all but white space.
#[must_use]
pub fn policy_chars(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(policy_chars(" { \"Ä\" :\n\t1 } "), 7);
    }
}
