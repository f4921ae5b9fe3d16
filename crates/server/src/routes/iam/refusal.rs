//! What the store refuses, in the words and codes of IAM: one place for all operations.

use postern_api::iam::errors::{
    DELETE_CONFLICT_EXCEPTION, ENTITY_ALREADY_EXISTS_EXCEPTION, INVALID_INPUT_EXCEPTION,
    LIMIT_EXCEEDED_EXCEPTION, MALFORMED_POLICY_DOCUMENT_EXCEPTION, NO_SUCH_ENTITY_EXCEPTION,
};
use postern_api::{ApiError, CommonError};
use postern_store::{Dependent, Entity, IdentityError, PolicyHolder, Quota};

use crate::routes::failure;

/// The answer to a call that the store refused.
pub(super) fn identity(error: IdentityError) -> ApiError {
    match error {
        IdentityError::NotFound(entity) => not_found(&entity),
        IdentityError::AlreadyExists(entity) => {
            ApiError::new(ENTITY_ALREADY_EXISTS_EXCEPTION, already_exists_text(&entity))
        }
        IdentityError::DeleteConflict { entity, remaining } => {
            ApiError::new(DELETE_CONFLICT_EXCEPTION, conflict_text(&entity, &remaining))
        }
        IdentityError::PrincipalUnknown { principal } => ApiError::new(
            MALFORMED_POLICY_DOCUMENT_EXCEPTION,
            format!("Invalid principal in policy: \"AWS\":\"{principal}\""),
        ),
        IdentityError::PasswordChanged(_) => wrong_old_password(),
        IdentityError::LimitExceeded { quota, max } => limit_exceeded(quota_text(quota, max)),
        IdentityError::Store(error) => failure::store(error),
    }
}

/// The same, where the texts name the kind of holder.
pub(super) fn held(holder: &PolicyHolder, error: IdentityError) -> ApiError {
    let (kind, name) = match holder {
        PolicyHolder::User(name) => ("user", name.as_str()),
        PolicyHolder::Group(name) => ("group", name.as_str()),
        PolicyHolder::Role(name) => ("role", name.as_str()),
    };
    match error {
        IdentityError::NotFound(Entity::InlinePolicy(policy)) => {
            no_such_entity(format!("The {kind} policy with name {policy} cannot be found."))
        }
        IdentityError::LimitExceeded { quota: Quota::AttachedPolicies, max } => {
            let kind = match holder {
                PolicyHolder::User(_) => "User",
                PolicyHolder::Group(_) => "Group",
                PolicyHolder::Role(_) => "Role",
            };
            limit_exceeded(format!("Cannot exceed quota for PoliciesPer{kind}: {max}"))
        }
        IdentityError::LimitExceeded {
            quota: Quota::UserPolicyChars | Quota::GroupPolicyChars | Quota::RolePolicyChars,
            max,
        } => limit_exceeded(format!("Maximum policy size of {max} bytes exceeded for {kind} {name}")),
        error => identity(error),
    }
}

/// `NoSuchEntity` for something that IAM names.
pub(super) fn not_found(entity: &Entity) -> ApiError {
    no_such_entity(not_found_text(entity))
}

/// `NoSuchEntity`.
pub(super) fn no_such_entity(message: impl Into<String>) -> ApiError {
    ApiError::new(NO_SUCH_ENTITY_EXCEPTION, message)
}

/// `InvalidInput`.
pub(super) fn invalid_input(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID_INPUT_EXCEPTION, message)
}

/// `ValidationError` of what the model's constraints do not say.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new(CommonError::Validation, message)
}

/// `AccessDenied` of whoever changes the password and gives a wrong old one.
pub(super) fn wrong_old_password() -> ApiError {
    ApiError::new(CommonError::AccessDenied, "The old password was incorrect.")
}

/// `LimitExceeded`.
pub(super) fn limit_exceeded(message: impl Into<String>) -> ApiError {
    ApiError::new(LIMIT_EXCEEDED_EXCEPTION, message)
}

fn not_found_text(entity: &Entity) -> String {
    match entity {
        Entity::User(name) => format!("The user with name {name} cannot be found."),
        Entity::Group(name) => format!("The group with name {name} cannot be found."),
        Entity::Role(name) => format!("The role with name {name} cannot be found."),
        Entity::Policy(arn) => format!("Policy {arn} does not exist or is not attachable."),
        Entity::PolicyVersion(arn, version) => {
            format!("Policy {arn} version {version} does not exist or is not attachable.")
        }
        Entity::Attachment(arn) => format!("Policy {arn} was not found."),
        Entity::InlinePolicy(name) => format!("The policy with name {name} cannot be found."),
        Entity::AccessKey(id) => format!("The Access Key with id {id} cannot be found."),
        Entity::LoginProfile(user) => format!("Login Profile for User {user} cannot be found."),
        Entity::MfaDevice(serial) => format!("VirtualMFADevice with serial number {serial} doesn't exist."),
        Entity::InstanceProfile(name) => format!("Instance Profile {name} cannot be found."),
        Entity::ProfileRole(role) => format!("The role {role} is not in this instance profile."),
        Entity::OidcProvider(issuer) => {
            format!("OpenIDConnect Provider not found for issuer https://{issuer}")
        }
        Entity::Guardrail(name) => format!("The guardrail {name} cannot be found."),
    }
}

