//! Users, groups and roles as what holds policies.

use postern_api::{ApiError, Request};
use postern_store::PolicyHolder;

use super::named::Named;
use super::{boundaries, groups, roles, users};
use crate::routes::call::Call;

/// The user of this name. What bounds it counts in checks, as what it is given counts only within that.
pub(super) async fn user<T: Request>(call: &Call<T>, name: &str) -> Result<Named<PolicyHolder>, ApiError> {
    let named = users::named(call, name).await?;
    let named = named
        .checked_with(|check, user| boundaries::checked_with(check, user.and_then(|u| u.boundary.as_ref())));
    Ok(named.map(|user| PolicyHolder::User(user.name)))
}

/// The group of this name.
pub(super) async fn group<T: Request>(call: &Call<T>, name: &str) -> Result<Named<PolicyHolder>, ApiError> {
    Ok(groups::named(call, name).await?.map(|group| PolicyHolder::Group(group.name)))
}

/// The role of this name.
pub(super) async fn role<T: Request>(call: &Call<T>, name: &str) -> Result<Named<PolicyHolder>, ApiError> {
    Ok(roles::named(call, name).await?.map(|role| PolicyHolder::Role(role.name)))
}

/// The role of this name, to give it policies or take them; see [`user`].
pub(super) async fn modifiable_role<T: Request>(
    call: &Call<T>,
    name: &str,
) -> Result<Named<PolicyHolder>, ApiError> {
    let named = roles::named_modifiable(call, name).await?;
    let named = named
        .checked_with(|check, role| boundaries::checked_with(check, role.and_then(|r| r.boundary.as_ref())));
    Ok(named.map(|role| PolicyHolder::Role(role.name)))
}
