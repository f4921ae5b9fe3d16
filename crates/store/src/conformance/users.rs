//! Rules of [`UserStore`](crate::UserStore).

use futures_util::future::join_all;
use postern_ids::UserName;

use super::identity_samples::*;
use super::samples::at;
use super::tags::tag;
use crate::{
    Dependent, Entity, IdentityError, InlinePolicy, LoginProfile, MfaCounter, NewName, Page, PolicyHolder,
    PrincipalName, Quota, Secret, Store, TaggedIdentity, User,
};

pub(crate) async fn a_user_is_created_with_all_that_it_says(a: &dyn Store, b: &dyn Store) {
    let boundary = create_policy(a, "Boundary").await.arn;
    let alice = User {
        path: "/ops/eu/".parse().unwrap(),
        boundary: Some(boundary),
        tags: vec![tag("Team", "web"), tag("env", "")],
        sessions_valid_after: Some(at(5)),
        password_last_used_at: Some(at(6)),
        ..user("alice")
    };
    a.create_user(&alice).await.unwrap();
    assert_eq!(b.user(&alice.name).await.unwrap().as_ref(), Some(&alice));
    assert_eq!(b.user(&user_name("ALICE")).await.unwrap().as_ref(), Some(&alice), "the case is kept");
    assert_eq!(b.user_by_id(&alice.id).await.unwrap().as_ref(), Some(&alice));
    assert_eq!(b.user(&user_name("bob")).await.unwrap(), None);
    assert_eq!(b.user_by_id(&user("bob").id).await.unwrap(), None);
    assert_eq!(b.users("/", &Page::first(9)).await.unwrap().items, [alice]);
}

pub(crate) async fn a_user_is_created_whole_or_not_at_all(a: &dyn Store, b: &dyn Store) {
    create_user(a, "alice").await;
    let same_id = User { id: user("alice").id, ..user("bob") };
    for taken in [user("alice"), user("ALICE"), same_id] {
        assert_refused!(b.create_user(&taken).await, IdentityError::AlreadyExists(Entity::User(_)));
    }
    let boundary = policy_arn("Missing");
    let bounded = User { boundary: Some(boundary.clone()), ..user("bob") };
    assert_not_found(a.create_user(&bounded).await, Entity::Policy(boundary));
    let tags = (0..51).map(|number| tag(&number.to_string(), "")).collect();
    let tagged = User { tags, ..user("bob") };
    assert_refused!(
        a.create_user(&tagged).await,
        IdentityError::LimitExceeded { quota: Quota::Tags, max: 50 }
    );
    assert_eq!(b.user(&user_name("bob")).await.unwrap(), None);
    create_user(b, "bob").await;
    assert_eq!(a.identity_tags(&TaggedIdentity::User(user_name("bob"))).await.unwrap(), []);
}

pub(crate) async fn users_are_listed_by_path_and_page(a: &dyn Store, b: &dyn Store) {
    for (name, path) in [("Dora", "/"), ("alice", "/ops/"), ("Bob", "/ops/eu/"), ("carol", "/opsters/")] {
        let user = User { path: path.parse().unwrap(), ..user(name) };
        a.create_user(&user).await.unwrap();
    }
    let names = async |prefix: &str, page: Page<UserName>| {
        let listed = b.users(prefix, &page).await.unwrap();
        (listed.items.iter().map(|user| user.name.to_string()).collect::<Vec<_>>(), listed.next)
    };
    let (first, next) = names("/", Page::first(3)).await;
    assert_eq!(first, ["alice", "Bob", "carol"]);
    assert_eq!(names("/", Page { after: next, limit: 3 }).await, (vec!["Dora".to_owned()], None));
    assert_eq!(names("/ops/", Page::first(9)).await.0, ["alice", "Bob"]);
    assert_eq!(names("/ops", Page::first(9)).await.0, ["alice", "Bob", "carol"]);
    assert_eq!(names("/%/", Page::first(9)).await.0, [""; 0]);
}

