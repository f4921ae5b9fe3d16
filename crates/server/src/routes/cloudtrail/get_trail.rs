//! `GetTrail`: the trail by its name or ARN.

use postern_api::ApiError;
use postern_api::cloudtrail::{GetTrailInput, GetTrailOutput};

use super::trail;
use crate::routes::call::Call;

pub(super) async fn get_trail(call: Call<GetTrailInput>) -> Result<GetTrailOutput, ApiError> {
    let found = trail::of(&call.app)?;
    let _permit = call.authorize([call.check().on(trail::arn(found)?)]).await?;
    if !trail::is_meant(found, &call.input.name) {
        return Err(trail::unknown(&call.input.name));
    }
    Ok(GetTrailOutput { trail: Some(trail::describe(found)) })
}
