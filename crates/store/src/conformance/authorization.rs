//! Rules of [`AuthorizationStore`](crate::AuthorizationStore).

use postern_ids::PolicyVersionId;

use super::identity_samples::*;
use super::samples::{at, register};
use super::tags::tag;
use crate::{
    AttachedPolicy, GroupPolicies, Guardrail, HeldPolicies, KeyStatus, LoginProfile, LoginProfileUpdate,
    MfaCounter, NewName, PolicyHolder, Principal, PrincipalName, ResourceKey, Role, RoleUpdate, Secret,
    Store, TaggedIdentity, User, VersionRank,
};

pub(crate) async fn a_users_policies_come_with_its_groups(a: &dyn Store, b: &dyn Store) {
    let own = create_policy(a, "Own").await.arn;
    let version = a.create_policy_version(&own, "second", VersionRank::Default, at(1)).await.unwrap();
    a.create_policy_version(&own, "third", VersionRank::Other, at(2)).await.unwrap();
    let alice = User { boundary: Some(own.clone()), tags: vec![tag("team", "web")], ..user("alice") };
    a.create_user(&alice).await.unwrap();
    let (zoo, admins) = (create_group(a, "zoo").await, create_group(a, "Admins").await);
    let amazon = aws_policy("ReadOnlyAccess");
    let [user, first, last] = [
        PolicyHolder::User(alice.name.clone()),
        PolicyHolder::Group(admins.name.clone()),
        PolicyHolder::Group(zoo.name.clone()),
    ];
    for group in [&zoo, &admins] {
        a.add_user_to_group(&group.name, &alice.name).await.unwrap();
    }
    a.put_inline_policy(&user, &inline("two", "2")).await.unwrap();
    a.put_inline_policy(&user, &inline("One", "1")).await.unwrap();
    a.attach_policy(&user, &amazon).await.unwrap();
    a.attach_policy(&user, &own).await.unwrap();
    a.put_inline_policy(&first, &inline("Group", "3")).await.unwrap();
    a.attach_policy(&first, &own).await.unwrap();
    let strangers = create_group(a, "strangers").await;
    a.attach_policy(&PolicyHolder::Group(strangers.name), &amazon).await.unwrap();
    assert_eq!(b.attached_policies(&last).await.unwrap(), []);

    let found = b.principal_policies(&PrincipalName::User(user_name("ALICE"))).await.unwrap().unwrap();
    let second =
        AttachedPolicy::CustomerManaged { arn: own, version: version.version, document: "second".to_owned() };
    assert_eq!(found.principal, Principal::User(alice.clone()));
    assert_eq!(found.principal.id(), &alice.id);
    assert_eq!(found.principal.tags(), alice.tags);
    let expected = HeldPolicies {
        inline: vec![inline("One", "1"), inline("two", "2")],
        attached: vec![second.clone(), AttachedPolicy::AwsManaged(amazon)],
    };
    assert_eq!(found.policies, expected);
    let of_admins = HeldPolicies { inline: vec![inline("Group", "3")], attached: vec![second.clone()] };
    let expected = [
        GroupPolicies { group: admins, policies: of_admins },
        GroupPolicies { group: zoo, policies: HeldPolicies::default() },
    ];
    assert_eq!(found.groups, expected);
    assert_eq!(found.boundary, Some(second));
    let eve = PrincipalName::User(user_name("eve"));
    assert_eq!(b.principal_policies(&eve).await.unwrap(), None);
}

