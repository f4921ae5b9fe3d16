//! `GetTrailStatus`: whether the trail is being written.

use postern_api::ApiError;
use postern_api::cloudtrail::{GetTrailStatusInput, GetTrailStatusOutput};
use postern_audit::Health;

use super::trail;
use crate::routes::call::Call;

pub(super) async fn get_trail_status(
    call: Call<GetTrailStatusInput>,
) -> Result<GetTrailStatusOutput, ApiError> {
    let found = trail::of(&call.app)?;
    let _permit = call.authorize([call.check().on(trail::arn(found)?)]).await?;
    if !trail::is_meant(found, &call.input.name) {
        return Err(trail::unknown(&call.input.name));
    }
    // While it cannot be written, this very answer cannot be given unless reads go on without.
    let (stopped, error) = match found.health() {
        Health::Sound => (None, None),
        Health::Broken { since, error } => (Some(since), Some(error.to_string())),
    };
    Ok(GetTrailStatusOutput {
        is_logging: Some(stopped.is_none()),
        latest_delivery_error: error,
        stop_logging_time: stopped.map(Into::into),
        ..GetTrailStatusOutput::default()
    })
}
