//! `ListPublicKeys`: the keys that digests of a range of time were signed with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use postern_api::cloudtrail::{ListPublicKeysInput, ListPublicKeysOutput, PublicKey, errors};
use postern_api::{ApiError, Blob};

use super::trail;
use crate::routes::call::Call;

pub(super) async fn list_public_keys(
    call: Call<ListPublicKeysInput>,
) -> Result<ListPublicKeysOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let found = trail::of(&call.app)?;
    if call.input.next_token.is_some() {
        let message = "There is one page of keys.";
        return Err(ApiError::new(errors::INVALID_TOKEN_EXCEPTION, message));
    }
    let start: Option<Timestamp> = call.input.start_time.map(Into::into);
    let end: Option<Timestamp> = call.input.end_time.map(Into::into);
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        let message = "The start time must not be after the end time.";
        return Err(ApiError::new(errors::INVALID_TIME_RANGE_EXCEPTION, message));
    }
    let described = |key: postern_audit::PublicKey| PublicKey {
        value: STANDARD.decode(&key.value).ok().map(Blob),
        validity_start_time: Some(key.validity_start_time.into()),
        validity_end_time: Some(key.validity_end_time.into()),
        fingerprint: Some(key.fingerprint),
    };
    let keys = found.public_keys(start, end).into_iter().map(described).collect();
    Ok(ListPublicKeysOutput { public_key_list: Some(keys), next_token: None })
}
