//! Rules of [`AccessKeyStore`](crate::AccessKeyStore).

use futures_util::future::join_all;
use postern_ids::AccessKeyId;

use super::identity_samples::*;
use super::samples::at;
use crate::{AccessKey, AccessKeyUse, Entity, IdentityError, KeyLastUsed, KeyStatus, Quota, Store};

pub(crate) async fn an_access_key_belongs_to_a_user(a: &dyn Store, b: &dyn Store) {
    let key = key(1, "ALICE");
    assert_not_found(a.create_access_key(&key).await, Entity::User(user_name("ALICE")));
    create_user(a, "alice").await;
    a.create_access_key(&key).await.unwrap();
    let stored = AccessKey { user: user_name("alice"), ..key.clone() };
    assert_eq!(b.access_key(&key.id).await.unwrap(), Some(stored.clone()), "it is spelled as the user is");
    assert_eq!(b.access_key(&AccessKeyId::long_term([2; 16])).await.unwrap(), None);
    assert_refused!(b.create_access_key(&key).await, IdentityError::AlreadyExists(Entity::AccessKey(_)));
    assert_eq!(b.access_keys(&user_name("Alice")).await.unwrap(), [stored]);
    assert_not_found(b.access_keys(&user_name("eve")).await, Entity::User(user_name("eve")));
}

pub(crate) async fn a_user_has_two_access_keys(a: &dyn Store, b: &dyn Store) {
    create_user(a, "alice").await;
    let keys: Vec<AccessKey> = (1..=8).map(|number| key(number, "alice")).collect();
    let created = join_all(keys.iter().enumerate().map(async |(index, key)| {
        let store = if index % 2 == 0 { a } else { b };
        store.create_access_key(key).await
    }))
    .await;
    assert_eq!(created.iter().filter(|created| created.is_ok()).count(), 2);
    for refused in created.into_iter().filter(Result::is_err) {
        assert_refused!(refused, IdentityError::LimitExceeded { quota: Quota::AccessKeysPerUser, max: 2 });
    }
    let kept = a.access_keys(&user_name("alice")).await.unwrap();
    assert_eq!(kept.len(), 2);
    a.delete_access_key(&user_name("alice"), &kept[0].id).await.unwrap();
    assert_eq!(b.access_key(&kept[0].id).await.unwrap(), None);
    a.create_access_key(&key(9, "alice")).await.unwrap();
}

pub(crate) async fn only_its_own_user_changes_a_key(a: &dyn Store, b: &dyn Store) {
    create_user(a, "alice").await;
    create_user(a, "bob").await;
    let key = key(1, "alice");
    a.create_access_key(&key).await.unwrap();
    let (alice, bob) = (user_name("alice"), user_name("bob"));
    let missing = || Entity::AccessKey(key.id.clone());
    assert_not_found(a.set_access_key_status(&bob, &key.id, KeyStatus::Inactive).await, missing());
    assert_not_found(a.delete_access_key(&bob, &key.id).await, missing());
    a.set_access_key_status(&alice, &key.id, KeyStatus::Inactive).await.unwrap();
    assert_eq!(b.access_key(&key.id).await.unwrap().unwrap().status, KeyStatus::Inactive);
    a.set_access_key_status(&alice, &key.id, KeyStatus::Active).await.unwrap();
    assert_eq!(b.access_key(&key.id).await.unwrap(), Some(key.clone()));
    a.delete_access_key(&alice, &key.id).await.unwrap();
    assert_not_found(b.delete_access_key(&alice, &key.id).await, missing());
}

pub(crate) async fn a_keys_newest_use_counts(a: &dyn Store, b: &dyn Store) {
    create_user(a, "alice").await;
    let keys = [key(1, "alice"), key(2, "alice")];
    for key in &keys {
        a.create_access_key(key).await.unwrap();
    }
    let used = |seconds, service: &str| KeyLastUsed {
        at: at(seconds),
        service: service.to_owned(),
        region: "home-lab".to_owned(),
    };
    let uses = [
        AccessKeyUse { id: keys[0].id.clone(), used: used(20, "ssm") },
        AccessKeyUse { id: keys[1].id.clone(), used: used(21, "sts") },
        AccessKeyUse { id: AccessKeyId::long_term([9; 16]), used: used(22, "iam") },
        AccessKeyUse { id: keys[0].id.clone(), used: used(19, "iam") },
    ];
    a.touch_access_keys(&uses).await.unwrap();
    let last = async |key: &AccessKey| b.access_key(&key.id).await.unwrap().unwrap().last_used;
    assert_eq!(last(&keys[0]).await, Some(used(20, "ssm")));
    assert_eq!(last(&keys[1]).await, Some(used(21, "sts")));
}
