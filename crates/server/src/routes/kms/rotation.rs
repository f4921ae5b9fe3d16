//! Rotation: a key gets another backing key, and what the older ones encrypted stays readable.

use postern_api::ApiError;
use postern_api::kms::{
    DisableKeyRotationInput, DisableKeyRotationOutput, EnableKeyRotationInput, EnableKeyRotationOutput,
    GetKeyRotationStatusInput, GetKeyRotationStatusOutput, IncludeKeyMaterial, KeyMaterialState,
    ListKeyRotationsInput, ListKeyRotationsOutput, Operation, RotateKeyOnDemandInput,
    RotateKeyOnDemandOutput, RotationType, RotationsListEntry, errors,
};
use postern_store::{KmsMaterial, KmsMaterialOrigin, KmsRotation};

use super::named_key::{By, NamedKey};
use super::refusal;
use crate::kms::next_rotation;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

/// How often a key is rotated whose owner does not say, in days.
const PERIOD: u16 = 365;
/// Rotations of one key that somebody asked for. Source: `RotateKeyOnDemand` of the KMS API Reference.
const ON_DEMAND_MAX: usize = 25;
/// A page that says no limit. Source: `ListKeyRotations` of the KMS API Reference.
const PAGE_ROTATIONS: u32 = 100;

pub(super) async fn enable_key_rotation(
    call: Call<EnableKeyRotationInput>,
) -> Result<EnableKeyRotationOutput, ApiError> {
    let operation = Operation::EnableKeyRotation;
    let named = NamedKey::find(&call, &call.input.key_id, By::Key, operation).await?;
    // The model's constraints say that it fits.
    let days = call.input.rotation_period_in_days.and_then(|days| u16::try_from(days).ok()).unwrap_or(PERIOD);
    let check = named.check(&call, operation).with("kms:RotationPeriodInDays", i64::from(days));
    let _permit = call.authorize([check]).await?;
    named.require_usable()?;
    let rotation = Some(KmsRotation { days, at: next_rotation(call.at, days) });
    set(&call, &named, rotation).await?;
    Ok(EnableKeyRotationOutput {})
}

pub(super) async fn disable_key_rotation(
    call: Call<DisableKeyRotationInput>,
) -> Result<DisableKeyRotationOutput, ApiError> {
    let named = NamedKey::find(&call, &call.input.key_id, By::Key, Operation::DisableKeyRotation).await?;
    let _permit = named.permitted(&call).await?;
    named.require_usable()?;
    set(&call, &named, None).await?;
    Ok(DisableKeyRotationOutput {})
}

async fn set<T>(call: &Call<T>, named: &NamedKey, rotation: Option<KmsRotation>) -> Result<(), ApiError> {
    let done = call.app.store.set_kms_key_rotation(&named.key.id, rotation).await;
    if done.map_err(failure::store)? { Ok(()) } else { Err(refusal::key_unknown(&named.arn)) }
}

pub(super) async fn get_key_rotation_status(
    call: Call<GetKeyRotationStatusInput>,
) -> Result<GetKeyRotationStatusOutput, ApiError> {
    let named = NamedKey::find(&call, &call.input.key_id, By::Key, Operation::GetKeyRotationStatus).await?;
    let _permit = named.permitted(&call).await?;
    // A key that is to be deleted is not rotated.
    let rotation = named.key.rotation.filter(|_| named.require_staying().is_ok());
    Ok(GetKeyRotationStatusOutput {
        key_rotation_enabled: Some(rotation.is_some()),
        key_id: Some(named.arn.into()),
        rotation_period_in_days: rotation.map(|rotation| rotation.days.into()),
        next_rotation_date: rotation.map(|rotation| rotation.at.into()),
        on_demand_rotation_start_date: None,
    })
}

pub(super) async fn rotate_key_on_demand(
    call: Call<RotateKeyOnDemandInput>,
) -> Result<RotateKeyOnDemandOutput, ApiError> {
    let named = NamedKey::find(&call, &call.input.key_id, By::Key, Operation::RotateKeyOnDemand).await?;
    let _permit = named.permitted(&call).await?;
    named.require_usable()?;
    let materials = call.app.store.kms_materials(&named.key.id).await.map_err(failure::store)?;
    let asked_for = materials.iter().filter(|made| made.origin == KmsMaterialOrigin::OnDemand).count();
    if asked_for >= ON_DEMAND_MAX {
        let message = format!("A key is rotated on demand at most {ON_DEMAND_MAX} times.");
        return Err(ApiError::new(errors::LIMIT_EXCEEDED_EXCEPTION, message));
    }
    let rotated = call.app.kms.rotate(&named.key, KmsMaterialOrigin::OnDemand, call.at).await;
    if !rotated.map_err(refusal::kms)? {
        let message = format!("{} is being rotated.", named.arn);
        return Err(ApiError::new(errors::CONFLICT_EXCEPTION, message));
    }
    Ok(RotateKeyOnDemandOutput { key_id: Some(named.key.id.to_string()) })
}

pub(super) async fn list_key_rotations(
    call: Call<ListKeyRotationsInput>,
) -> Result<ListKeyRotationsOutput, ApiError> {
    let input = &call.input;
    let named = NamedKey::find(&call, &input.key_id, By::Key, Operation::ListKeyRotations).await?;
    let _permit = named.permitted(&call).await?;
    let shows_first = input.include_key_material == Some(IncludeKeyMaterial::AllKeyMaterial);
    let listing = Listing::new("ListKeyRotations", &(&named.key.id, shows_first));
    let page: postern_store::Page<u32> =
        super::keys::page(&call, &listing, input.marker.as_deref(), input.limit, PAGE_ROTATIONS)?;
    let materials = call.app.store.kms_materials(&named.key.id).await.map_err(failure::store)?;
    let is_shown = |made: &KmsMaterial| {
        (shows_first || made.origin != KmsMaterialOrigin::Created)
            && page.after.is_none_or(|after| made.name.version > after)
    };
    let mut shown: Vec<KmsMaterial> = materials.into_iter().filter(is_shown).collect();
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let has_more = shown.len() > limit;
    shown.truncate(limit);
    let next = shown.last().map(|made| made.name.version).filter(|_| has_more);
    Ok(ListKeyRotationsOutput {
        rotations: Some(shown.iter().map(|made| entry(&named, made)).collect()),
        truncated: Some(has_more),
        next_marker: next.map(|next| call.app.page_tokens.seal(&listing, &next)),
    })
}

fn entry(named: &NamedKey, made: &KmsMaterial) -> RotationsListEntry {
    let is_current = made.name == named.key.current;
    let (rotation_type, state) = match made.origin {
        KmsMaterialOrigin::Created => (None, is_current),
        KmsMaterialOrigin::Automatic => (Some(RotationType::Automatic), is_current),
        KmsMaterialOrigin::OnDemand => (Some(RotationType::OnDemand), is_current),
    };
    RotationsListEntry {
        key_id: Some(named.key.id.to_string()),
        key_material_id: Some(made.name.name.clone()),
        key_material_state: Some(if state {
            KeyMaterialState::Current
        } else {
            KeyMaterialState::NonCurrent
        }),
        rotation_date: rotation_type.is_some().then(|| made.created_at.into()),
        rotation_type,
        ..RotationsListEntry::default()
    }
}
