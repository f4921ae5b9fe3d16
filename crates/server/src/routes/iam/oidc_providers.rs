//! OIDC providers, whose users can take on roles.

use postern_api::iam::{
    AddClientIDToOpenIDConnectProviderInput, AddClientIDToOpenIDConnectProviderOutput,
    CreateOpenIDConnectProviderInput, CreateOpenIDConnectProviderOutput, DeleteOpenIDConnectProviderInput,
    DeleteOpenIDConnectProviderOutput, GetOpenIDConnectProviderInput, GetOpenIDConnectProviderOutput,
    ListOpenIDConnectProvidersInput, ListOpenIDConnectProvidersOutput, OpenIdConnectProviderListEntry,
    RemoveClientIDFromOpenIDConnectProviderInput, RemoveClientIDFromOpenIDConnectProviderOutput,
    UpdateOpenIDConnectProviderThumbprintInput, UpdateOpenIDConnectProviderThumbprintOutput,
};
use postern_api::{ApiError, Request};
use postern_ids::{Arn, OidcIssuer};
use postern_store::{OidcProvider, OidcUpdate};

use super::named::Named;
use super::{refusal, shown_time, tags};
use crate::routes::call::Call;
use crate::routes::failure;

/// Audiences and certificates of one provider. Source: "IAM and AWS STS quotas" and the API Reference of
/// Whether the condition keys `<issuer>:<claim>` cannot be taken for those of a service, such as `aws:<key>`.
fn has_own_keys(issuer: &OidcIssuer) -> bool {
    issuer.as_str().contains(['.', ':', '/'])
}

/// `CreateOpenIDConnectProvider`.
const CLIENT_IDS_MAX: usize = 100;
const THUMBPRINTS_MAX: usize = 5;

/// The provider of this ARN.
pub(super) async fn named<T: Request>(call: &Call<T>, arn: &str) -> Result<Named<OidcProvider>, ApiError> {
    let resource: Arn = arn.parse().map_err(|_| refusal::invalid_input(format!("Invalid ARN: {arn}")))?;
    let issuer = resource.resource().strip_prefix("oidc-provider/").and_then(|text| text.parse().ok());
    let found = match &issuer {
        Some(issuer) if Arn::oidc_provider(&call.app.account, issuer) == resource => {
            call.app.store.oidc_provider(issuer).await.map_err(failure::store)?
        }
        _ => None,
    };
    let check = call.check().on(resource);
    Ok(match found {
        Some(provider) => Named::new(check.with_iam_tags(&provider.tags), Ok(provider)),
        None => {
            let message = format!("OpenIDConnect Provider not found for arn {arn}");
            Named::new(check, Err(refusal::no_such_entity(message)))
        }
    })
}

pub(super) async fn create_oidc_provider(
    call: Call<CreateOpenIDConnectProviderInput>,
) -> Result<CreateOpenIDConnectProviderOutput, ApiError> {
    let input = &call.input;
    let issuer = OidcIssuer::from_url(&input.url)
        .filter(has_own_keys)
        .ok_or_else(|| refusal::validation(format!("Invalid Open ID Connect Provider URL: {}", input.url)))?;
    if input.context_provider.is_some() || input.identity_center_instance_arn.is_some() {
        return Err(refusal::invalid_input("Trusted identity propagation is not available."));
    }
    let provider = OidcProvider {
        client_ids: distinct(input.client_id_list.as_deref().unwrap_or_default()),
        thumbprints: thumbprints(input.thumbprint_list.as_deref().unwrap_or_default())?,
        issuer,
        created_at: call.at,
        tags: tags::checked(input.tags.as_deref())?,
    };
    refuse_many_client_ids(&provider.client_ids)?;
    let arn = Arn::oidc_provider(&call.app.account, &provider.issuer);
    let _permit = call.authorize([call.check().on(arn.clone()).with_request_tags(&provider.tags)]).await?;
    call.app.store.create_oidc_provider(&provider).await.map_err(refusal::identity)?;
    Ok(CreateOpenIDConnectProviderOutput {
        open_id_connect_provider_arn: Some(arn.into()),
        tags: tags::shown_if_any(provider.tags),
    })
}

/// Each once, in the order in which they were given.
fn distinct(texts: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts {
        if !distinct.contains(text) {
            distinct.push(text.clone());
        }
    }
    distinct
}

fn refuse_many_client_ids(client_ids: &[String]) -> Result<(), ApiError> {
    if client_ids.len() <= CLIENT_IDS_MAX {
        return Ok(());
    }
    let message = format!("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_MAX}");
    Err(refusal::limit_exceeded(message))
}