pub(crate) async fn a_renamed_user_keeps_everything(a: &dyn Store, b: &dyn Store) {
    let alice = create_user(a, "alice").await;
    create_user(a, "bob").await;
    let key = key(1, "alice");
    a.create_access_key(&key).await.unwrap();
    let holder = |name: &str| PolicyHolder::User(user_name(name));
    a.attach_policy(&holder("alice"), &aws_policy("ReadOnlyAccess")).await.unwrap();

    let new = NewName { name: Some(user_name("Alicia")), path: Some("/ops/".parse().unwrap()) };
    b.update_user(&alice.name, &new).await.unwrap();
    let alicia = User { name: user_name("Alicia"), path: "/ops/".parse().unwrap(), ..alice };
    assert_eq!(a.user(&alicia.name).await.unwrap().as_ref(), Some(&alicia));
    assert_eq!(a.user(&user_name("alice")).await.unwrap(), None);
    assert_eq!(a.access_key(&key.id).await.unwrap().unwrap().user, alicia.name);
    assert_eq!(a.access_keys(&alicia.name).await.unwrap().len(), 1);
    assert_eq!(a.attached_policies(&holder("Alicia")).await.unwrap().len(), 1);

    let case = NewName { name: Some(user_name("ALICIA")), path: None };
    a.update_user(&alicia.name, &case).await.unwrap();
    assert_eq!(b.access_key(&key.id).await.unwrap().unwrap().user.as_str(), "ALICIA");
    a.update_user(&user_name("alicia"), &NewName { name: None, path: None }).await.unwrap();

    let taken = NewName { name: Some(user_name("BOB")), path: None };
    assert_refused!(
        a.update_user(&alicia.name, &taken).await,
        IdentityError::AlreadyExists(Entity::User(name)) if name.as_str() == "BOB"
    );
    assert_eq!(b.access_keys(&alicia.name).await.unwrap().len(), 1, "a refused renaming changes nothing");
    assert_not_found(a.update_user(&user_name("eve"), &case).await, Entity::User(user_name("eve")));
}

pub(crate) async fn a_user_that_has_something_is_not_deleted(a: &dyn Store, b: &dyn Store) {
    let alice = create_user(a, "alice").await;
    let tagged = TaggedIdentity::User(alice.name.clone());
    a.tag_identity(&tagged, &[tag("team", "web")]).await.unwrap();
    let holder = PolicyHolder::User(alice.name.clone());
    let group = create_group(a, "admins").await;
    let arn = aws_policy("ReadOnlyAccess");
    a.attach_policy(&holder, &arn).await.unwrap();
    a.put_inline_policy(&holder, &inline("One", DOCUMENT)).await.unwrap();
    a.create_access_key(&key(1, "alice")).await.unwrap();
    a.create_login_profile(&LoginProfile {
        user: alice.name.clone(),
        password_hash: Secret::new("$argon2id$".to_owned()),
        reset_required: false,
        created_at: at(0),
    })
    .await
    .unwrap();
    a.create_mfa_device(&mfa_device("alice")).await.unwrap();
    let counter = MfaCounter { last: 1, drift_steps: 0 };
    a.enable_mfa_device(&alice.name, &serial("alice"), counter, at(1)).await.unwrap();
    a.add_user_to_group(&group.name, &alice.name).await.unwrap();

    let remaining = async || match b.delete_user(&alice.name).await {
        Err(IdentityError::DeleteConflict { remaining, .. }) => remaining,
        other => panic!("{other:?}"),
    };
    use Dependent as D;
    let all =
        [D::AttachedPolicies, D::InlinePolicies, D::AccessKeys, D::LoginProfile, D::MfaDevices, D::Groups];
    assert_eq!(remaining().await, all);
    a.detach_policy(&holder, &arn).await.unwrap();
    assert_eq!(remaining().await, all[1..]);
    a.delete_inline_policy(&holder, &policy_name("One")).await.unwrap();
    assert_eq!(remaining().await, all[2..]);
    a.delete_access_key(&alice.name, &key(1, "alice").id).await.unwrap();
    assert_eq!(remaining().await, all[3..]);
    a.delete_login_profile(&alice.name).await.unwrap();
    assert_eq!(remaining().await, all[4..]);
    a.deactivate_mfa_device(&alice.name, &serial("alice")).await.unwrap();
    assert_eq!(remaining().await, all[5..]);
    a.remove_user_from_group(&group.name, &alice.name).await.unwrap();
    b.delete_user(&alice.name).await.unwrap();
    assert_eq!(a.user(&alice.name).await.unwrap(), None);
    assert_not_found(a.delete_user(&alice.name).await, Entity::User(alice.name));
    create_user(a, "alice").await;
    assert_eq!(a.identity_tags(&tagged).await.unwrap(), [], "a new user inherits nothing");
}

