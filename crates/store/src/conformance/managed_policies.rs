//! Rules of [`ManagedPolicyStore`](crate::ManagedPolicyStore).

use postern_ids::PolicyVersionId;

use super::identity_samples::*;
use super::samples::at;
use super::tags::tag;
use crate::{
    Dependent, Entity, IdentityError, ManagedPolicy, NewPolicy, Page, PolicyHolder, PolicyQuery, PolicyUsage,
    PolicyUse, PolicyVersion, PrincipalName, Quota, Store, VersionRank,
};

fn version(number: u32) -> PolicyVersionId {
    PolicyVersionId::new(number).unwrap()
}

pub(crate) async fn a_policy_begins_with_its_first_version(a: &dyn Store, b: &dyn Store) {
    let new = NewPolicy { tags: vec![tag("a", "1"), tag("A", "2")], ..new_policy("/team/Sessions") };
    let created = a.create_policy(&new).await.unwrap();
    let expected = ManagedPolicy {
        arn: new.arn.clone(),
        id: new.id.clone(),
        description: new.description.clone(),
        default_version: version(1),
        created_at: at(0),
        updated_at: at(0),
        tags: vec![tag("A", "2"), tag("a", "1")],
        used: PolicyUse::default(),
    };
    assert_eq!(created, expected);
    assert_eq!(b.policy(&new.arn).await.unwrap(), Some(expected));
    let first = PolicyVersion {
        version: version(1),
        document: DOCUMENT.to_owned(),
        is_default: true,
        created_at: at(0),
    };
    assert_eq!(b.policy_versions(&new.arn).await.unwrap().as_slice(), std::slice::from_ref(&first));
    assert_eq!(b.policy_version(&new.arn, version(1)).await.unwrap(), Some(first));
    assert_eq!(b.policy_version(&new.arn, version(2)).await.unwrap(), None);
    assert_eq!(b.policy(&policy_arn("Sessions")).await.unwrap(), None);
    for taken in ["/team/Sessions", "sessions"] {
        let refused = b.create_policy(&new_policy(taken)).await;
        assert_refused!(refused, IdentityError::AlreadyExists(Entity::Policy(_)));
    }
    let long = NewPolicy { document: format!(" \n{}", "x".repeat(6145)), ..new_policy("Long") };
    assert_refused!(
        a.create_policy(&long).await,
        IdentityError::LimitExceeded { quota: Quota::ManagedPolicyChars, max: 6144 }
    );
}

pub(crate) async fn versions_are_numbered_on_and_five_are_kept(a: &dyn Store, b: &dyn Store) {
    let arn = create_policy(a, "Sessions").await.arn;
    let add = async |rank, seconds| a.create_policy_version(&arn, "{}", rank, at(seconds)).await;
    let second = add(VersionRank::Other, 10).await.unwrap();
    assert_eq!((second.version, second.is_default), (version(2), false));
    let third = add(VersionRank::Default, 20).await.unwrap();
    assert_eq!((third.version, third.is_default), (version(3), true));
    let policy = b.policy(&arn).await.unwrap().unwrap();
    assert_eq!((policy.default_version, policy.updated_at), (version(3), at(20)));

    b.delete_policy_version(&arn, version(2)).await.unwrap();
    for _ in 0..3 {
        add(VersionRank::Other, 30).await.unwrap();
    }
    assert_refused!(
        add(VersionRank::Default, 40).await,
        IdentityError::LimitExceeded { quota: Quota::PolicyVersions, max: 5 }
    );
    let numbers = async || -> Vec<u32> {
        let versions = b.policy_versions(&arn).await.unwrap();
        versions.iter().map(|version| version.version.number()).collect()
    };
    assert_eq!(numbers().await, [6, 5, 4, 3, 1]);
    b.delete_policy_version(&arn, version(6)).await.unwrap();
    assert_eq!(add(VersionRank::Other, 50).await.unwrap().version, version(7), "6 is not used again");
    assert_eq!(b.policy(&arn).await.unwrap().unwrap().default_version, version(3));
}