/// SHA-1 in hexadecimal digits, as many as IAM takes.
fn thumbprints(texts: &[String]) -> Result<Vec<String>, ApiError> {
    if texts.len() > THUMBPRINTS_MAX {
        let message = format!("Thumbprint list must contain fewer than {THUMBPRINTS_MAX} entries.");
        return Err(refusal::invalid_input(message));
    }
    if texts.iter().any(|text| !text.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(refusal::invalid_input("A thumbprint has 40 hexadecimal digits."));
    }
    Ok(distinct(texts))
}

pub(super) async fn get_oidc_provider(
    call: Call<GetOpenIDConnectProviderInput>,
) -> Result<GetOpenIDConnectProviderOutput, ApiError> {
    let named = named(&call, &call.input.open_id_connect_provider_arn).await?;
    let (provider, _permit) = named.permitted(&call).await?;
    Ok(GetOpenIDConnectProviderOutput {
        url: Some(provider.issuer.into()),
        client_id_list: Some(provider.client_ids),
        thumbprint_list: Some(provider.thumbprints),
        create_date: Some(shown_time(provider.created_at)),
        tags: tags::shown_if_any(provider.tags),
        context_provider: None,
        identity_center_instance_arn: None,
        identity_store_arn: None,
    })
}

pub(super) async fn list_oidc_providers(
    call: Call<ListOpenIDConnectProvidersInput>,
) -> Result<ListOpenIDConnectProvidersOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let found = call.app.store.oidc_providers().await.map_err(failure::store)?;
    let shown = found.iter().map(|provider| OpenIdConnectProviderListEntry {
        arn: Some(Arn::oidc_provider(&call.app.account, &provider.issuer).into()),
        is_trusted_identity_propagation_enabled: None,
    });
    Ok(ListOpenIDConnectProvidersOutput { open_id_connect_provider_list: Some(shown.collect()) })
}

pub(super) async fn delete_oidc_provider(
    call: Call<DeleteOpenIDConnectProviderInput>,
) -> Result<DeleteOpenIDConnectProviderOutput, ApiError> {
    let named = named(&call, &call.input.open_id_connect_provider_arn).await?;
    let (provider, _permit) = named.permitted(&call).await?;
    call.app.store.delete_oidc_provider(&provider.issuer).await.map_err(refusal::identity)?;
    Ok(DeleteOpenIDConnectProviderOutput {})
}

/// One that is there already is no error.
pub(super) async fn add_client_id(
    call: Call<AddClientIDToOpenIDConnectProviderInput>,
) -> Result<AddClientIDToOpenIDConnectProviderOutput, ApiError> {
    let named = named(&call, &call.input.open_id_connect_provider_arn).await?;
    let (provider, _permit) = named.permitted(&call).await?;
    let mut client_ids = provider.client_ids;
    client_ids.push(call.input.client_id.clone());
    let client_ids = distinct(&client_ids);
    refuse_many_client_ids(&client_ids)?;
    let update = OidcUpdate { client_ids: Some(client_ids), thumbprints: None };
    call.app.store.update_oidc_provider(&provider.issuer, &update).await.map_err(refusal::identity)?;
    Ok(AddClientIDToOpenIDConnectProviderOutput {})
}

/// One that is not there is no error.
pub(super) async fn remove_client_id(
    call: Call<RemoveClientIDFromOpenIDConnectProviderInput>,
) -> Result<RemoveClientIDFromOpenIDConnectProviderOutput, ApiError> {
    let named = named(&call, &call.input.open_id_connect_provider_arn).await?;
    let (provider, _permit) = named.permitted(&call).await?;
    let mut client_ids = provider.client_ids;
    client_ids.retain(|client_id| *client_id != call.input.client_id);
    let update = OidcUpdate { client_ids: Some(client_ids), thumbprints: None };
    call.app.store.update_oidc_provider(&provider.issuer, &update).await.map_err(refusal::identity)?;
    Ok(RemoveClientIDFromOpenIDConnectProviderOutput {})
}

pub(super) async fn update_thumbprints(
    call: Call<UpdateOpenIDConnectProviderThumbprintInput>,
) -> Result<UpdateOpenIDConnectProviderThumbprintOutput, ApiError> {
    let thumbprints = thumbprints(&call.input.thumbprint_list)?;
    let named = named(&call, &call.input.open_id_connect_provider_arn).await?;
    let (provider, _permit) = named.permitted(&call).await?;
    let update = OidcUpdate { client_ids: None, thumbprints: Some(thumbprints) };
    call.app.store.update_oidc_provider(&provider.issuer, &update).await.map_err(refusal::identity)?;
    Ok(UpdateOpenIDConnectProviderThumbprintOutput {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_few_and_hexadecimal() {
        let print = |digit: char| digit.to_string().repeat(40);
        assert_eq!(thumbprints(&[print('a'), print('a'), print('B')]).unwrap(), [print('a'), print('B')]);
        assert!(thumbprints(&[print('g')]).is_err());
        assert!(thumbprints(&vec![print('a'); THUMBPRINTS_MAX + 1]).is_err());
    }
}