fn already_exists_text(entity: &Entity) -> String {
    match entity {
        Entity::User(name) => format!("User with name {name} already exists."),
        Entity::Group(name) => format!("Group with name {name} already exists."),
        Entity::Role(name) => format!("Role with name {name} already exists."),
        Entity::Policy(arn) => {
            format!("A policy called {} already exists. Duplicate names are not allowed.", arn.name())
        }
        Entity::LoginProfile(user) => format!("Login Profile for user {user} already exists."),
        Entity::MfaDevice(serial) => format!("MFADevice {serial} already exists or is in use."),
        Entity::InstanceProfile(name) => format!("Instance Profile {name} already exists."),
        Entity::OidcProvider(issuer) => format!("Provider with url https://{issuer} already exists."),
        other => format!("It already exists: {other}."),
    }
}

/// The first thing that is in the way, as IAM tells it; whoever removes that hears of the next.
fn conflict_text(entity: &Entity, remaining: &[Dependent]) -> String {
    let Some(first) = remaining.first() else { return format!("Cannot delete {entity}.") };
    match first {
        Dependent::AttachedPolicies => "Cannot delete entity, must detach all policies first.",
        Dependent::InlinePolicies => "Cannot delete entity, must delete policies first.",
        Dependent::AccessKeys => "Cannot delete entity, must delete access keys first.",
        Dependent::LoginProfile => "Cannot delete entity, must delete login profile first.",
        Dependent::MfaDevices => "Cannot delete entity, must delete MFA device first.",
        Dependent::Groups | Dependent::Users => "Cannot delete entity, must remove users from group first.",
        Dependent::InstanceProfiles | Dependent::Role => {
            "Cannot delete entity, must remove roles from instance profile first."
        }
        Dependent::Attachments => "Cannot delete a policy attached to entities.",
        Dependent::Boundaries => "Cannot delete a policy that is a permissions boundary of entities.",
        Dependent::OtherVersions => {
            "This policy has more than one version. Before you delete a policy, you must delete the policy's \
             versions. The default version is deleted with the policy."
        }
        Dependent::DefaultVersion => "Cannot delete the default version of a policy.",
        Dependent::Owner => "MFA VirtualDevice in use. Must deactivate first.",
    }
    .to_owned()
}

fn quota_text(quota: Quota, max: u32) -> String {
    let name = match quota {
        Quota::Users => "UsersPerAccount",
        Quota::Groups => "GroupsPerAccount",
        Quota::Roles => "RolesPerAccount",
        Quota::Policies => "PoliciesPerAccount",
        Quota::InstanceProfiles => "InstanceProfilesPerAccount",
        Quota::OidcProviders => "OpenIdConnectProvidersPerAccount",
        Quota::GroupsPerUser => "GroupsPerUser",
        Quota::AccessKeysPerUser => "AccessKeysPerUser",
        Quota::MfaDevicesPerUser => "MFADevicesPerUser",
        Quota::AttachedPolicies => "PoliciesPerIdentity",
        Quota::PolicyVersions => {
            return format!(
                "A managed policy can have up to {max} versions. Before you create a new version, you must delete \
                 an existing version."
            );
        }
        Quota::Tags => return format!("The number of tags has reached the maximum limit of {max}."),
        Quota::ManagedPolicyChars => "PolicySize",
        Quota::UserPolicyChars => "InlinePolicySizePerUser",
        Quota::GroupPolicyChars => "InlinePolicySizePerGroup",
        Quota::RolePolicyChars => "InlinePolicySizePerRole",
        Quota::TrustPolicyChars => "ACLSizePerRole",
        Quota::RolesPerInstanceProfile => "InstanceSessionsPerInstanceProfile",
    };
    format!("Cannot exceed quota for {name}: {max}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: IdentityError) -> (String, String) {
        let error = identity(error);
        (error.code.name().to_owned(), error.message)
    }

    #[test]
    fn refusals_have_iams_codes() {
        let alice = || Entity::User("alice".parse().unwrap());
        let cases = [
            (IdentityError::NotFound(alice()), "NoSuchEntity", "The user with name alice cannot be found."),
            (
                IdentityError::AlreadyExists(alice()),
                "EntityAlreadyExists",
                "User with name alice already exists.",
            ),
            (
                IdentityError::DeleteConflict {
                    entity: alice(),
                    remaining: vec![Dependent::AccessKeys, Dependent::Groups],
                },
                "DeleteConflict",
                "Cannot delete entity, must delete access keys first.",
            ),
            (
                IdentityError::PrincipalUnknown { principal: "arn:aws:iam::111122223333:user/eve".into() },
                "MalformedPolicyDocument",
                "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/eve\"",
            ),
            (
                IdentityError::PasswordChanged("alice".parse().unwrap()),
                "AccessDeniedException",
                "The old password was incorrect.",
            ),
            (
                IdentityError::LimitExceeded { quota: Quota::AccessKeysPerUser, max: 2 },
                "LimitExceeded",
                "Cannot exceed quota for AccessKeysPerUser: 2",
            ),
        ];
        for (error, code, message) in cases {
            assert_eq!(told(error), (code.to_owned(), message.to_owned()));
        }
    }

    #[test]
    fn texts_about_held_policies_name_the_holder() {
        let role = PolicyHolder::Role("Nodes".parse().unwrap());
        let text = |error| held(&role, error).message;
        assert_eq!(
            text(IdentityError::NotFound(Entity::InlinePolicy("p".parse().unwrap()))),
            "The role policy with name p cannot be found."
        );
        assert_eq!(
            text(IdentityError::LimitExceeded { quota: Quota::AttachedPolicies, max: 10 }),
            "Cannot exceed quota for PoliciesPerRole: 10"
        );
        assert_eq!(
            text(IdentityError::LimitExceeded { quota: Quota::RolePolicyChars, max: 10_240 }),
            "Maximum policy size of 10240 bytes exceeded for role Nodes"
        );
    }
}
