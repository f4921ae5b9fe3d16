//! The first user and its access key, and the role that nodes get.

use jiff::Timestamp;
use postern_ids::{AccessKeyId, PolicyArn, PrincipalId, PrincipalKind, RoleName, UserName};
use postern_store::{AccessKey, IdentityError, PolicyHolder, Role, Store, StoreError, User};

use crate::random::{Random, secret_access_key};

/// The user that the first start creates.
pub(crate) const ADMINISTRATOR: &str = "admin";
/// The role that stands ready for activations.
const NODE_ROLE: &str = "PosternNode";
/// What the administrator may: everything.
const ADMINISTRATOR_POLICY: &str = "AdministratorAccess";
/// What nodes may: what an agent needs.
const NODE_POLICY: &str = "AmazonSSMManagedInstanceCore";
/// Who may assume the role of nodes: the service that hands it to them.
const NODE_TRUST_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
/// Where the identifier of the administrator's first key is remembered until the first start is over.
const KEY_ID_SETTING: &str = "bootstrap.access-key-id";
/// Present once the files with that key were written.
const FINISHED_SETTING: &str = "bootstrap.finished";

/// Why there is no administrator.
#[derive(Debug, thiserror::Error)]
pub enum AdministratorError {
    /// A user, key or role was not created.
    #[error("cannot create the administrator or the role of nodes")]
    Create(#[from] IdentityError),
    /// Storage failed.
    #[error("cannot look up the administrator")]
    Store(#[from] StoreError),
}

/// Creates what is missing of the administrator and of the node role. The key is given only until
/// [`finish`] was called: later it is nobody's business.
pub(super) async fn prepare(
    store: &dyn Store,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Option<AccessKey>, AdministratorError> {
    // Later they are the administrator's: what was deleted or detached stays so.
    if store.setting(FINISHED_SETTING).await?.is_some() {
        return Ok(None);
    }
    prepare_role(store, now, random).await?;
    let name: UserName = ADMINISTRATOR.parse().expect("a valid user name");
    if store.user(&name).await?.is_none() {
        let id = PrincipalId::from_random(PrincipalKind::User, random.bytes());
        store.create_user(&User::new(name.clone(), id, now)).await?;
    }
    attach(store, PolicyHolder::User(name.clone()), ADMINISTRATOR_POLICY).await?;
    if let Some(key) = interrupted_key(store).await? {
        return Ok(Some(key));
    }
    let key = AccessKey::new(AccessKeyId::long_term(random.bytes()), secret_access_key(random), name, now);
    // The identifier first, so that a crash in between leaves no key that nobody knows.
    store.put_setting(KEY_ID_SETTING, key.id.as_str().as_bytes()).await?;
    store.create_access_key(&key).await?;
    Ok(Some(key))
}

/// Remembers that the administrator's files are written.
pub(super) async fn finish(store: &dyn Store) -> Result<(), StoreError> {
    store.put_setting(FINISHED_SETTING, b"1").await
}

/// The key of a first start that did not come to its end.
async fn interrupted_key(store: &dyn Store) -> Result<Option<AccessKey>, StoreError> {
    let Some(id) = store.setting(KEY_ID_SETTING).await? else { return Ok(None) };
    match std::str::from_utf8(&id).ok().and_then(|id| id.parse().ok()) {
        Some(id) => store.access_key(&id).await,
        None => Ok(None),
    }
}

async fn prepare_role(
    store: &dyn Store,
    now: Timestamp,
    random: &dyn Random,
) -> Result<(), AdministratorError> {
    let name: RoleName = NODE_ROLE.parse().expect("a valid role name");
    if store.role(&name).await?.is_none() {
        let id = PrincipalId::from_random(PrincipalKind::Role, random.bytes());
        store.create_role(&Role::new(name.clone(), id, NODE_TRUST_POLICY, now)).await?;
    }
    attach(store, PolicyHolder::Role(name), NODE_POLICY).await?;
    Ok(())
}

/// Attaches a policy that every account has.
async fn attach(store: &dyn Store, holder: PolicyHolder, policy: &str) -> Result<(), IdentityError> {
    let policy = PolicyArn::aws_managed(&policy.parse().expect("a valid policy name"));
    store.attach_policy(&holder, &policy).await
}

#[cfg(test)]
mod tests {
    use postern_store::{
        HeldPolicyStore as _, MasterKey, RoleStore as _, SettingStore as _, SqliteOptions, SqliteStore,
    };

    use super::*;
    use crate::random::SystemRandom;

    #[tokio::test]
    async fn an_interrupted_first_start_finds_its_key_again() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("postern.db"));
        let store = SqliteStore::open(&options, MasterKey::new([7; 32])).await.unwrap();
        let now = "2026-11-25T00:00:00Z".parse().unwrap();
        let prepared = async || prepare(&store, now, &SystemRandom).await.unwrap();

        let first = prepared().await.unwrap();
        assert_eq!(first.secret.expose_secret().len(), 40);
        assert_eq!(prepared().await.as_ref(), Some(&first), "the files were not written yet");
        // A crash between remembering the identifier and creating the key.
        store.put_setting(KEY_ID_SETTING, b"AKIAAAAAAAAAAAAAAAAA").await.unwrap();
        let second = prepared().await.unwrap();
        assert_ne!(second.id, first.id);

        finish(&store).await.unwrap();
        assert_eq!(prepared().await, None);
    }

    #[tokio::test]
    async fn the_first_start_gives_each_its_policy_and_later_ones_do_not() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("postern.db"));
        let store = SqliteStore::open(&options, MasterKey::new([7; 32])).await.unwrap();
        let now = "2026-11-25T00:00:00Z".parse().unwrap();
        prepare(&store, now, &SystemRandom).await.unwrap();
        finish(&store).await.unwrap();

        let role: RoleName = NODE_ROLE.parse().unwrap();
        assert_eq!(store.role(&role).await.unwrap().unwrap().trust_policy, NODE_TRUST_POLICY);
        let holders = [PolicyHolder::User(ADMINISTRATOR.parse().unwrap()), PolicyHolder::Role(role.clone())];
        for (holder, policy) in holders.iter().zip([ADMINISTRATOR_POLICY, NODE_POLICY]) {
            let attached = store.attached_policies(holder).await.unwrap();
            assert_eq!(attached, [PolicyArn::aws_managed(&policy.parse().unwrap())], "{holder}");
            store.detach_policy(holder, &attached[0]).await.unwrap();
        }
        store.delete_role(&role).await.unwrap();
        prepare(&store, now, &SystemRandom).await.unwrap();
        assert_eq!(store.role(&role).await.unwrap(), None);
        assert_eq!(store.attached_policies(&holders[0]).await.unwrap(), []);
    }
}
