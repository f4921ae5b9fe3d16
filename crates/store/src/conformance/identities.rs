//! Rules of [`IdentityStore`](crate::IdentityStore).

use postern_ids::{AccessKeyId, PrincipalId, PrincipalKind};

use super::samples::at;
use crate::{AccessKey, Entity, IdentityError, KeyStatus, Role, Secret, Store, User};

fn user(name: &str, number: u8) -> User {
    User::new(name.parse().unwrap(), PrincipalId::from_random(PrincipalKind::User, [number; 17]), at(0))
}

pub(crate) async fn users_and_roles_are_found_by_name(a: &dyn Store, b: &dyn Store) {
    let alice = user("alice", 1);
    a.create_user(&alice).await.unwrap();
    assert_eq!(b.user(&alice.name).await.unwrap(), Some(alice.clone()));
    assert_eq!(b.user(&"bob".parse().unwrap()).await.unwrap(), None);
    for taken in [user("alice", 2), user("ALICE", 2), user("bob", 1)] {
        let refused = b.create_user(&taken).await;
        assert!(matches!(refused, Err(IdentityError::AlreadyExists(_))), "{taken:?}");
    }

    let id = PrincipalId::from_random(PrincipalKind::Role, [1; 17]);
    let role = Role::new("PosternNode".parse().unwrap(), id, "{}", at(0));
    a.create_role(&role).await.unwrap();
    assert_eq!(b.role(&role.name).await.unwrap(), Some(role.clone()));
    assert_eq!(b.role(&"Other".parse().unwrap()).await.unwrap(), None);
    assert!(matches!(b.create_role(&role).await, Err(IdentityError::AlreadyExists(_))));
}

pub(crate) async fn an_access_key_belongs_to_a_user(a: &dyn Store, b: &dyn Store) {
    let key = AccessKey {
        id: AccessKeyId::long_term([1; 16]),
        secret: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        user: "alice".parse().unwrap(),
        status: KeyStatus::Active,
        created_at: at(0),
        last_used: None,
    };
    assert!(matches!(a.create_access_key(&key).await, Err(IdentityError::NotFound(Entity::User(_)))));
    a.create_user(&user("alice", 1)).await.unwrap();
    a.create_access_key(&key).await.unwrap();
    assert_eq!(b.access_key(&key.id).await.unwrap(), Some(key.clone()));
    assert_eq!(b.access_key(&AccessKeyId::long_term([2; 16])).await.unwrap(), None);
    assert!(matches!(b.create_access_key(&key).await, Err(IdentityError::AlreadyExists(_))));
}
