//! Rules of [`RoleStore`](crate::RoleStore).

use jiff::SignedDuration;

use super::identity_samples::*;
use super::samples::at;
use super::tags::tag;
use crate::{
    Dependent, Entity, IdentityError, Page, PolicyHolder, Quota, Role, RoleLastUsed, RoleUpdate, RoleUse,
    Store,
};

pub(crate) async fn a_role_is_created_with_all_that_it_says(a: &dyn Store, b: &dyn Store) {
    let night = Role {
        path: "/ops/".parse().unwrap(),
        description: Some("the night shift".to_owned()),
        trust_policy: r#"{ "Version": "2012-10-17", "Statement": [] }"#.to_owned(),
        session_duration_max: SignedDuration::from_hours(12),
        boundary: Some(aws_policy("ReadOnlyAccess")),
        tags: vec![tag("Team", "web")],
        ..role("Night")
    };
    a.create_role(&night).await.unwrap();
    assert_eq!(b.role(&role_name("NIGHT")).await.unwrap().as_ref(), Some(&night));
    assert_eq!(b.role_by_id(&night.id).await.unwrap().as_ref(), Some(&night));
    assert_eq!(b.role(&role_name("Day")).await.unwrap(), None);
    assert_refused!(b.create_role(&role("night")).await, IdentityError::AlreadyExists(Entity::Role(_)));
    let day = create_role(a, "Day").await;
    assert_eq!(day.session_duration_max, SignedDuration::from_hours(1));
    assert_eq!(b.roles("/", &Page::first(9)).await.unwrap().items, [day, night.clone()]);
    assert_eq!(b.roles("/ops/", &Page::first(9)).await.unwrap().items, [night]);

    let boundary = policy_arn("Missing");
    let bounded = Role { boundary: Some(boundary.clone()), ..role("Dusk") };
    assert_not_found(a.create_role(&bounded).await, Entity::Policy(boundary));
    let trusting = Role { trust_policy: "x".repeat(4097), ..role("Dusk") };
    assert_refused!(
        a.create_role(&trusting).await,
        IdentityError::LimitExceeded { quota: Quota::TrustPolicyChars, max: 4096 }
    );
    assert_eq!(b.role(&role_name("Dusk")).await.unwrap(), None);
}

pub(crate) async fn a_role_changes_only_as_told(a: &dyn Store, b: &dyn Store) {
    let night = create_role(a, "Night").await;
    let update = RoleUpdate { description: Some("dark".to_owned()), ..RoleUpdate::default() };
    let described = a.update_role(&night.name, &update).await.unwrap();
    assert_eq!(described, Role { description: Some("dark".to_owned()), ..night.clone() });
    let update = RoleUpdate {
        session_duration_max: Some(SignedDuration::from_hours(2)),
        trust_policy: Some("{}".to_owned()),
        ..RoleUpdate::default()
    };
    a.update_role(&night.name, &update).await.unwrap();
    let expected = Role {
        session_duration_max: SignedDuration::from_hours(2),
        trust_policy: "{}".to_owned(),
        ..described
    };
    assert_eq!(b.role(&night.name).await.unwrap(), Some(expected.clone()));
    let update = RoleUpdate { description: Some(String::new()), ..RoleUpdate::default() };
    assert_eq!(a.update_role(&night.name, &update).await.unwrap(), Role { description: None, ..expected });

    let long = RoleUpdate { trust_policy: Some("x".repeat(4097)), ..RoleUpdate::default() };
    assert_refused!(a.update_role(&night.name, &long).await, IdentityError::LimitExceeded { .. });
    let missing = role_name("Day");
    assert_not_found(a.update_role(&missing, &update).await, Entity::Role(missing));
}

pub(crate) async fn a_roles_newest_use_counts(a: &dyn Store, b: &dyn Store) {
    let night = create_role(a, "Night").await;
    let used = |seconds, region: &str| RoleLastUsed { at: at(seconds), region: region.parse().unwrap() };
    let use_of = |name: &str, used| RoleUse { role: role_name(name), used };
    let uses = [
        use_of("Night", used(20, "eu-west-1")),
        use_of("Nobody", used(20, "eu-west-1")),
        use_of("night", used(10, "home-lab")),
    ];
    a.touch_roles(&uses).await.unwrap();
    a.touch_roles(&[]).await.unwrap();
    assert_eq!(b.role(&night.name).await.unwrap().unwrap().last_used, Some(used(20, "eu-west-1")));
}

pub(crate) async fn a_role_that_has_something_is_not_deleted(a: &dyn Store, b: &dyn Store) {
    let night = create_role(a, "Night").await;
    let holder = PolicyHolder::Role(night.name.clone());
    a.attach_policy(&holder, &aws_policy("ReadOnlyAccess")).await.unwrap();
    a.put_inline_policy(&holder, &inline("One", DOCUMENT)).await.unwrap();
    let web = profile("web");
    a.create_instance_profile(&web).await.unwrap();
    a.add_role_to_instance_profile(&web.name, &night.name).await.unwrap();
    let all = [Dependent::AttachedPolicies, Dependent::InlinePolicies, Dependent::InstanceProfiles];
    assert_refused!(
        b.delete_role(&night.name).await,
        IdentityError::DeleteConflict { entity: Entity::Role(_), remaining } if *remaining == all
    );
    a.detach_policy(&holder, &aws_policy("ReadOnlyAccess")).await.unwrap();
    a.delete_inline_policy(&holder, &policy_name("One")).await.unwrap();
    a.remove_role_from_instance_profile(&web.name, &night.name).await.unwrap();
    b.delete_role(&night.name).await.unwrap();
    assert_not_found(a.delete_role(&night.name).await, Entity::Role(night.name));
}
