//! `DescribeTrails`: the trail, if it is among those asked for.

use postern_api::ApiError;
use postern_api::cloudtrail::{DescribeTrailsInput, DescribeTrailsOutput};

use super::trail;
use crate::routes::call::Call;

pub(super) async fn describe_trails(
    call: Call<DescribeTrailsInput>,
) -> Result<DescribeTrailsOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let found = trail::of(&call.app)?;
    let asked = call.input.trail_name_list.as_deref().unwrap_or_default();
    let is_asked = asked.is_empty() || asked.iter().any(|name| trail::is_meant(found, name));
    let trails = is_asked.then(|| trail::describe(found)).into_iter().collect();
    Ok(DescribeTrailsOutput { trail_list: Some(trails) })
}
