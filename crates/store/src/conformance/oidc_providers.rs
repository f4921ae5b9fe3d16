//! Rules of [`OidcStore`](crate::OidcStore).

use super::identity_samples::*;
use super::samples::at;
use super::tags::tag;
use crate::{Entity, IdentityError, OidcProvider, OidcUpdate, Store};

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
    let audiences = OidcUpdate { client_ids: Some(vec!["postern".to_owned()]), thumbprints: None };
    a.update_oidc_provider(&own.issuer, &audiences).await.unwrap();
    let thumbprints = OidcUpdate { client_ids: None, thumbprints: Some(Vec::new()) };
    a.update_oidc_provider(&own.issuer, &thumbprints).await.unwrap();
    let changed =
        OidcProvider { client_ids: vec!["postern".to_owned()], thumbprints: Vec::new(), ..own.clone() };
    assert_eq!(b.oidc_providers().await.unwrap(), [changed, github.clone()]);
    b.delete_oidc_provider(&own.issuer).await.unwrap();
    assert_not_found(
        b.update_oidc_provider(&own.issuer, &audiences).await,
        Entity::OidcProvider(own.issuer.clone()),
    );
    assert_not_found(b.delete_oidc_provider(&own.issuer).await, Entity::OidcProvider(own.issuer.clone()));
    let bare = OidcProvider { tags: Vec::new(), ..own };
    a.create_oidc_provider(&bare).await.unwrap();
    assert_eq!(b.oidc_providers().await.unwrap(), [bare, github], "a new provider inherits nothing");
}
