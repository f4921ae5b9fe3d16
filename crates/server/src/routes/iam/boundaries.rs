//! Permissions boundaries of users and roles.

use postern_api::iam::{
    AttachedPermissionsBoundary, DeleteRolePermissionsBoundaryInput, DeleteRolePermissionsBoundaryOutput,
    DeleteUserPermissionsBoundaryInput, DeleteUserPermissionsBoundaryOutput,
    PermissionsBoundaryAttachmentType, PutRolePermissionsBoundaryInput, PutRolePermissionsBoundaryOutput,
    PutUserPermissionsBoundaryInput, PutUserPermissionsBoundaryOutput,
};
use postern_api::{ApiError, Request};
use postern_ids::PolicyArn;
use postern_store::{Entity, PrincipalName, Role, User};

use super::named::Named;
use super::{managed_policies, refusal, roles, users};
use crate::auth::Check;
use crate::routes::call::Call;

/// What policies call the boundary that an operation is about.
const CONTEXT_KEY: &str = "iam:PermissionsBoundary";

/// The managed policy that a call wants to set as boundary.
pub(super) fn parsed(text: &str) -> Result<PolicyArn, ApiError> {
    text.parse().map_err(|_| refusal::invalid_input(format!("ARN {text} is not valid.")))
}

/// Refuses an AWS managed policy that does not exist; whether one of the account does, the store says.
pub(super) fn must_exist(boundary: Option<&PolicyArn>) -> Result<(), ApiError> {
    match boundary {
        Some(arn) if arn.is_aws_managed() && managed_policies::aws_managed(arn).is_none() => {
            Err(refusal::not_found(&Entity::Policy(arn.clone())))
        }
        _ => Ok(()),
    }
}

/// The check of an operation that is about this boundary.
pub(super) fn checked_with(check: Check, boundary: Option<&PolicyArn>) -> Check {
    match boundary {
        Some(arn) => check.with(CONTEXT_KEY, arn.as_str()),
        None => check,
    }
}

/// As the API shows it.
pub(super) fn shown(boundary: &PolicyArn) -> AttachedPermissionsBoundary {
    AttachedPermissionsBoundary {
        permissions_boundary_type: Some(PermissionsBoundaryAttachmentType::PermissionsBoundaryPolicy),
        permissions_boundary_arn: Some(boundary.to_string()),
    }
}

async fn put<T: Request>(
    call: &Call<T>,
    named: Named<PrincipalName>,
    boundary: &str,
) -> Result<(), ApiError> {
    let boundary = parsed(boundary)?;
    let named = named.checked_with(|check, _| checked_with(check, Some(&boundary)));
    let (principal, _permit) = named.permitted(call).await?;
    must_exist(Some(&boundary))?;
    call.app.store.set_boundary(&principal, Some(&boundary)).await.map_err(refusal::identity)
}

async fn delete<T: Request>(call: &Call<T>, named: Named<PrincipalName>) -> Result<(), ApiError> {
    let (principal, _permit) = named.permitted(call).await?;
    call.app.store.set_boundary(&principal, None).await.map_err(refusal::identity)
}

fn of_user(user: User) -> PrincipalName {
    PrincipalName::User(user.name)
}

fn of_role(role: Role) -> PrincipalName {
    PrincipalName::Role(role.name)
}

pub(super) async fn put_user_permissions_boundary(
    call: Call<PutUserPermissionsBoundaryInput>,
) -> Result<PutUserPermissionsBoundaryOutput, ApiError> {
    let named = users::named(&call, &call.input.user_name).await?;
    put(&call, named.map(of_user), &call.input.permissions_boundary).await?;
    Ok(PutUserPermissionsBoundaryOutput {})
}

pub(super) async fn delete_user_permissions_boundary(
    call: Call<DeleteUserPermissionsBoundaryInput>,
) -> Result<DeleteUserPermissionsBoundaryOutput, ApiError> {
    let named = users::named(&call, &call.input.user_name).await?;
    let named =
        named.checked_with(|check, user| checked_with(check, user.and_then(|user| user.boundary.as_ref())));
    delete(&call, named.map(of_user)).await?;
    Ok(DeleteUserPermissionsBoundaryOutput {})
}

pub(super) async fn put_role_permissions_boundary(
    call: Call<PutRolePermissionsBoundaryInput>,
) -> Result<PutRolePermissionsBoundaryOutput, ApiError> {
    let named = roles::named_modifiable(&call, &call.input.role_name).await?;
    put(&call, named.map(of_role), &call.input.permissions_boundary).await?;
    Ok(PutRolePermissionsBoundaryOutput {})
}

pub(super) async fn delete_role_permissions_boundary(
    call: Call<DeleteRolePermissionsBoundaryInput>,
) -> Result<DeleteRolePermissionsBoundaryOutput, ApiError> {
    let named = roles::named_modifiable(&call, &call.input.role_name).await?;
    let named =
        named.checked_with(|check, role| checked_with(check, role.and_then(|role| role.boundary.as_ref())));
    delete(&call, named.map(of_role)).await?;
    Ok(DeleteRolePermissionsBoundaryOutput {})
}
