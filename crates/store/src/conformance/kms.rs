//! Rules of [`KmsStore`](crate::KmsStore).

use futures_util::future::join_all;
use postern_ids::{KmsAlias, KmsKeyId};

use super::identity_samples::*;
use super::samples::at;
use super::tags::tag;
use crate::{
    KmsAliasError, KmsKey, KmsKeyState, KmsMaterial, KmsMaterialName, KmsMaterialOrigin, KmsPolicyError,
    KmsRotation, KmsTagError, NewName, Page, Secret, Store,
};

fn name(version: u32) -> KmsMaterialName {
    KmsMaterialName { version, name: format!("{version:064x}") }
}

fn material(version: u32) -> KmsMaterial {
    KmsMaterial {
        name: name(version),
        origin: if version == 1 { KmsMaterialOrigin::Created } else { KmsMaterialOrigin::OnDemand },
        content: Secret::new(format!("material {version}").into_bytes()),
        created_at: at(i64::from(version)),
    }
}

fn key(number: u8) -> KmsKey {
    KmsKey {
        id: KmsKeyId::from_bytes([number; 16]),
        description: format!("key {number}"),
        policy: DOCUMENT.to_owned(),
        state: KmsKeyState::Enabled,
        rotation: None,
        created_at: at(0),
        tags: vec![tag("a", "1")],
        aliases: Vec::new(),
        current: name(1),
    }
}

fn alias(name: &str) -> KmsAlias {
    format!("alias/{name}").parse().unwrap()
}

fn waiting(seconds: i64) -> KmsKeyState {
    KmsKeyState::PendingDeletion { at: at(seconds), days: 7 }
}

async fn found(store: &dyn Store, number: u8) -> Option<KmsKey> {
    store.kms_key(&KmsKeyId::from_bytes([number; 16])).await.unwrap()
}

pub(crate) async fn a_key_is_found_described_and_listed(a: &dyn Store, b: &dyn Store) {
    for number in [3, 1, 2] {
        a.create_kms_key(&key(number), &material(1)).await.unwrap();
    }
    let mut one = key(1);
    assert_eq!(found(b, 1).await.as_ref(), Some(&one));
    assert_eq!(found(b, 9).await, None);
    assert!(b.describe_kms_key(&one.id, "other words").await.unwrap());
    assert!(!b.describe_kms_key(&key(9).id, "other words").await.unwrap());
    one.description = "other words".to_owned();
    assert_eq!(found(a, 1).await, Some(one));
    let first = a.kms_keys(&Page::first(2)).await.unwrap();
    assert_eq!(first.items, [key(1).id, key(2).id]);
    let rest = a.kms_keys(&Page { after: first.next, limit: 2 }).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![key(3).id], None));
}

pub(crate) async fn a_backing_key_is_added_and_the_older_ones_stay(a: &dyn Store, b: &dyn Store) {
    let id = key(1).id;
    a.create_kms_key(&key(1), &material(1)).await.unwrap();
    let rotation = KmsRotation { days: 90, at: at(100) };
    assert!(a.set_kms_key_rotation(&id, Some(rotation)).await.unwrap());
    let attempts = [a, b, a, b].map(async |store| {
        let second = material(2);
        store.rotate_kms_key(&id, &second, Some(at(200))).await.unwrap()
    });
    assert_eq!(join_all(attempts).await.into_iter().filter(|rotated| *rotated).count(), 1);
    assert!(!b.rotate_kms_key(&id, &material(4), None).await.unwrap(), "three comes first");
    let rotated = found(b, 1).await.unwrap();
    assert_eq!(rotated.current, name(2));
    assert_eq!(rotated.rotation, Some(KmsRotation { days: 90, at: at(200) }));
    assert_eq!(b.kms_material(&id, 1).await.unwrap(), Some(material(1)));
    assert_eq!(b.kms_material(&id, 2).await.unwrap(), Some(material(2)));
    assert_eq!(b.kms_material(&id, 3).await.unwrap(), None);
    assert_eq!(b.kms_material(&key(9).id, 1).await.unwrap(), None);
    assert_eq!(b.kms_materials(&id).await.unwrap(), [material(1), material(2)]);
}