/// Whichever comes first: no policy stays behind without its user.
pub(crate) async fn deleting_and_giving_do_not_cross(a: &dyn Store, b: &dyn Store) {
    for number in 0..20 {
        let name = user_name(&format!("user{number}"));
        create_user(a, name.as_str()).await;
        let holder = PolicyHolder::User(name.clone());
        let policy: InlinePolicy = inline("One", DOCUMENT);
        let give = async { a.put_inline_policy(&holder, &policy).await.is_ok() };
        let delete = async { b.delete_user(&name).await.is_ok() };
        let outcomes = join_all([
            Box::pin(give) as std::pin::Pin<Box<dyn Future<Output = bool> + Send + '_>>,
            Box::pin(delete),
        ])
        .await;
        assert!(outcomes[0] != outcomes[1], "{outcomes:?}");
    }
}

pub(crate) async fn boundaries_and_revocation_are_for_users_and_roles(a: &dyn Store, b: &dyn Store) {
    let (alice, night) = (create_user(a, "alice").await, create_role(a, "Night").await);
    let arn = create_policy(a, "Boundary").await.arn;
    let principals = [PrincipalName::User(alice.name.clone()), PrincipalName::Role(night.name.clone())];
    for principal in &principals {
        let missing = policy_arn("Missing");
        assert_not_found(a.set_boundary(principal, Some(&missing)).await, Entity::Policy(missing));
        a.set_boundary(principal, Some(&aws_policy("ReadOnlyAccess"))).await.unwrap();
        a.set_boundary(principal, Some(&arn)).await.unwrap();
        b.revoke_sessions(principal, at(20)).await.unwrap();
        b.revoke_sessions(principal, at(10)).await.unwrap();
    }
    let (user, role) =
        (b.user(&alice.name).await.unwrap().unwrap(), b.role(&night.name).await.unwrap().unwrap());
    assert_eq!((user.boundary.as_ref(), user.sessions_valid_after), (Some(&arn), Some(at(20))));
    assert_eq!((role.boundary.as_ref(), role.sessions_valid_after), (Some(&arn), Some(at(20))));
    for principal in &principals {
        a.set_boundary(principal, None).await.unwrap();
    }
    assert_eq!(b.user(&alice.name).await.unwrap().unwrap().boundary, None);
    assert_eq!(b.role(&night.name).await.unwrap().unwrap().boundary, None);
    let eve = PrincipalName::User(user_name("eve"));
    assert_not_found(a.set_boundary(&eve, None).await, Entity::User(user_name("eve")));
    assert_not_found(a.revoke_sessions(&eve, at(1)).await, Entity::User(user_name("eve")));
}

pub(crate) async fn names_that_end_at_a_hyphen_are_confused(a: &dyn Store, b: &dyn Store) {
    create_user(a, "ali").await;
    create_user(a, "bob-x-y").await;
    let cases = [
        ("ali", None),
        ("ali-ce", Some("ali")),
        ("ali-", Some("ali")),
        ("alice", None),
        ("ALI-ce", None),
        ("al", None),
        ("bob", Some("bob-x-y")),
        ("bob-x", Some("bob-x-y")),
        ("bob-", None),
        ("bob-x-y-z", Some("bob-x-y")),
        ("_ob-x", None),
    ];
    for (name, expected) in cases {
        let found = b.user_confused_with(name, None).await.unwrap();
        assert_eq!(found.as_ref().map(UserName::as_str), expected, "{name}");
    }
    // Whoever is renamed is in nobody's way, and hides nobody who is.
    let besides = |name: &str| Some(name.parse::<UserName>().unwrap());
    let confused = b.user_confused_with("ali-ce", besides("ali").as_ref()).await.unwrap();
    assert_eq!(confused, None);
    let confused = b.user_confused_with("bob", besides("ali").as_ref()).await.unwrap();
    assert_eq!(confused, besides("bob-x-y"));
}
