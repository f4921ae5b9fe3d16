//! Users' long-term access keys. The secret is told once, by `CreateAccessKey`.

use postern_api::iam::{
    self, AccessKeyLastUsed, AccessKeyMetadata, CreateAccessKeyInput, CreateAccessKeyOutput,
    DeleteAccessKeyInput, DeleteAccessKeyOutput, GetAccessKeyLastUsedInput, GetAccessKeyLastUsedOutput,
    ListAccessKeysInput, ListAccessKeysOutput, StatusType, UpdateAccessKeyInput, UpdateAccessKeyOutput,
};
use postern_api::{ApiError, Secret};
use postern_ids::AccessKeyId;
use postern_store::{AccessKey, Entity, KeyStatus};

use super::marker::Asked;
use super::{refusal, shown_time, users};
use crate::random::secret_access_key;
use crate::routes::call::Call;
use crate::routes::failure;

/// What IAM shows of a key that was never used.
const NEVER: &str = "N/A";

pub(super) async fn create_access_key(
    call: Call<CreateAccessKeyInput>,
) -> Result<CreateAccessKeyOutput, ApiError> {
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    let id = AccessKeyId::long_term(call.app.random.bytes());
    let key = AccessKey::new(id, secret_access_key(&*call.app.random), user.name, call.at);
    call.app.store.create_access_key(&key).await.map_err(refusal::identity)?;
    Ok(CreateAccessKeyOutput {
        access_key: iam::AccessKey {
            user_name: key.user.into(),
            access_key_id: key.id.into(),
            status: shown_status(key.status),
            secret_access_key: Secret::from(key.secret.expose_secret().as_str()),
            create_date: Some(shown_time(key.created_at)),
        },
    })
}

pub(super) async fn list_access_keys(
    call: Call<ListAccessKeysInput>,
) -> Result<ListAccessKeysOutput, ApiError> {
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    let asked = Asked::new(&call, &user.id, call.input.marker.as_deref(), call.input.max_items)?;
    let keys = call.app.store.access_keys(&user.name).await.map_err(refusal::identity)?;
    let (keys, next) = asked.cut(keys, |key| (key.created_at.as_microsecond(), key.id.to_string()));
    let rest = asked.rest(&call, next);
    Ok(ListAccessKeysOutput {
        access_key_metadata: keys.into_iter().map(metadata).collect(),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

fn metadata(key: AccessKey) -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name: Some(key.user.into()),
        access_key_id: Some(key.id.into()),
        status: Some(shown_status(key.status)),
        create_date: Some(shown_time(key.created_at)),
    }
}

fn shown_status(status: KeyStatus) -> StatusType {
    match status {
        KeyStatus::Active => StatusType::Active,
        KeyStatus::Inactive => StatusType::Inactive,
    }
}

pub(super) async fn update_access_key(
    call: Call<UpdateAccessKeyInput>,
) -> Result<UpdateAccessKeyOutput, ApiError> {
    let status = match call.input.status {
        StatusType::Active => KeyStatus::Active,
        StatusType::Inactive => KeyStatus::Inactive,
        StatusType::Expired | StatusType::Unknown(_) => {
            return Err(refusal::invalid_input("The status of an access key can be Active or Inactive."));
        }
    };
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    let id = users::parsed(&call.input.access_key_id)?;
    call.app.store.set_access_key_status(&user.name, &id, status).await.map_err(refusal::identity)?;
    Ok(UpdateAccessKeyOutput {})
}

pub(super) async fn delete_access_key(
    call: Call<DeleteAccessKeyInput>,
) -> Result<DeleteAccessKeyOutput, ApiError> {
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    let id = users::parsed(&call.input.access_key_id)?;
    call.app.store.delete_access_key(&user.name, &id).await.map_err(refusal::identity)?;
    Ok(DeleteAccessKeyOutput {})
}

pub(super) async fn get_access_key_last_used(
    call: Call<GetAccessKeyLastUsedInput>,
) -> Result<GetAccessKeyLastUsedOutput, ApiError> {
    let id: AccessKeyId = users::parsed(&call.input.access_key_id)?;
    let Some(key) = call.app.store.access_key(&id).await.map_err(failure::store)? else {
        let _permit = call.authorize([call.check()]).await?;
        return Err(refusal::not_found(&Entity::AccessKey(id)));
    };
    let (user, _permit) = users::named(&call, key.user.as_str()).await?.permitted(&call).await?;
    let last_used = match key.last_used {
        Some(used) => AccessKeyLastUsed {
            last_used_date: Some(shown_time(used.at)),
            service_name: used.service,
            region: used.region,
        },
        None => AccessKeyLastUsed {
            last_used_date: None,
            service_name: NEVER.to_owned(),
            region: NEVER.to_owned(),
        },
    };
    Ok(GetAccessKeyLastUsedOutput {
        user_name: Some(user.name.into()),
        access_key_last_used: Some(last_used),
    })
}