pub(crate) async fn a_key_goes_through_its_states(a: &dyn Store, b: &dyn Store) {
    let id = key(1).id;
    a.create_kms_key(&key(1), &material(1)).await.unwrap();
    a.create_kms_alias(&alias("one"), &id, at(1)).await.unwrap();
    let steps = [
        (KmsKeyState::Enabled, KmsKeyState::Disabled),
        (KmsKeyState::Disabled, waiting(100)),
        (waiting(100), KmsKeyState::Disabled),
        (KmsKeyState::Disabled, KmsKeyState::Enabled),
        (KmsKeyState::Enabled, waiting(200)),
    ];
    for (from, to) in steps {
        assert!(a.change_kms_key_state(&id, from, to).await.unwrap());
        assert!(!b.change_kms_key_state(&id, from, to).await.unwrap(), "it is in another state");
        assert_eq!(found(b, 1).await.unwrap().state, to);
    }
    assert!(!b.delete_kms_key(&id, at(199)).await.unwrap(), "it is too early");
    assert_eq!(a.kms_keys_due(at(199), 9).await.unwrap(), []);
    assert_eq!(a.kms_keys_due(at(200), 9).await.unwrap().len(), 1);
    assert!(b.delete_kms_key(&id, at(200)).await.unwrap());
    assert!(!b.delete_kms_key(&id, at(200)).await.unwrap());
    assert_eq!(found(a, 1).await, None);
    assert_eq!(a.kms_material(&id, 1).await.unwrap(), None);
    assert_eq!(a.kms_key_of(&alias("one")).await.unwrap(), None);
}

