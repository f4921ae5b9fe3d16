//! Identities as IAM has them: who there is, what each may prove itself with, and which policies apply to each.
//!
//! Names are unique within their kind whatever their case, and keep it. Names can change; rows refer to the unique
//! identifiers, which do not. Policy documents are kept as they were written: whoever stores one has parsed it.

mod access_key;
mod account;
mod authorization;
mod error;
mod federation;
mod group;
mod held_policy;
mod instance_profile;
mod managed_policy;
mod quota;
mod role;
mod sign_in;
mod tagging;
pub(crate) mod trust_policy;
mod user;

pub use access_key::{AccessKey, AccessKeyStore, AccessKeyUse, KeyLastUsed, KeyStatus};
pub use account::{AccountStore, Guardrail, IdentityCounts};
pub use authorization::{
    AttachedPolicy, AuthorizationStore, GroupPolicies, HeldPolicies, Principal, PrincipalName,
    PrincipalPolicies,
};
pub use error::{Dependent, Entity, IdentityError};
pub use federation::{OidcProvider, OidcStore, OidcUpdate};
pub use group::{Group, GroupStore};
pub use held_policy::{HeldPolicyStore, InlinePolicy, PolicyEntities, PolicyEntity, PolicyHolder, PolicyUse};
pub use instance_profile::{InstanceProfile, InstanceProfileStore};
pub use managed_policy::{
    ManagedPolicy, ManagedPolicyStore, NewPolicy, PolicyQuery, PolicyUsage, PolicyVersion, VersionRank,
};
pub use quota::{Quota, Quotas, policy_chars};
pub use role::{Role, RoleLastUsed, RoleStore, RoleUpdate, RoleUse};
pub use sign_in::{
    LoginProfile, LoginProfileUpdate, MfaCounter, MfaDevice, MfaFilter, NewMfaDevice, SignInStore,
};
pub use tagging::{IdentityTagStore, TaggedIdentity};
pub use user::{NewName, User, UserStore};