pub(crate) async fn a_roles_policies_are_its_own(a: &dyn Store, b: &dyn Store) {
    let amazon = aws_policy("ReadOnlyAccess");
    let night = Role { boundary: Some(amazon.clone()), sessions_valid_after: Some(at(3)), ..role("Night") };
    a.create_role(&night).await.unwrap();
    create_user(a, "Night").await;
    let other = PolicyHolder::User(user_name("Night"));
    a.put_inline_policy(&other, &inline("NotMine", "1")).await.unwrap();
    let principal = PrincipalName::Role(night.name.clone());
    let bare = b.principal_policies(&principal).await.unwrap().unwrap();
    assert_eq!((&bare.policies, bare.groups.len()), (&HeldPolicies::default(), 0));
    assert_eq!(bare.boundary, Some(AttachedPolicy::AwsManaged(amazon.clone())));
    assert_eq!(bare.principal.sessions_valid_after(), Some(at(3)));
    assert_eq!(bare.principal, Principal::Role(night.clone()));

    let holder = PolicyHolder::Role(night.name.clone());
    let arn = create_policy(a, "Own").await.arn;
    a.attach_policy(&holder, &arn).await.unwrap();
    let held = b.principal_policies(&principal).await.unwrap().unwrap().policies;
    let version = PolicyVersionId::FIRST;
    let expected = AttachedPolicy::CustomerManaged { arn, version, document: DOCUMENT.to_owned() };
    assert_eq!(held, HeldPolicies { inline: vec![], attached: vec![expected] });
    let none = PrincipalName::Role(role_name("None"));
    assert_eq!(b.principal_policies(&none).await.unwrap(), None);
}

/// Runs each change and asserts that the generation moved by one with it.
macro_rules! assert_each_moves {
    ($store:ident, $receiver:ident: $($change:expr;)+) => {
        $(
            let before = *$receiver.borrow_and_update();
            $change.await.unwrap();
            assert!($receiver.has_changed().unwrap(), "{}", stringify!($change));
            assert_eq!(*$receiver.borrow(), before + 1, "{}", stringify!($change));
        )+
    };
}

pub(crate) async fn every_change_moves_the_generation(a: &dyn Store, _: &dyn Store) {
    let node = register(a, 1).await;
    let resource = ResourceKey::node(&node.id);
    let mut generation = a.identity_generation();
    let (alice, bob) = (user("alice"), user("bob"));
    let (admins, night, web) = (group("admins"), role("Night"), profile("web"));
    let holder = PolicyHolder::User(alice.name.clone());
    let principal = PrincipalName::User(alice.name.clone());
    let tagged = TaggedIdentity::User(alice.name.clone());
    let (own, phone, first) = (policy_arn("Own"), serial("phone"), PolicyVersionId::FIRST);
    let second = PolicyVersionId::new(2).unwrap();
    let (key, counter) = (key(1, "alice"), MfaCounter { last: 1, drift_steps: 0 });
    let group_name = NewName { name: Some("heroes".parse().unwrap()), path: None };
    let heroes = "heroes".parse().unwrap();
    let profile_of_alice = LoginProfile {
        user: alice.name.clone(),
        password_hash: Secret::new("$argon2id$".to_owned()),
        reset_required: false,
        created_at: at(0),
    };
    let guardrail =
        Guardrail { name: policy_name("G"), level: 0, document: "{}".to_owned(), updated_at: at(0) };
    assert_each_moves!(a, generation:
        a.create_user(&alice);
        a.create_user(&bob);
        a.update_user(&bob.name, &NewName { name: Some(user_name("bert")), path: None });
        a.delete_user(&user_name("bert"));
        a.create_group(&admins);
        a.update_group(&admins.name, &group_name);
        a.add_user_to_group(&heroes, &alice.name);
        a.remove_user_from_group(&heroes, &alice.name);
        a.delete_group(&heroes);
        a.create_role(&night);
        a.update_role(&night.name, &RoleUpdate { trust_policy: Some("{}".to_owned()), ..RoleUpdate::default() });
        a.create_policy(&new_policy("Own"));
        a.create_policy_version(&own, "{}", VersionRank::Other, at(1));
        a.set_default_policy_version(&own, second, at(2));
        a.delete_policy_version(&own, first);
        a.attach_policy(&holder, &own);
        a.set_boundary(&principal, Some(&own));
        a.detach_policy(&holder, &own);
        a.set_boundary(&principal, None);
        a.delete_policy(&own);
        a.put_inline_policy(&holder, &inline("One", "1"));
        a.delete_inline_policy(&holder, &policy_name("One"));
        a.revoke_sessions(&principal, at(5));
        a.create_access_key(&key);
        a.set_access_key_status(&alice.name, &key.id, KeyStatus::Inactive);
        a.delete_access_key(&alice.name, &key.id);
        a.create_login_profile(&profile_of_alice);
        a.update_login_profile(&alice.name, &LoginProfileUpdate::default());
        a.delete_login_profile(&alice.name);
        a.create_mfa_device(&mfa_device("phone"));
        a.enable_mfa_device(&alice.name, &phone, counter, at(1));
        a.deactivate_mfa_device(&alice.name, &phone);
        a.delete_mfa_device(&phone);
        a.create_instance_profile(&web);
        a.add_role_to_instance_profile(&web.name, &night.name);
        a.remove_role_from_instance_profile(&web.name, &night.name);
        a.delete_instance_profile(&web.name);
        a.delete_role(&night.name);
        a.tag_identity(&tagged, &[tag("a", "1")]);
        a.untag_identity(&tagged, &["a".to_owned()]);
        a.put_guardrail(&guardrail);
        a.delete_guardrail(&guardrail.name);
        a.add_tags(&resource, &[tag("a", "1")], 50);
        a.remove_tags(&resource, &["a".to_owned()]);
        a.deregister_node(&node.id);
    );
}