pub(crate) async fn keys_are_due_in_their_time(a: &dyn Store, b: &dyn Store) {
    for number in [1, 2, 3] {
        a.create_kms_key(&key(number), &material(1)).await.unwrap();
    }
    for number in [1, 2] {
        let rotation = KmsRotation { days: 90, at: at(100) };
        a.set_kms_key_rotation(&key(number).id, Some(rotation)).await.unwrap();
    }
    a.change_kms_key_state(&key(2).id, KmsKeyState::Enabled, KmsKeyState::Disabled).await.unwrap();
    a.change_kms_key_state(&key(3).id, KmsKeyState::Enabled, waiting(150)).await.unwrap();
    let due = async |seconds| {
        let keys = b.kms_keys_due(at(seconds), 9).await.unwrap();
        keys.into_iter().map(|key| key.id.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert!(due(99).await.is_empty());
    assert_eq!(due(100).await, [1], "a disabled key is not rotated");
    assert_eq!(due(150).await, [1, 3]);
    a.set_kms_key_rotation(&key(1).id, None).await.unwrap();
    assert_eq!(due(150).await, [3]);
}

pub(crate) async fn an_alias_stands_for_one_key(a: &dyn Store, b: &dyn Store) {
    for number in [1, 2] {
        a.create_kms_key(&key(number), &material(1)).await.unwrap();
    }
    let (one, two) = (key(1).id, key(2).id);
    for name in ["b", "a", "c"] {
        a.create_kms_alias(&alias(name), &one, at(1)).await.unwrap();
    }
    let taken = b.create_kms_alias(&alias("a"), &two, at(2)).await;
    assert!(matches!(taken, Err(KmsAliasError::AlreadyExists)), "{taken:?}");
    let unknown = b.create_kms_alias(&alias("d"), &key(9).id, at(2)).await;
    assert!(matches!(unknown, Err(KmsAliasError::KeyUnknown)), "{unknown:?}");
    assert_eq!(found(b, 1).await.unwrap().aliases, [alias("a"), alias("b"), alias("c")]);
    b.update_kms_alias(&alias("b"), &two, at(3)).await.unwrap();
    let absent = b.update_kms_alias(&alias("d"), &two, at(3)).await;
    assert!(matches!(absent, Err(KmsAliasError::AliasUnknown)), "{absent:?}");
    assert_eq!(a.kms_key_of(&alias("b")).await.unwrap().map(|key| key.id), Some(two));
    let record = a.kms_alias(&alias("b")).await.unwrap().unwrap();
    assert_eq!((record.key, record.created_at, record.updated_at), (two, at(1), at(3)));
    let names = async |key: Option<&KmsKeyId>, after: Option<&str>, limit| {
        let page = Page { after: after.map(alias), limit };
        let page = a.kms_aliases(key, &page).await.unwrap();
        let names: String =
            page.items.iter().map(|found| found.name.as_str().replace("alias/", "")).collect();
        (names, page.next.is_some())
    };
    assert_eq!(names(None, None, 2).await, ("ab".to_owned(), true));
    assert_eq!(names(None, Some("b"), 2).await, ("c".to_owned(), false));
    assert_eq!(names(Some(&one), None, 9).await, ("ac".to_owned(), false));
    assert!(b.delete_kms_alias(&alias("a")).await.unwrap());
    assert!(!b.delete_kms_alias(&alias("a")).await.unwrap());
    assert!(found(a, 1).await.is_some(), "its key stays");
}

pub(crate) async fn a_key_is_tagged_and_untagged(a: &dyn Store, b: &dyn Store) {
    let id = key(1).id;
    a.create_kms_key(&key(1), &material(1)).await.unwrap();
    a.tag_kms_key(&id, &[tag("a", "2"), tag("b", "3")], 2).await.unwrap();
    let many = a.tag_kms_key(&id, &[tag("c", "4")], 2).await;
    assert!(matches!(many, Err(KmsTagError::TooMany { limit: 2 })), "{many:?}");
    assert_eq!(found(b, 1).await.unwrap().tags, [tag("a", "2"), tag("b", "3")]);
    assert!(b.untag_kms_key(&id, &["a".to_owned(), "x".to_owned()]).await.unwrap());
    assert!(!b.untag_kms_key(&key(9).id, &["a".to_owned()]).await.unwrap());
    assert_eq!(found(b, 1).await.unwrap().tags, [tag("b", "3")]);
}

pub(crate) async fn key_policies_follow_whom_they_name(a: &dyn Store, b: &dyn Store) {
    let policy = |principal: &str| {
        let statement = serde_json::json!({
            "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"
        });
        serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let alice = create_user(a, "alice").await;
    let (arn, eve) = ("arn:aws:iam::000000000000:user/alice", "arn:aws:iam::000000000000:user/eve");
    let is_unknown = |refused| matches!(refused, Err(KmsPolicyError::PrincipalUnknown { .. }));
    assert!(is_unknown(a.create_kms_key(&KmsKey { policy: policy(eve), ..key(1) }, &material(1)).await));
    assert_eq!(found(b, 1).await, None);
    a.create_kms_key(&key(1), &material(1)).await.unwrap();
    b.put_kms_key_policy(&key(1).id, &policy(arn)).await.unwrap();
    assert!(is_unknown(b.put_kms_key_policy(&key(1).id, &policy(eve)).await));
    let unknown = b.put_kms_key_policy(&key(9).id, &policy(arn)).await;
    assert!(matches!(unknown, Err(KmsPolicyError::KeyUnknown)), "{unknown:?}");
    let renamed = NewName { name: Some(user_name("alicia")), path: None };
    a.update_user(&alice.name, &renamed).await.unwrap();
    let of_alicia = policy("arn:aws:iam::000000000000:user/alicia");
    assert_eq!(found(b, 1).await.unwrap().policy, of_alicia);
    a.delete_user(&user_name("alicia")).await.unwrap();
    create_user(a, "alicia").await;
    assert_eq!(found(b, 1).await.unwrap().policy, policy(alice.id.as_str()), "a new user inherits nothing");
}
