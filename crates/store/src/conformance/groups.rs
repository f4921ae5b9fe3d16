//! Rules of [`GroupStore`](crate::GroupStore).

use super::identity_samples::*;
use crate::{Dependent, Entity, Group, IdentityError, NewName, Page, PolicyHolder, Quota, Store};

pub(crate) async fn a_group_is_found_renamed_and_listed(a: &dyn Store, b: &dyn Store) {
    let admins = create_group(a, "Admins").await;
    assert_eq!(b.group(&"ADMINS".parse().unwrap()).await.unwrap().as_ref(), Some(&admins));
    assert_refused!(b.create_group(&group("admins")).await, IdentityError::AlreadyExists(Entity::Group(_)));
    create_group(a, "zoo").await;
    let new = NewName { name: Some("Heroes".parse().unwrap()), path: Some("/x/".parse().unwrap()) };
    a.update_group(&admins.name, &new).await.unwrap();
    let heroes = Group { name: "Heroes".parse().unwrap(), path: "/x/".parse().unwrap(), ..admins.clone() };
    assert_eq!(
        b.groups("/x/", &Page::first(9)).await.unwrap().items.as_slice(),
        std::slice::from_ref(&heroes)
    );
    let page = b.groups("/", &Page::first(1)).await.unwrap();
    assert_eq!((page.items, page.next.clone()), (vec![heroes], Some("Heroes".parse().unwrap())));
    assert_eq!(b.groups("/", &Page { after: page.next, limit: 1 }).await.unwrap().items, [group("zoo")]);

    let taken = NewName { name: Some("ZOO".parse().unwrap()), path: None };
    assert_refused!(
        a.update_group(&"heroes".parse().unwrap(), &taken).await,
        IdentityError::AlreadyExists(Entity::Group(_))
    );
    assert_not_found(a.update_group(&admins.name, &taken).await, Entity::Group(admins.name.clone()));
    assert_eq!(a.group(&admins.name).await.unwrap(), None);
}

pub(crate) async fn users_come_and_go(a: &dyn Store, b: &dyn Store) {
    let (admins, readers) = (create_group(a, "admins").await, create_group(a, "readers").await);
    for name in ["carol", "Alice", "bob"] {
        create_user(a, name).await;
        a.add_user_to_group(&admins.name, &user_name(name)).await.unwrap();
    }
    let alice = user_name("alice");
    for _ in 0..2 {
        a.add_user_to_group(&readers.name, &alice).await.unwrap();
    }
    assert_eq!(b.groups_of_user(&alice).await.unwrap(), [admins.clone(), readers.clone()]);
    let page = b.group_members(&admins.name, &Page::first(2)).await.unwrap();
    assert_eq!(page.items, [user("Alice"), user("bob")]);
    let rest = b.group_members(&admins.name, &Page { after: page.next, limit: 2 }).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![user("carol")], None));

    a.remove_user_from_group(&admins.name, &alice).await.unwrap();
    assert_not_found(a.remove_user_from_group(&admins.name, &alice).await, Entity::User(alice.clone()));
    assert_eq!(b.groups_of_user(&alice).await.unwrap(), [readers]);

    let (nobody, nowhere) = (user_name("eve"), "none".parse().unwrap());
    assert_not_found(a.add_user_to_group(&admins.name, &nobody).await, Entity::User(nobody.clone()));
    assert_not_found(a.groups_of_user(&nobody).await, Entity::User(nobody));
    let missing = || Entity::Group("none".parse().unwrap());
    assert_not_found(a.add_user_to_group(&nowhere, &alice).await, missing());
    assert_not_found(a.remove_user_from_group(&nowhere, &alice).await, missing());
    assert_not_found(a.group_members(&nowhere, &Page::first(1)).await, missing());
}

pub(crate) async fn a_user_belongs_to_ten_groups(a: &dyn Store, b: &dyn Store) {
    let alice = create_user(a, "alice").await;
    for number in 0..11 {
        let group = create_group(a, &format!("group{number}")).await;
        let added = b.add_user_to_group(&group.name, &alice.name).await;
        if number < 10 {
            added.unwrap();
        } else {
            assert_refused!(added, IdentityError::LimitExceeded { quota: Quota::GroupsPerUser, max: 10 });
        }
    }
    assert_eq!(a.groups_of_user(&alice.name).await.unwrap().len(), 10);
}

pub(crate) async fn a_group_that_has_something_is_not_deleted(a: &dyn Store, b: &dyn Store) {
    let (admins, alice) = (create_group(a, "admins").await, create_user(a, "alice").await);
    let holder = PolicyHolder::Group(admins.name.clone());
    a.add_user_to_group(&admins.name, &alice.name).await.unwrap();
    a.attach_policy(&holder, &aws_policy("ReadOnlyAccess")).await.unwrap();
    a.put_inline_policy(&holder, &inline("One", DOCUMENT)).await.unwrap();
    assert_refused!(
        b.delete_group(&admins.name).await,
        IdentityError::DeleteConflict { entity: Entity::Group(_), remaining }
            if *remaining == [Dependent::AttachedPolicies, Dependent::InlinePolicies, Dependent::Users]
    );
    a.detach_policy(&holder, &aws_policy("ReadOnlyAccess")).await.unwrap();
    a.delete_inline_policy(&holder, &policy_name("One")).await.unwrap();
    a.remove_user_from_group(&admins.name, &alice.name).await.unwrap();
    b.delete_group(&admins.name).await.unwrap();
    assert_not_found(a.delete_group(&admins.name).await, Entity::Group(admins.name));
}
