//! Groups.

use postern_api::iam::{
    self, CreateGroupInput, CreateGroupOutput, DeleteGroupInput, DeleteGroupOutput, GetGroupInput,
    GetGroupOutput, ListGroupsInput, ListGroupsOutput, UpdateGroupInput, UpdateGroupOutput,
};
use postern_api::{ApiError, Request};
use postern_ids::{AccountId, Arn, GroupName, IamPath, PrincipalId, PrincipalKind};
use postern_store::{Entity, Group, NewName};

use super::marker::Asked;
use super::named::Named;
use super::{refusal, shown_time, users};
use crate::routes::call::Call;
use crate::routes::failure;

/// The group of this name.
pub(super) async fn named<T: Request>(call: &Call<T>, name: &str) -> Result<Named<Group>, ApiError> {
    let name: GroupName = users::parsed(name)?;
    let found = call.app.store.group(&name).await.map_err(failure::store)?;
    Ok(match found {
        Some(group) => Named::new(call.check().on(arn(&call.app.account, &group)), Ok(group)),
        None => {
            let arn = Arn::group(&call.app.account, &IamPath::root(), &name);
            Named::new(call.check().on(arn), Err(refusal::not_found(&Entity::Group(name))))
        }
    })
}

/// The group's ARN.
pub(super) fn arn(account: &AccountId, group: &Group) -> Arn {
    Arn::group(account, &group.path, &group.name)
}

/// As the API shows it.
pub(super) fn shown(account: &AccountId, group: Group) -> iam::Group {
    iam::Group {
        arn: arn(account, &group).to_string(),
        path: group.path.into(),
        group_name: group.name.into(),
        group_id: group.id.into(),
        create_date: shown_time(group.created_at),
    }
}

pub(super) async fn create_group(call: Call<CreateGroupInput>) -> Result<CreateGroupOutput, ApiError> {
    let group = Group {
        name: users::parsed(&call.input.group_name)?,
        id: PrincipalId::from_random(PrincipalKind::Group, call.app.random.bytes()),
        path: users::path(call.input.path.as_deref())?,
        created_at: call.at,
    };
    let _permit = call.authorize([call.check().on(arn(&call.app.account, &group))]).await?;
    call.app.store.create_group(&group).await.map_err(refusal::identity)?;
    Ok(CreateGroupOutput { group: shown(&call.app.account, group) })
}

/// The group with its members.
pub(super) async fn get_group(call: Call<GetGroupInput>) -> Result<GetGroupOutput, ApiError> {
    let (group, _permit) = named(&call, &call.input.group_name).await?.permitted(&call).await?;
    let asked = Asked::new(&call, &group.id, call.input.marker.as_deref(), call.input.max_items)?;
    let found = call.app.store.group_members(&group.name, &asked.page).await.map_err(refusal::identity)?;
    let rest = asked.rest(&call, found.next);
    Ok(GetGroupOutput {
        group: shown(&call.app.account, group),
        users: found.items.into_iter().map(|user| users::listed(&call.app.account, user)).collect(),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

pub(super) async fn list_groups(call: Call<ListGroupsInput>) -> Result<ListGroupsOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let prefix = call.input.path_prefix.as_deref().unwrap_or("/");
    let asked = Asked::new(&call, &prefix, call.input.marker.as_deref(), call.input.max_items)?;
    let found = call.app.store.groups(prefix, &asked.page).await.map_err(failure::store)?;
    let rest = asked.rest(&call, found.next);
    Ok(ListGroupsOutput {
        groups: found.items.into_iter().map(|group| shown(&call.app.account, group)).collect(),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

pub(super) async fn update_group(call: Call<UpdateGroupInput>) -> Result<UpdateGroupOutput, ApiError> {
    let new = NewName {
        name: call.input.new_group_name.as_deref().map(users::parsed::<GroupName>).transpose()?,
        path: call.input.new_path.as_deref().map(|text| users::path(Some(text))).transpose()?,
    };
    // Whoever renames a group also needs leave for the group of the new name, as IAM demands.
    let mut old: GroupName = users::parsed(&call.input.group_name)?;
    let mut path = IamPath::root();
    let named = named(&call, &call.input.group_name).await?.checked_with(|check, group| {
        old = group.map_or_else(|| old.clone(), |group| group.name.clone());
        path = new.path.clone().or_else(|| group.map(|group| group.path.clone())).unwrap_or_default();
        check
    });
    let renamed = Arn::group(&call.app.account, &path, new.name.as_ref().unwrap_or(&old));
    let (group, _permit) = named.permitted_with(&call, vec![call.check().on(renamed)]).await?;
    call.app.store.update_group(&group.name, &new).await.map_err(refusal::identity)?;
    Ok(UpdateGroupOutput {})
}

pub(super) async fn delete_group(call: Call<DeleteGroupInput>) -> Result<DeleteGroupOutput, ApiError> {
    let (group, _permit) = named(&call, &call.input.group_name).await?.permitted(&call).await?;
    call.app.store.delete_group(&group.name).await.map_err(refusal::identity)?;
    Ok(DeleteGroupOutput {})
}