pub(crate) async fn uses_and_refusals_leave_the_generation(a: &dyn Store, _: &dyn Store) {
    let alice = create_user(a, "alice").await.name;
    a.create_mfa_device(&mfa_device("phone")).await.unwrap();
    let counter = |last| MfaCounter { last, drift_steps: 0 };
    a.enable_mfa_device(&alice, &serial("phone"), counter(1), at(1)).await.unwrap();
    let generation = a.identity_generation();
    assert!(a.advance_mfa_counter(&alice, &serial("phone"), counter(2)).await.unwrap());
    assert!(a.record_password_use(&alice, at(2)).await.unwrap());
    a.touch_access_keys(&[]).await.unwrap();
    a.touch_roles(&[]).await.unwrap();
    a.create_user(&user("alice")).await.unwrap_err();
    a.delete_user(&alice).await.unwrap_err();
    a.attach_policy(&PolicyHolder::User(alice), &policy_arn("Missing")).await.unwrap_err();
    register(a, 1).await;
    assert!(!generation.has_changed().unwrap());
}

pub(crate) async fn a_generation_says_what_was_read(a: &dyn Store, b: &dyn Store) {
    let (mut here, mut there) = (a.identity_generation(), b.identity_generation());
    here.mark_unchanged();
    there.mark_unchanged();
    let alice = PrincipalName::User(create_user(a, "alice").await.name);
    let first = a.principal_policies(&alice).await.unwrap().unwrap().generation;
    assert_eq!(*here.borrow_and_update(), first);
    let again = a.principal_policies(&alice).await.unwrap().unwrap().generation;
    assert_eq!(again, first, "reading changes nothing");

    assert!(!there.has_changed().unwrap(), "another handle is told when it asks");
    assert_eq!(b.principal_policies(&alice).await.unwrap().unwrap().generation, first);
    assert_eq!(b.refresh_identity_generation().await.unwrap(), first);
    assert_eq!(*there.borrow_and_update(), first);
    assert_eq!(b.refresh_identity_generation().await.unwrap(), first);
    assert!(!there.has_changed().unwrap(), "it is told once");
    b.revoke_sessions(&alice, at(1)).await.unwrap();
    a.revoke_sessions(&alice, at(2)).await.unwrap();
    assert_eq!(*here.borrow(), first + 2);
}
