//! Identities to store.

use postern_ids::{
    AccessKeyId, MfaSerial, PolicyArn, PolicyName, PrincipalId, PrincipalKind, RoleName, UserName,
};

use super::samples::at;
use crate::{
    AccessKey, Entity, Group, IdentityError, InlinePolicy, InstanceProfile, ManagedPolicy, NewMfaDevice,
    NewPolicy, PolicyHolder, Role, Secret, Store, User,
};

/// A document that nobody here reads.
pub(crate) const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

fn id(kind: PrincipalKind, name: &str) -> PrincipalId {
    let mut random = [0; 17];
    for (byte, letter) in random.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    PrincipalId::from_random(kind, random)
}

pub(crate) fn user_name(name: &str) -> UserName {
    name.parse().unwrap()
}

pub(crate) fn role_name(name: &str) -> RoleName {
    name.parse().unwrap()
}

pub(crate) fn user(name: &str) -> User {
    User::new(user_name(name), id(PrincipalKind::User, name), at(0))
}

pub(crate) fn group(name: &str) -> Group {
    let id = id(PrincipalKind::Group, name);
    Group { name: name.parse().unwrap(), id, path: "/".parse().unwrap(), created_at: at(0) }
}

pub(crate) fn role(name: &str) -> Role {
    Role::new(role_name(name), id(PrincipalKind::Role, name), DOCUMENT, at(0))
}

pub(crate) fn profile(name: &str) -> InstanceProfile {
    InstanceProfile {
        name: name.parse().unwrap(),
        id: id(PrincipalKind::InstanceProfile, name),
        path: "/".parse().unwrap(),
        created_at: at(0),
        role: None,
        tags: Vec::new(),
    }
}

/// The ARN of a policy of the account; `path_and_name` may be `/team/Name` or `Name`.
pub(crate) fn policy_arn(path_and_name: &str) -> PolicyArn {
    format!("arn:aws:iam::111122223333:policy/{}", path_and_name.trim_start_matches('/')).parse().unwrap()
}

pub(crate) fn aws_policy(name: &str) -> PolicyArn {
    PolicyArn::aws_managed(&name.parse().unwrap())
}

pub(crate) fn new_policy(path_and_name: &str) -> NewPolicy {
    let arn = policy_arn(path_and_name);
    NewPolicy {
        id: id(PrincipalKind::Policy, arn.name().as_str()),
        arn,
        description: Some("for the night shift".to_owned()),
        document: DOCUMENT.to_owned(),
        tags: Vec::new(),
        created_at: at(0),
    }
}

pub(crate) fn inline(name: &str, document: &str) -> InlinePolicy {
    InlinePolicy { name: name.parse().unwrap(), document: document.to_owned() }
}

pub(crate) fn policy_name(name: &str) -> PolicyName {
    name.parse().unwrap()
}

pub(crate) fn key(number: u8, user: &str) -> AccessKey {
    let secret = Secret::new(format!("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE{number:03}"));
    AccessKey::new(AccessKeyId::long_term([number; 16]), secret, user_name(user), at(i64::from(number)))
}

pub(crate) fn serial(name: &str) -> MfaSerial {
    format!("arn:aws:iam::111122223333:mfa/{name}").parse().unwrap()
}

pub(crate) fn mfa_device(name: &str) -> NewMfaDevice {
    let seed = Secret::new(format!("seed of {name}").into_bytes());
    NewMfaDevice { serial: serial(name), seed, created_at: at(0), tags: Vec::new() }
}

pub(crate) async fn create_user(store: &dyn Store, name: &str) -> User {
    let user = user(name);
    store.create_user(&user).await.unwrap();
    user
}

pub(crate) async fn create_group(store: &dyn Store, name: &str) -> Group {
    let group = group(name);
    store.create_group(&group).await.unwrap();
    group
}

pub(crate) async fn create_role(store: &dyn Store, name: &str) -> Role {
    let role = role(name);
    store.create_role(&role).await.unwrap();
    role
}

pub(crate) async fn create_policy(store: &dyn Store, path_and_name: &str) -> ManagedPolicy {
    store.create_policy(&new_policy(path_and_name)).await.unwrap()
}

/// A user, a group and a role, for rules that are the same for all three.
pub(crate) async fn create_holders(store: &dyn Store) -> [PolicyHolder; 3] {
    [
        PolicyHolder::User(create_user(store, "alice").await.name),
        PolicyHolder::Group(create_group(store, "admins").await.name),
        PolicyHolder::Role(create_role(store, "Night").await.name),
    ]
}

/// Asserts that `result` is a refusal of the form `$pattern`.
macro_rules! assert_refused {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {{
        let result = $result;
        assert!(matches!(&result, Err($pattern) $(if $guard)?), "{result:?}");
    }};
}
pub(crate) use assert_refused;

/// Asserts that `result` says that `entity` does not exist.
#[track_caller]
pub(crate) fn assert_not_found<T: std::fmt::Debug>(result: Result<T, IdentityError>, entity: Entity) {
    assert!(matches!(&result, Err(IdentityError::NotFound(missing)) if *missing == entity), "{result:?}");
}
