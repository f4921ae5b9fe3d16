//! Rules of [`OidcStore`](crate::OidcStore).

use super::identity_samples::*;
use super::samples::at;
use super::tags::tag;
use crate::{Entity, IdentityError, OidcProvider, Store};

pub(crate) async fn a_provider_is_found_by_its_issuer(a: &dyn Store, b: &dyn Store) {
    let provider = |issuer: &str| OidcProvider {
        issuer: issuer.parse().unwrap(),
        client_ids: vec!["sts.amazonaws.com".to_owned(), "ö \"quoted\"".to_owned()],
        thumbprints: vec!["6938fd4d98bab03faadb97b34396831e3780aea1".to_owned()],
        created_at: at(0),
        tags: vec![tag("a", "1")],
    };
    let (github, own) = (provider("token.example.com"), provider("sso.example.com/realms/Ops"));
    a.create_oidc_provider(&github).await.unwrap();
    a.create_oidc_provider(&own).await.unwrap();
    assert_eq!(b.oidc_provider(&github.issuer).await.unwrap().as_ref(), Some(&github));
    assert_eq!(b.oidc_provider(&"sso.example.com/realms/ops".parse().unwrap()).await.unwrap(), None);
    assert_eq!(b.oidc_providers().await.unwrap(), [own.clone(), github.clone()]);
    assert_refused!(
        b.create_oidc_provider(&own).await,
        IdentityError::AlreadyExists(Entity::OidcProvider(_))
    );
    b.delete_oidc_provider(&own.issuer).await.unwrap();
    assert_not_found(b.delete_oidc_provider(&own.issuer).await, Entity::OidcProvider(own.issuer.clone()));
    let bare = OidcProvider { tags: Vec::new(), ..own };
    a.create_oidc_provider(&bare).await.unwrap();
    assert_eq!(b.oidc_providers().await.unwrap(), [bare, github], "a new provider inherits nothing");
}
