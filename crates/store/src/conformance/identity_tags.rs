//! Rules of [`IdentityTagStore`](crate::IdentityTagStore).

use super::identity_samples::*;
use super::samples::at;
use super::tags::tag;
use crate::{Entity, IdentityError, OidcProvider, Quota, Store, TaggedIdentity};

fn all() -> [TaggedIdentity; 6] {
    [
        TaggedIdentity::User(user_name("alice")),
        TaggedIdentity::Role(role_name("Night")),
        TaggedIdentity::Policy(policy_arn("Own")),
        TaggedIdentity::InstanceProfile("web".parse().unwrap()),
        TaggedIdentity::MfaDevice(serial("phone")),
        TaggedIdentity::OidcProvider("sso.example.com".parse().unwrap()),
    ]
}

async fn create_all(store: &dyn Store) {
    create_user(store, "alice").await;
    create_role(store, "Night").await;
    create_policy(store, "Own").await;
    store.create_instance_profile(&profile("web")).await.unwrap();
    store.create_mfa_device(&mfa_device("phone")).await.unwrap();
    let provider = OidcProvider {
        issuer: "sso.example.com".parse().unwrap(),
        client_ids: Vec::new(),
        thumbprints: Vec::new(),
        created_at: at(0),
        tags: Vec::new(),
    };
    store.create_oidc_provider(&provider).await.unwrap();
}

pub(crate) async fn identities_are_tagged_and_untagged(a: &dyn Store, b: &dyn Store) {
    for identity in all() {
        assert_not_found(a.tag_identity(&identity, &[tag("a", "1")]).await, Entity::from(identity.clone()));
        assert_not_found(a.untag_identity(&identity, &[]).await, Entity::from(identity.clone()));
        assert_not_found(a.identity_tags(&identity).await, Entity::from(identity));
    }
    create_all(a).await;
    for identity in all() {
        a.tag_identity(&identity, &[tag("b", "1"), tag("a", "1")]).await.unwrap();
        a.tag_identity(&identity, &[tag("b", "2"), tag("c", "")]).await.unwrap();
        let expected = [tag("a", "1"), tag("b", "2"), tag("c", "")];
        assert_eq!(b.identity_tags(&identity).await.unwrap(), expected, "{identity:?}");
        a.untag_identity(&identity, &["a".to_owned(), "never there".to_owned()]).await.unwrap();
        assert_eq!(b.identity_tags(&identity).await.unwrap(), expected[1..], "{identity:?}");
    }
    assert_eq!(b.user(&user_name("alice")).await.unwrap().unwrap().tags, [tag("b", "2"), tag("c", "")]);
    assert_eq!(b.role(&role_name("Night")).await.unwrap().unwrap().tags, [tag("b", "2"), tag("c", "")]);
}

pub(crate) async fn users_and_roles_ignore_the_case_of_keys(a: &dyn Store, b: &dyn Store) {
    create_all(a).await;
    for (index, identity) in all().iter().enumerate() {
        a.tag_identity(identity, &[tag("Department", "finance")]).await.unwrap();
        a.tag_identity(identity, &[tag("department", "hr")]).await.unwrap();
        let tags = b.identity_tags(identity).await.unwrap();
        a.untag_identity(identity, &["DEPARTMENT".to_owned()]).await.unwrap();
        let left = b.identity_tags(identity).await.unwrap();
        if index < 2 {
            assert_eq!(tags, [tag("department", "hr")], "{identity:?}");
            assert_eq!(left, [], "{identity:?}");
        } else {
            assert_eq!(tags, [tag("Department", "finance"), tag("department", "hr")], "{identity:?}");
            assert_eq!(left, tags, "{identity:?}");
        }
    }
}

pub(crate) async fn fifty_tags_are_the_most(a: &dyn Store, b: &dyn Store) {
    create_all(a).await;
    for identity in all() {
        let tags: Vec<_> = (0..50).map(|number| tag(&format!("k{number:02}"), "")).collect();
        a.tag_identity(&identity, &tags).await.unwrap();
        let refused = b.tag_identity(&identity, &[tag("k00", "new"), tag("another", "")]).await;
        assert_refused!(refused, IdentityError::LimitExceeded { quota: Quota::Tags, max: 50 });
        assert_eq!(b.identity_tags(&identity).await.unwrap(), tags, "{identity:?}");
        b.tag_identity(&identity, &[tag("k00", "new")]).await.unwrap();
    }
}
