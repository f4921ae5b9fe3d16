//! Rules of [`InstanceProfileStore`](crate::InstanceProfileStore).

use super::identity_samples::*;
use super::tags::tag;
use crate::{Dependent, Entity, IdentityError, InstanceProfile, Page, Quota, Store};

pub(crate) async fn a_profile_is_created_and_listed(a: &dyn Store, b: &dyn Store) {
    let night = create_role(a, "Night").await;
    let web = InstanceProfile {
        path: "/ops/".parse().unwrap(),
        role: Some(night.name.clone()),
        tags: vec![tag("a", "1")],
        ..profile("web")
    };
    a.create_instance_profile(&web).await.unwrap();
    assert_eq!(b.instance_profile(&"WEB".parse().unwrap()).await.unwrap().as_ref(), Some(&web));
    assert_refused!(
        a.create_instance_profile(&profile("Web")).await,
        IdentityError::AlreadyExists(Entity::InstanceProfile(_))
    );
    let wrong = InstanceProfile { role: Some(role_name("None")), ..profile("db") };
    assert_not_found(a.create_instance_profile(&wrong).await, Entity::Role(role_name("None")));
    a.create_instance_profile(&profile("db")).await.unwrap();
    let page = b.instance_profiles("/", &Page::first(1)).await.unwrap();
    assert_eq!((page.items, page.next.clone()), (vec![profile("db")], Some("db".parse().unwrap())));
    let rest = b.instance_profiles("/", &Page { after: page.next, limit: 1 }).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.next), (std::slice::from_ref(&web), None));
    assert_eq!(
        b.instance_profiles("/ops/", &Page::first(9)).await.unwrap().items.as_slice(),
        std::slice::from_ref(&web)
    );
    assert_eq!(b.instance_profiles_of_role(&night.name).await.unwrap(), [web]);
    assert_not_found(b.instance_profiles_of_role(&role_name("None")).await, Entity::Role(role_name("None")));
}

pub(crate) async fn a_profile_holds_one_role(a: &dyn Store, b: &dyn Store) {
    let (night, day) = (create_role(a, "Night").await.name, create_role(a, "Day").await.name);
    let web = profile("web");
    a.create_instance_profile(&web).await.unwrap();
    a.add_role_to_instance_profile(&web.name, &night).await.unwrap();
    for role in [&night, &day] {
        assert_refused!(
            b.add_role_to_instance_profile(&web.name, role).await,
            IdentityError::LimitExceeded { quota: Quota::RolesPerInstanceProfile, max: 1 }
        );
    }
    assert_eq!(b.instance_profile(&web.name).await.unwrap().unwrap().role, Some(night.clone()));
    let removed = a.remove_role_from_instance_profile(&web.name, &day).await;
    assert_not_found(removed, Entity::ProfileRole(day.clone()));
    assert_refused!(
        b.delete_instance_profile(&web.name).await,
        IdentityError::DeleteConflict { remaining, .. } if *remaining == [Dependent::Role]
    );
    a.remove_role_from_instance_profile(&web.name, &night).await.unwrap();
    a.add_role_to_instance_profile(&web.name, &day).await.unwrap();
    a.remove_role_from_instance_profile(&web.name, &day).await.unwrap();
    b.delete_instance_profile(&web.name).await.unwrap();
    let gone = || Entity::InstanceProfile(web.name.clone());
    assert_not_found(a.delete_instance_profile(&web.name).await, gone());
    assert_not_found(a.add_role_to_instance_profile(&web.name, &day).await, gone());
    assert_not_found(a.remove_role_from_instance_profile(&web.name, &day).await, gone());
}