pub(crate) async fn the_default_version_stays(a: &dyn Store, b: &dyn Store) {
    let arn = create_policy(a, "Sessions").await.arn;
    a.create_policy_version(&arn, "{}", VersionRank::Other, at(10)).await.unwrap();
    let conflict = a.delete_policy_version(&arn, version(1)).await;
    assert_refused!(
        conflict,
        IdentityError::DeleteConflict { remaining, .. } if *remaining == [Dependent::DefaultVersion]
    );
    a.set_default_policy_version(&arn, version(2), at(20)).await.unwrap();
    a.set_default_policy_version(&arn, version(2), at(30)).await.unwrap();
    let policy = b.policy(&arn).await.unwrap().unwrap();
    assert_eq!((policy.default_version, policy.updated_at), (version(2), at(20)));
    assert!(b.policy_version(&arn, version(2)).await.unwrap().unwrap().is_default);
    a.delete_policy_version(&arn, version(1)).await.unwrap();

    let gone = || Entity::PolicyVersion(arn.clone(), version(1));
    assert_not_found(a.delete_policy_version(&arn, version(1)).await, gone());
    assert_not_found(a.set_default_policy_version(&arn, version(1), at(40)).await, gone());
    let missing = policy_arn("Missing");
    let none = || Entity::Policy(missing.clone());
    assert_not_found(a.delete_policy_version(&missing, version(1)).await, none());
    assert_not_found(a.set_default_policy_version(&missing, version(1), at(40)).await, none());
    assert_not_found(a.policy_versions(&missing).await, none());
    let added = a.create_policy_version(&missing, "{}", VersionRank::Default, at(40)).await;
    assert_not_found(added, none());
}

pub(crate) async fn a_policy_in_use_is_not_deleted(a: &dyn Store, b: &dyn Store) {
    let arn = create_policy(a, "Sessions").await.arn;
    let alice = create_user(a, "alice").await;
    let (holder, principal) = (PolicyHolder::User(alice.name.clone()), PrincipalName::User(alice.name));
    a.attach_policy(&holder, &arn).await.unwrap();
    a.set_boundary(&principal, Some(&arn)).await.unwrap();
    a.create_policy_version(&arn, "{}", VersionRank::Default, at(10)).await.unwrap();
    let all = [Dependent::Attachments, Dependent::Boundaries, Dependent::OtherVersions];
    assert_refused!(
        b.delete_policy(&arn).await,
        IdentityError::DeleteConflict { entity: Entity::Policy(_), remaining } if *remaining == all
    );
    a.detach_policy(&holder, &arn).await.unwrap();
    a.set_boundary(&principal, None).await.unwrap();
    a.delete_policy_version(&arn, version(1)).await.unwrap();
    b.delete_policy(&arn).await.unwrap();
    assert_eq!(a.policy(&arn).await.unwrap(), None);
    assert_eq!(a.policy_version(&arn, version(2)).await.unwrap(), None);
    assert_not_found(a.delete_policy(&arn).await, Entity::Policy(arn));
}

pub(crate) async fn policies_are_listed_by_path_and_use(a: &dyn Store, b: &dyn Store) {
    for path_and_name in ["delta", "/team/Alpha", "/team/web/charlie", "Bravo"] {
        create_policy(a, path_and_name).await;
    }
    let alice = create_user(a, "alice").await.name;
    a.attach_policy(&PolicyHolder::User(alice.clone()), &policy_arn("Bravo")).await.unwrap();
    a.set_boundary(&PrincipalName::User(alice), Some(&policy_arn("/team/Alpha"))).await.unwrap();
    let query = |path_prefix: &str| PolicyQuery {
        path_prefix: path_prefix.to_owned(),
        used_for: None,
        only_used: false,
        page: Page::first(9),
    };
    let names = async |query: &PolicyQuery| -> Vec<String> {
        let listed = b.policies(query).await.unwrap().items;
        listed.iter().map(|policy| policy.arn.name().to_string()).collect()
    };
    assert_eq!(names(&query("/")).await, ["Alpha", "Bravo", "charlie", "delta"]);
    assert_eq!(names(&query("/team/")).await, ["Alpha", "charlie"]);
    assert_eq!(names(&PolicyQuery { only_used: true, ..query("/") }).await, ["Alpha", "Bravo"]);
    let used_for = |usage| PolicyQuery { used_for: Some(usage), ..query("/") };
    assert_eq!(names(&used_for(PolicyUsage::PermissionsPolicy)).await, ["Bravo"]);
    assert_eq!(names(&used_for(PolicyUsage::PermissionsBoundary)).await, ["Alpha"]);
    let first = b.policies(&PolicyQuery { page: Page::first(3), ..query("/") }).await.unwrap();
    let page = Page { after: first.next, limit: 3 };
    assert_eq!(names(&PolicyQuery { page, ..query("/") }).await, ["delta"]);
}
