//! Which users belong to which groups.

use postern_api::ApiError;
use postern_api::iam::{
    AddUserToGroupInput, AddUserToGroupOutput, ListGroupsForUserInput, ListGroupsForUserOutput,
    RemoveUserFromGroupInput, RemoveUserFromGroupOutput,
};

use super::marker::Asked;
use super::{groups, refusal, users};
use crate::routes::call::Call;

pub(super) async fn add_user_to_group(
    call: Call<AddUserToGroupInput>,
) -> Result<AddUserToGroupOutput, ApiError> {
    let (group, _permit) = groups::named(&call, &call.input.group_name).await?.permitted(&call).await?;
    let user = users::existing_name(&call.input.user_name)?;
    call.app.store.add_user_to_group(&group.name, &user).await.map_err(refusal::identity)?;
    Ok(AddUserToGroupOutput {})
}

pub(super) async fn remove_user_from_group(
    call: Call<RemoveUserFromGroupInput>,
) -> Result<RemoveUserFromGroupOutput, ApiError> {
    let (group, _permit) = groups::named(&call, &call.input.group_name).await?.permitted(&call).await?;
    let user = users::existing_name(&call.input.user_name)?;
    call.app.store.remove_user_from_group(&group.name, &user).await.map_err(refusal::identity)?;
    Ok(RemoveUserFromGroupOutput {})
}

pub(super) async fn list_groups_for_user(
    call: Call<ListGroupsForUserInput>,
) -> Result<ListGroupsForUserOutput, ApiError> {
    let (user, _permit) = users::named(&call, &call.input.user_name).await?.permitted(&call).await?;
    let asked = Asked::new(&call, &user.id, call.input.marker.as_deref(), call.input.max_items)?;
    let found = call.app.store.groups_of_user(&user.name).await.map_err(refusal::identity)?;
    let (found, next) = asked.cut(found, |group| group.name.to_string());
    let rest = asked.rest(&call, next);
    Ok(ListGroupsForUserOutput {
        groups: found.into_iter().map(|group| groups::shown(&call.app.account, group)).collect(),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}
