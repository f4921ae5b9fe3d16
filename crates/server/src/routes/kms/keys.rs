//! Keys: made, described, listed.

use postern_api::ApiError;
use postern_api::kms::{
    CreateKeyInput, CreateKeyOutput, DescribeKeyInput, DescribeKeyOutput, KeyListEntry, KeySpec,
    KeyUsageType, ListKeysInput, ListKeysOutput, Operation, OriginType, UpdateKeyDescriptionInput,
    UpdateKeyDescriptionOutput,
};
use postern_ids::{Arn, KmsKeyId};
use postern_store::{KmsKey, KmsKeyState, KmsMaterialOrigin, Page};

use super::named_key::{By, NamedKey, about_spec};
use super::{key_metadata, policies, refusal, tags};
use crate::auth::Check;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

/// A page that says no limit. Source: `ListKeys` of the KMS API Reference.
const PAGE_KEYS: u32 = 100;

pub(super) async fn create_key(call: Call<CreateKeyInput>) -> Result<CreateKeyOutput, ApiError> {
    let input = &call.input;
    require_supported(input)?;
    let app = &call.app;
    let id = KmsKeyId::from_random(app.random.bytes());
    let arn = Arn::kms_key(&app.region, &app.account, &id);
    let policy = match &input.policy {
        Some(policy) => policies::checked(policy)?,
        None => policies::default_policy(&app.account),
    };
    let tags = tags::checked(input.tags.as_deref())?;
    let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
    let about = |check| about_spec(&call, check).with_request_tags(&tags);
    let create = about(call.check()).with("kms:BypassPolicyLockoutSafetyCheck", bypass);
    let mut checks = vec![create];
    if !tags.is_empty() {
        checks.push(about(Check::new(Operation::TagResource).on(arn.clone())));
    }
    let _permit = call.authorize(checks).await?;
    call.entry.resource(&arn);
    if input.policy.is_some() && !bypass {
        policies::require_no_lockout(&call, &arn, &policy).await?;
    }
    let material =
        app.kms.new_material(1, KmsMaterialOrigin::Created, call.at).await.map_err(refusal::kms)?;
    let key = KmsKey {
        id,
        description: input.description.clone().unwrap_or_default(),
        policy,
        state: KmsKeyState::Enabled,
        rotation: None,
        created_at: call.at,
        tags,
        aliases: Vec::new(),
        current: material.name.clone(),
    };
    app.store.create_kms_key(&key, &material).await.map_err(|error| refusal::policy(&arn, error))?;
    Ok(CreateKeyOutput { key_metadata: Some(key_metadata::shown(&app.account, &arn, &key)) })
}

/// Refuses every kind of key but the one that there is.
fn require_supported(input: &CreateKeyInput) -> Result<(), ApiError> {
    let is_symmetric = input.key_spec.as_ref().is_none_or(|spec| *spec == KeySpec::SymmetricDefault)
        && input.customer_master_key_spec.as_ref().is_none_or(|spec| spec.as_str() == "SYMMETRIC_DEFAULT");
    if !is_symmetric {
        return Err(refusal::unsupported("Keys are symmetric here: KeySpec is SYMMETRIC_DEFAULT."));
    }
    if input.key_usage.as_ref().is_some_and(|usage| *usage != KeyUsageType::EncryptDecrypt) {
        let message = "The key usage of a symmetric key is ENCRYPT_DECRYPT.";
        return Err(refusal::validation(message));
    }
    if input.origin.as_ref().is_some_and(|origin| *origin != OriginType::AwsKms) {
        return Err(refusal::unsupported("Key material is made here: Origin is AWS_KMS."));
    }
    if input.multi_region == Some(true) {
        return Err(refusal::unsupported("There are no multi-Region keys: this server has one Region."));
    }
    if input.custom_key_store_id.is_some() || input.xks_key_id.is_some() {
        return Err(refusal::unsupported("There are no custom key stores."));
    }
    Ok(())
}

pub(super) async fn describe_key(call: Call<DescribeKeyInput>) -> Result<DescribeKeyOutput, ApiError> {
    let named = NamedKey::find(&call, &call.input.key_id, By::KeyOrAlias, Operation::DescribeKey).await?;
    let _permit = named.permitted(&call).await?;
    let metadata = key_metadata::shown(&call.app.account, &named.arn, &named.key);
    Ok(DescribeKeyOutput { key_metadata: Some(metadata) })
}

pub(super) async fn list_keys(call: Call<ListKeysInput>) -> Result<ListKeysOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let (input, app) = (&call.input, &call.app);
    let listing = Listing::new("ListKeys", &());
    let page = page(&call, &listing, input.marker.as_deref(), input.limit, PAGE_KEYS)?;
    let found = app.store.kms_keys(&page).await.map_err(failure::store)?;
    let entry = |id: KmsKeyId| KeyListEntry {
        key_id: Some(id.to_string()),
        key_arn: Some(Arn::kms_key(&app.region, &app.account, &id).into()),
    };
    Ok(ListKeysOutput {
        keys: Some(found.items.into_iter().map(entry).collect()),
        truncated: Some(found.next.is_some()),
        next_marker: found.next.map(|next| app.page_tokens.seal(&listing, &next)),
    })
}

pub(super) async fn update_key_description(
    call: Call<UpdateKeyDescriptionInput>,
) -> Result<UpdateKeyDescriptionOutput, ApiError> {
    let (input, operation) = (&call.input, Operation::UpdateKeyDescription);
    let named = NamedKey::find(&call, &input.key_id, By::Key, operation).await?;
    let _permit = named.permitted(&call).await?;
    named.require_staying()?;
    let described = call.app.store.describe_kms_key(&named.key.id, &input.description).await;
    match described.map_err(failure::store)? {
        true => Ok(UpdateKeyDescriptionOutput {}),
        false => Err(refusal::key_unknown(&named.arn)),
    }
}

/// The page that a listing asks for.
pub(super) fn page<T, C: serde::de::DeserializeOwned>(
    call: &Call<T>,
    listing: &Listing,
    marker: Option<&str>,
    limit: Option<i32>,
    limit_default: u32,
) -> Result<Page<C>, ApiError> {
    let open = |marker| call.app.page_tokens.open(listing, marker).ok_or_else(refusal::invalid_marker);
    let after = marker.map(open).transpose()?;
    let limit = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(limit_default);
    Ok(Page { after, limit })
}
