//! Roles.

use jiff::SignedDuration;
use postern_api::iam::errors::UNMODIFIABLE_ENTITY_EXCEPTION;
use postern_api::iam::{
    self, CreateRoleInput, CreateRoleOutput, DeleteRoleInput, DeleteRoleOutput, GetRoleInput, GetRoleOutput,
    ListRolesInput, ListRolesOutput, UpdateAssumeRolePolicyInput, UpdateAssumeRolePolicyOutput,
    UpdateRoleDescriptionInput, UpdateRoleDescriptionOutput, UpdateRoleInput, UpdateRoleOutput,
};
use postern_api::{ApiError, Request};
use postern_iam::PolicyKind;
use postern_ids::{AccountId, Arn, IamPath, PrincipalId, PrincipalKind, RoleName};
use postern_store::{Entity, Role, RoleUpdate};

use super::marker::Asked;
use super::named::Named;
use super::{boundaries, document, refusal, shown_time, tags, users};
use crate::routes::call::Call;
use crate::routes::failure;

/// Where the roles stand that belong to a service and that only it may change.
pub(super) const SERVICE_PATH: &str = "/aws-service-role/";

/// The role of this name.
pub(super) async fn named<T: Request>(call: &Call<T>, name: &str) -> Result<Named<Role>, ApiError> {
    let name: RoleName = users::parsed(name)?;
    let found = call.app.store.role(&name).await.map_err(failure::store)?;
    Ok(match found {
        Some(role) => {
            let check = call.check().on(arn(&call.app.account, &role)).with_iam_tags(&role.tags);
            Named::new(check, Ok(role))
        }
        None => {
            let arn = Arn::role(&call.app.account, &IamPath::root(), &name);
            Named::new(call.check().on(arn), Err(refusal::not_found(&Entity::Role(name))))
        }
    })
}

/// The same for an operation that changes the role, which the roles of services do not bear.
pub(super) async fn named_modifiable<T: Request>(
    call: &Call<T>,
    name: &str,
) -> Result<Named<Role>, ApiError> {
    Ok(named(call, name).await?.and_then(|role| match role.path.as_str().starts_with(SERVICE_PATH) {
        false => Ok(role),
        true => Err(ApiError::new(
            UNMODIFIABLE_ENTITY_EXCEPTION,
            format!(
                "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
                role.name
            ),
        )),
    }))
}

/// The role's ARN.
pub(super) fn arn(account: &AccountId, role: &Role) -> Arn {
    Arn::role(account, &role.path, &role.name)
}

/// A role as operations on one role show it.
pub(super) fn shown(account: &AccountId, role: Role) -> iam::Role {
    let seconds = role.session_duration_max.as_secs();
    iam::Role {
        arn: arn(account, &role).to_string(),
        path: role.path.into(),
        role_name: role.name.into(),
        role_id: role.id.into(),
        create_date: shown_time(role.created_at),
        assume_role_policy_document: Some(document::shown(&role.trust_policy)),
        description: role.description,
        max_session_duration: i32::try_from(seconds).ok(),
        max_signin_session_duration: None,
        permissions_boundary: role.boundary.as_ref().map(boundaries::shown),
        tags: tags::shown_if_any(role.tags),
        role_last_used: Some(match role.last_used {
            Some(used) => iam::RoleLastUsed {
                last_used_date: Some(shown_time(used.at)),
                region: Some(used.region.to_string()),
            },
            None => iam::RoleLastUsed { last_used_date: None, region: None },
        }),
        source_role_template: None,
    }
}

/// A role as listings show it: without tags, boundary and last use, as IAM leaves them out.
pub(super) fn listed(account: &AccountId, role: Role) -> iam::Role {
    iam::Role { permissions_boundary: None, tags: None, role_last_used: None, ..shown(account, role) }
}

