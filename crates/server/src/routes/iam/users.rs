//! Users.

use postern_api::iam::{
    self, CreateUserInput, CreateUserOutput, DeleteUserInput, DeleteUserOutput, GetUserInput, GetUserOutput,
    ListUsersInput, ListUsersOutput, UpdateUserInput, UpdateUserOutput,
};
use postern_api::{ApiError, Request};
use postern_ids::{AccountId, Arn, IamPath, PrincipalId, PrincipalKind, UserName};
use postern_store::{Entity, NewName, User};

use super::marker::Asked;
use super::named::Named;
use super::{boundaries, refusal, shown_time, tags};
use crate::auth::Principal;
use crate::routes::call::Call;
use crate::routes::failure;

/// The user of this name.
pub(super) async fn named<T: Request>(call: &Call<T>, name: &str) -> Result<Named<User>, ApiError> {
    let check = call.check();
    // Names that are longer than users' may be are nobody's.
    let Ok(name) = name.parse::<UserName>() else { return Ok(Named::new(check, Err(unknown(name)))) };
    let found = call.app.store.user(&name).await.map_err(failure::store)?;
    Ok(match found {
        Some(user) => {
            let check = check.on(arn(&call.app.account, &user)).with_iam_tags(&user.tags);
            Named::new(check, Ok(user))
        }
        None => {
            let arn = Arn::user(&call.app.account, &IamPath::root(), &name);
            Named::new(check.on(arn), Err(refusal::not_found(&Entity::User(name))))
        }
    })
}

/// A name that a user may have.
pub(super) fn existing_name(name: &str) -> Result<UserName, ApiError> {
    name.parse().map_err(|_| unknown(name))
}

fn unknown(name: &str) -> ApiError {
    refusal::no_such_entity(format!("The user with name {name} cannot be found."))
}

/// The user of this name; without one, the caller.
pub(super) async fn named_or_own<T: Request>(
    call: &Call<T>,
    name: Option<&str>,
) -> Result<Named<User>, ApiError> {
    match (name, &call.caller.principal) {
        (Some(name), _) => named(call, name).await,
        (None, Principal::User { name, .. }) => named(call, name.as_str()).await,
        (None, _) => Err(refusal::validation("Must specify userName when calling with non-User credentials")),
    }
}

/// The user's ARN.
pub(super) fn arn(account: &AccountId, user: &User) -> Arn {
    Arn::user(account, &user.path, &user.name)
}

/// A user as operations on one user show it.
pub(super) fn shown(account: &AccountId, user: User) -> iam::User {
    iam::User {
        arn: arn(account, &user).to_string(),
        path: user.path.into(),
        user_name: user.name.into(),
        user_id: user.id.into(),
        create_date: shown_time(user.created_at),
        password_last_used: user.password_last_used_at.map(shown_time),
        permissions_boundary: user.boundary.as_ref().map(boundaries::shown),
        tags: tags::shown_if_any(user.tags),
    }
}

/// A user as listings show it: without tags and boundary, as IAM leaves them out.
pub(super) fn listed(account: &AccountId, user: User) -> iam::User {
    iam::User { permissions_boundary: None, tags: None, ..shown(account, user) }
}

pub(super) async fn create_user(call: Call<CreateUserInput>) -> Result<CreateUserOutput, ApiError> {
    let name: UserName = parsed(&call.input.user_name)?;
    let id = PrincipalId::from_random(PrincipalKind::User, call.app.random.bytes());
    let mut user = User::new(name, id, call.at);
    user.path = path(call.input.path.as_deref())?;
    user.tags = tags::checked(call.input.tags.as_deref())?;
    user.boundary = call.input.permissions_boundary.as_deref().map(boundaries::parsed).transpose()?;
    let check = call.check().on(arn(&call.app.account, &user)).with_request_tags(&user.tags);
    let _permit = call.authorize([boundaries::checked_with(check, user.boundary.as_ref())]).await?;
    boundaries::must_exist(user.boundary.as_ref())?;
    refuse_confusing(&call, &user.name, None).await?;
    call.app.store.create_user(&user).await.map_err(refusal::identity)?;
    Ok(CreateUserOutput { user: Some(shown(&call.app.account, user)) })
}

