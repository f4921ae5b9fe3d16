//! `ListTrails`: the one.

use postern_api::ApiError;
use postern_api::cloudtrail::{ListTrailsInput, ListTrailsOutput, TrailInfo};

use super::trail;
use crate::routes::call::Call;

pub(super) async fn list_trails(call: Call<ListTrailsInput>) -> Result<ListTrailsOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let options = trail::of(&call.app)?.options();
    let info = TrailInfo {
        trail_arn: Some(options.arn()),
        name: Some(options.trail.name.clone()),
        home_region: Some(options.trail.region.to_string()),
    };
    Ok(ListTrailsOutput { trails: Some(vec![info]), next_token: None })
}