pub(super) async fn create_role(call: Call<CreateRoleInput>) -> Result<CreateRoleOutput, ApiError> {
    refuse_signin_duration(call.input.max_signin_session_duration)?;
    let name: RoleName = users::parsed(&call.input.role_name)?;
    let id = PrincipalId::from_random(PrincipalKind::Role, call.app.random.bytes());
    let trust_policy = call.input.assume_role_policy_document.as_str();
    let mut role = Role::new(name, id, trust_policy, call.at);
    role.path = users::path(call.input.path.as_deref())?;
    role.description = call.input.description.clone().filter(|text| !text.is_empty());
    role.tags = tags::checked(call.input.tags.as_deref())?;
    role.boundary = call.input.permissions_boundary.as_deref().map(boundaries::parsed).transpose()?;
    if let Some(seconds) = call.input.max_session_duration {
        role.session_duration_max = SignedDuration::from_secs(seconds.into());
    }
    let check = call.check().on(arn(&call.app.account, &role)).with_request_tags(&role.tags);
    let _permit = call.authorize([boundaries::checked_with(check, role.boundary.as_ref())]).await?;
    if role.path.as_str().starts_with(SERVICE_PATH) {
        return Err(refusal::invalid_input(format!("The path {SERVICE_PATH} is for the roles of services.")));
    }
    document::check(PolicyKind::Trust, trust_policy)?;
    boundaries::must_exist(role.boundary.as_ref())?;
    call.app.store.create_role(&role).await.map_err(refusal::identity)?;
    Ok(CreateRoleOutput { role: iam::Role { role_last_used: None, ..shown(&call.app.account, role) } })
}

pub(super) async fn get_role(call: Call<GetRoleInput>) -> Result<GetRoleOutput, ApiError> {
    let (role, _permit) = named(&call, &call.input.role_name).await?.permitted(&call).await?;
    Ok(GetRoleOutput { role: shown(&call.app.account, role) })
}

pub(super) async fn list_roles(call: Call<ListRolesInput>) -> Result<ListRolesOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let prefix = call.input.path_prefix.as_deref().unwrap_or("/");
    let asked = Asked::new(&call, &prefix, call.input.marker.as_deref(), call.input.max_items)?;
    let found = call.app.store.roles(prefix, &asked.page).await.map_err(failure::store)?;
    let rest = asked.rest(&call, found.next);
    Ok(ListRolesOutput {
        roles: found.items.into_iter().map(|role| listed(&call.app.account, role)).collect(),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

pub(super) async fn update_role(call: Call<UpdateRoleInput>) -> Result<UpdateRoleOutput, ApiError> {
    refuse_signin_duration(call.input.max_signin_session_duration)?;
    let (role, _permit) = named_modifiable(&call, &call.input.role_name).await?.permitted(&call).await?;
    let update = RoleUpdate {
        description: call.input.description.clone(),
        session_duration_max: call.input.max_session_duration.map(|s| SignedDuration::from_secs(s.into())),
        trust_policy: None,
    };
    call.app.store.update_role(&role.name, &update).await.map_err(refusal::identity)?;
    Ok(UpdateRoleOutput {})
}

pub(super) async fn update_role_description(
    call: Call<UpdateRoleDescriptionInput>,
) -> Result<UpdateRoleDescriptionOutput, ApiError> {
    let (role, _permit) = named_modifiable(&call, &call.input.role_name).await?.permitted(&call).await?;
    let update = RoleUpdate { description: Some(call.input.description.clone()), ..RoleUpdate::default() };
    let role = call.app.store.update_role(&role.name, &update).await.map_err(refusal::identity)?;
    Ok(UpdateRoleDescriptionOutput { role: Some(shown(&call.app.account, role)) })
}

pub(super) async fn update_assume_role_policy(
    call: Call<UpdateAssumeRolePolicyInput>,
) -> Result<UpdateAssumeRolePolicyOutput, ApiError> {
    let (role, _permit) = named_modifiable(&call, &call.input.role_name).await?.permitted(&call).await?;
    document::check(PolicyKind::Trust, &call.input.policy_document)?;
    let update =
        RoleUpdate { trust_policy: Some(call.input.policy_document.clone()), ..RoleUpdate::default() };
    call.app.store.update_role(&role.name, &update).await.map_err(refusal::identity)?;
    Ok(UpdateAssumeRolePolicyOutput {})
}

/// There is no `DeleteServiceLinkedRole` here, so this deletes the roles of services too.
pub(super) async fn delete_role(call: Call<DeleteRoleInput>) -> Result<DeleteRoleOutput, ApiError> {
    let (role, _permit) = named(&call, &call.input.role_name).await?.permitted(&call).await?;
    call.app.store.delete_role(&role.name).await.map_err(refusal::identity)?;
    Ok(DeleteRoleOutput {})
}

fn refuse_signin_duration(seconds: Option<i32>) -> Result<(), ApiError> {
    match seconds {
        None => Ok(()),
        Some(_) => {
            Err(refusal::invalid_input("MaxSigninSessionDuration is not kept by this server: leave it out."))
        }
    }
}