pub(super) async fn get_user(call: Call<GetUserInput>) -> Result<GetUserOutput, ApiError> {
    let named = named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    Ok(GetUserOutput { user: shown(&call.app.account, user) })
}

pub(super) async fn list_users(call: Call<ListUsersInput>) -> Result<ListUsersOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let prefix = call.input.path_prefix.as_deref().unwrap_or("/");
    let asked = Asked::new(&call, &prefix, call.input.marker.as_deref(), call.input.max_items)?;
    let found = call.app.store.users(prefix, &asked.page).await.map_err(failure::store)?;
    let rest = asked.rest(&call, found.next);
    Ok(ListUsersOutput {
        users: found.items.into_iter().map(|user| listed(&call.app.account, user)).collect(),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

pub(super) async fn update_user(call: Call<UpdateUserInput>) -> Result<UpdateUserOutput, ApiError> {
    let named = named(&call, &call.input.user_name).await?;
    let new = NewName {
        name: call.input.new_user_name.as_deref().map(parsed::<UserName>).transpose()?,
        path: call.input.new_path.as_deref().map(|text| path(Some(text))).transpose()?,
    };
    // Whoever renames a user also needs leave for the user of the new name, as IAM demands.
    let mut old = existing_name(&call.input.user_name)?;
    let mut path = IamPath::root();
    let named = named.checked_with(|check, user| {
        old = user.map_or_else(|| old.clone(), |user| user.name.clone());
        path = new.path.clone().or_else(|| user.map(|user| user.path.clone())).unwrap_or_default();
        check
    });
    let renamed = Arn::user(&call.app.account, &path, new.name.as_ref().unwrap_or(&old));
    let (user, _permit) = named.permitted_with(&call, vec![call.check().on(renamed)]).await?;
    if let Some(name) = &new.name {
        refuse_confusing(&call, name, Some(&user.name)).await?;
    }
    call.app.store.update_user(&user.name, &new).await.map_err(refusal::identity)?;
    Ok(UpdateUserOutput {})
}

pub(super) async fn delete_user(call: Call<DeleteUserInput>) -> Result<DeleteUserOutput, ApiError> {
    let (user, _permit) = named(&call, &call.input.user_name).await?.permitted(&call).await?;
    call.app.store.delete_user(&user.name).await.map_err(refusal::identity)?;
    Ok(DeleteUserOutput {})
}

/// Session identifiers begin with the user's name and a hyphen, and policies say `session/${aws:username}-*`: with
/// users `ali` and `ali-ce`, the one would be let to the other's sessions.
async fn refuse_confusing<T>(
    call: &Call<T>,
    name: &UserName,
    old: Option<&UserName>,
) -> Result<(), ApiError> {
    let other = call.app.store.user_confused_with(name.as_str(), old).await.map_err(failure::store)?;
    match other {
        None => Ok(()),
        Some(other) => Err(refusal::invalid_input(format!(
            "The name {name} and that of the user {other} are the same up to a hyphen. A policy for \
             session/${{aws:username}}-* would let one of them use the other's sessions: choose another name."
        ))),
    }
}

/// A name that the model's constraints have let through.
pub(super) fn parsed<N: std::str::FromStr>(text: &str) -> Result<N, ApiError>
where
    N::Err: std::fmt::Display,
{
    text.parse().map_err(|error: N::Err| refusal::validation(error.to_string()))
}

/// The path that is given, or that of everything that is given none.
pub(super) fn path(text: Option<&str>) -> Result<IamPath, ApiError> {
    text.map_or_else(|| Ok(IamPath::root()), parsed)
}
