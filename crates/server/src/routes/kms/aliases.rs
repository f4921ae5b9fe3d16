//! Aliases of keys.

use postern_api::ApiError;
use postern_api::kms::{
    AliasListEntry, CreateAliasInput, CreateAliasOutput, DeleteAliasInput, DeleteAliasOutput,
    ListAliasesInput, ListAliasesOutput, Operation, UpdateAliasInput, UpdateAliasOutput, errors,
};
use postern_ids::{Arn, KmsAlias};
use postern_store::KmsAliasRecord;

use super::named_key::{By, Named, NamedKey, named};
use super::{keys, refusal};
use crate::auth::Check;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

/// A page that says no limit. Source: `ListAliases` of the KMS API Reference.
const PAGE_ALIASES: u32 = 50;

pub(super) async fn create_alias(call: Call<CreateAliasInput>) -> Result<CreateAliasOutput, ApiError> {
    let (input, operation) = (&call.input, Operation::CreateAlias);
    let alias = own_alias(&input.alias_name)?;
    let arn = Arn::kms_alias(&call.app.region, &call.app.account, &alias);
    let target = NamedKey::find(&call, &input.target_key_id, By::Key, operation).await?;
    let checks = [Check::new(operation).on(arn.clone()), target.check(&call, operation)];
    let _permit = call.authorize(checks).await?;
    target.require_staying()?;
    let created = call.app.store.create_kms_alias(&alias, &target.key.id, call.at).await;
    created.map_err(|error| refusal::alias(&arn, &target.arn, error))?;
    Ok(CreateAliasOutput {})
}

pub(super) async fn update_alias(call: Call<UpdateAliasInput>) -> Result<UpdateAliasOutput, ApiError> {
    let (input, operation) = (&call.input, Operation::UpdateAlias);
    let alias = own_alias(&input.alias_name)?;
    let (arn, current) = found(&call, &alias).await?;
    let target = NamedKey::find(&call, &input.target_key_id, By::Key, operation).await?;
    let mut checks = vec![Check::new(operation).on(arn.clone()), target.check(&call, operation)];
    if let Some(current) = &current {
        let current = NamedKey::of_id(&call, &current.key, operation).await?;
        checks.push(current.check(&call, operation));
    }
    let _permit = call.authorize(checks).await?;
    if current.is_none() {
        return Err(refusal::alias_unknown(&arn));
    }
    target.require_staying()?;
    let moved = call.app.store.update_kms_alias(&alias, &target.key.id, call.at).await;
    moved.map_err(|error| refusal::alias(&arn, &target.arn, error))?;
    Ok(UpdateAliasOutput {})
}

pub(super) async fn delete_alias(call: Call<DeleteAliasInput>) -> Result<DeleteAliasOutput, ApiError> {
    let operation = Operation::DeleteAlias;
    let alias = own_alias(&call.input.alias_name)?;
    let (arn, current) = found(&call, &alias).await?;
    let mut checks = vec![Check::new(operation).on(arn.clone())];
    if let Some(current) = current {
        let key = NamedKey::of_id(&call, &current.key, operation).await?;
        checks.push(key.check(&call, operation));
    }
    let _permit = call.authorize(checks).await?;
    if call.app.store.delete_kms_alias(&alias).await.map_err(failure::store)? {
        Ok(DeleteAliasOutput {})
    } else {
        Err(refusal::alias_unknown(&arn))
    }
}

pub(super) async fn list_aliases(call: Call<ListAliasesInput>) -> Result<ListAliasesOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let (input, app) = (&call.input, &call.app);
    let key = match input.key_id.as_deref().map(|text| named(&call, text, By::Key)).transpose()? {
        Some(Named::Key(key)) => Some(key),
        Some(Named::Alias(_)) | None => None,
    };
    if let Some(key) = &key
        && app.store.kms_key(key).await.map_err(failure::store)?.is_none()
    {
        return Err(refusal::key_unknown(&Arn::kms_key(&app.region, &app.account, key)));
    }
    let listing = Listing::new("ListAliases", &key);
    let page = keys::page(&call, &listing, input.marker.as_deref(), input.limit, PAGE_ALIASES)?;
    let found = app.store.kms_aliases(key.as_ref(), &page).await.map_err(failure::store)?;
    let entry = |alias: KmsAliasRecord| AliasListEntry {
        alias_arn: Some(Arn::kms_alias(&app.region, &app.account, &alias.name).into()),
        alias_name: Some(alias.name.into()),
        target_key_id: Some(alias.key.to_string()),
        creation_date: Some(alias.created_at.into()),
        last_updated_date: Some(alias.updated_at.into()),
    };
    Ok(ListAliasesOutput {
        aliases: Some(found.items.into_iter().map(entry).collect()),
        truncated: Some(found.next.is_some()),
        next_marker: found.next.map(|next| app.page_tokens.seal(&listing, &next)),
    })
}

/// An alias that is the customer's to give.
fn own_alias(text: &str) -> Result<KmsAlias, ApiError> {
    let invalid = |message: &str| ApiError::new(errors::INVALID_ALIAS_NAME_EXCEPTION, message);
    let alias: KmsAlias = text.parse().map_err(|_| {
        invalid("Alias must start with the prefix \"alias/\" and have letters, digits and /_- behind it.")
    })?;
    if alias.is_reserved() {
        return Err(invalid("Aliases that begin with \"alias/aws/\" are those of AWS's own keys."));
    }
    Ok(alias)
}

async fn found<T>(call: &Call<T>, alias: &KmsAlias) -> Result<(Arn, Option<KmsAliasRecord>), ApiError> {
    let arn = Arn::kms_alias(&call.app.region, &call.app.account, alias);
    Ok((arn, call.app.store.kms_alias(alias).await.map_err(failure::store)?))
}
