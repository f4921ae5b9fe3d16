//! The states of a key: enabled, disabled, waiting for its deletion.

use jiff::SignedDuration;
use postern_api::kms::{
    CancelKeyDeletionInput, CancelKeyDeletionOutput, DisableKeyInput, DisableKeyOutput, EnableKeyInput,
    EnableKeyOutput, Operation, ScheduleKeyDeletionInput, ScheduleKeyDeletionOutput,
};
use postern_api::{ApiError, Request};
use postern_store::KmsKeyState;

use super::named_key::{By, NamedKey};
use super::{key_metadata, refusal};
use crate::auth::Action;
use crate::routes::call::Call;
use crate::routes::failure;

/// How long a key waits for its deletion, in days. Source: `ScheduleKeyDeletion` of the KMS API Reference.
const WAITS_MIN: i32 = 7;
const WAITS_MAX: i32 = 30;

pub(super) async fn enable_key(call: Call<EnableKeyInput>) -> Result<EnableKeyOutput, ApiError> {
    set(&call, &call.input.key_id, KmsKeyState::Enabled).await?;
    Ok(EnableKeyOutput {})
}

pub(super) async fn disable_key(call: Call<DisableKeyInput>) -> Result<DisableKeyOutput, ApiError> {
    set(&call, &call.input.key_id, KmsKeyState::Disabled).await?;
    Ok(DisableKeyOutput {})
}

async fn set<T: Request>(call: &Call<T>, key_id: &str, state: KmsKeyState) -> Result<(), ApiError> {
    let named = NamedKey::find(call, key_id, By::Key, Action::from(T::OPERATION)).await?;
    let _permit = named.permitted(call).await?;
    named.require_staying()?;
    change(call, &named, state).await
}

pub(super) async fn schedule_key_deletion(
    call: Call<ScheduleKeyDeletionInput>,
) -> Result<ScheduleKeyDeletionOutput, ApiError> {
    let days = waits(call.input.pending_window_in_days)?;
    let operation = Operation::ScheduleKeyDeletion;
    let named = NamedKey::find(&call, &call.input.key_id, By::Key, operation).await?;
    let check = named.check(&call, operation);
    let check = check.with("kms:ScheduleKeyDeletionPendingWindowInDays", i64::from(days));
    let _permit = call.authorize([check]).await?;
    named.require_staying()?;
    let at = call.at.checked_add(SignedDuration::from_hours(i64::from(days) * 24));
    let at = at.map_err(|error| failure::internal(&error))?;
    let state = KmsKeyState::PendingDeletion { at, days };
    change(&call, &named, state).await?;
    Ok(ScheduleKeyDeletionOutput {
        key_id: Some(named.arn.into()),
        deletion_date: Some(at.into()),
        key_state: Some(key_metadata::state(state)),
        pending_window_in_days: Some(days.into()),
    })
}

pub(super) async fn cancel_key_deletion(
    call: Call<CancelKeyDeletionInput>,
) -> Result<CancelKeyDeletionOutput, ApiError> {
    let named = NamedKey::find(&call, &call.input.key_id, By::Key, Operation::CancelKeyDeletion).await?;
    let _permit = named.permitted(&call).await?;
    if named.require_staying().is_ok() {
        return Err(refusal::invalid_state(format!("{} is not pending deletion.", named.arn)));
    }
    // Whoever wants it back says so once more.
    change(&call, &named, KmsKeyState::Disabled).await?;
    Ok(CancelKeyDeletionOutput { key_id: Some(named.arn.into()) })
}

fn waits(days: Option<i32>) -> Result<u16, ApiError> {
    let days = days.unwrap_or(WAITS_MAX);
    let valid = u16::try_from(days).ok().filter(|_| (WAITS_MIN..=WAITS_MAX).contains(&days));
    valid.ok_or_else(|| {
        refusal::validation(format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: \
             Member must have value between {WAITS_MIN} and {WAITS_MAX}"
        ))
    })
}

async fn change<T>(call: &Call<T>, named: &NamedKey, to: KmsKeyState) -> Result<(), ApiError> {
    let from = named.key.state;
    if from == to {
        return Ok(());
    }
    let changed = call.app.store.change_kms_key_state(&named.key.id, from, to).await;
    if changed.map_err(failure::store)? { Ok(()) } else { Err(refusal::changed_meanwhile(&named.arn)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_waits_between_a_week_and_a_month() {
        assert_eq!(waits(None).unwrap(), 30);
        assert_eq!((waits(Some(7)).unwrap(), waits(Some(30)).unwrap()), (7, 30));
        for wrong in [-1, 0, 6, 31, i32::MAX] {
            assert_eq!(waits(Some(wrong)).unwrap_err().code.name(), "ValidationException", "{wrong}");
        }
    }
}
