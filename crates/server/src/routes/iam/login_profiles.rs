//! Users' passwords.

use postern_api::iam::errors::INVALID_USER_TYPE_EXCEPTION;
use postern_api::iam::{
    self, ChangePasswordInput, ChangePasswordOutput, CreateLoginProfileInput, CreateLoginProfileOutput,
    DeleteLoginProfileInput, DeleteLoginProfileOutput, GetLoginProfileInput, GetLoginProfileOutput,
    UpdateLoginProfileInput, UpdateLoginProfileOutput,
};
use postern_api::{ApiError, Secret};
use postern_ids::UserName;
use postern_store::{Entity, LoginProfile, LoginProfileUpdate};

use super::{password_rules, refusal, shown_time, users};
use crate::auth::{PasswordRefused, Principal};
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn create_login_profile(
    call: Call<CreateLoginProfileInput>,
) -> Result<CreateLoginProfileOutput, ApiError> {
    refuse_signin_duration(call.input.max_signin_session_duration)?;
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    let password =
        call.input.password.as_ref().ok_or_else(|| refusal::invalid_input("A password is required."))?;
    let profile = LoginProfile {
        password_hash: hashed(&call, &user.name, password).await?,
        user: user.name,
        reset_required: call.input.password_reset_required.unwrap_or(false),
        created_at: call.at,
    };
    call.app.store.create_login_profile(&profile).await.map_err(refusal::identity)?;
    Ok(CreateLoginProfileOutput { login_profile: shown(profile) })
}

pub(super) async fn get_login_profile(
    call: Call<GetLoginProfileInput>,
) -> Result<GetLoginProfileOutput, ApiError> {
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    let profile = call.app.store.login_profile(&user.name).await.map_err(failure::store)?;
    let profile = profile.ok_or_else(|| refusal::not_found(&Entity::LoginProfile(user.name)))?;
    Ok(GetLoginProfileOutput { login_profile: shown(profile) })
}

pub(super) async fn update_login_profile(
    call: Call<UpdateLoginProfileInput>,
) -> Result<UpdateLoginProfileOutput, ApiError> {
    refuse_signin_duration(call.input.max_signin_session_duration)?;
    let (user, _permit) = users::named(&call, &call.input.user_name).await?.permitted(&call).await?;
    let password_hash = match &call.input.password {
        Some(password) => Some(hashed(&call, &user.name, password).await?),
        None => None,
    };
    let reset_required = call.input.password_reset_required;
    let update = LoginProfileUpdate { password_hash, reset_required, ..LoginProfileUpdate::default() };
    call.app.store.update_login_profile(&user.name, &update).await.map_err(refusal::identity)?;
    Ok(UpdateLoginProfileOutput {})
}

pub(super) async fn delete_login_profile(
    call: Call<DeleteLoginProfileInput>,
) -> Result<DeleteLoginProfileOutput, ApiError> {
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    call.app.store.delete_login_profile(&user.name).await.map_err(refusal::identity)?;
    Ok(DeleteLoginProfileOutput {})
}

/// A user's change of the own password, which takes the old one.
pub(super) async fn change_password(
    call: Call<ChangePasswordInput>,
) -> Result<ChangePasswordOutput, ApiError> {
    let Principal::User { name, .. } = &call.caller.principal else {
        let message = "Only IAM Users can change their own password";
        return Err(ApiError::new(INVALID_USER_TYPE_EXCEPTION, message));
    };
    let (user, _permit) = users::named(&call, name.as_str()).await?.permitted(&call).await?;
    let app = &call.app;
    let old = call.input.old_password.expose_secret();
    let checked = app.passwords.check(&*app.store, &user.name, old, call.caller.source_ip).await;
    let checked = checked.map_err(|error| refused(&error))?;
    let update = LoginProfileUpdate {
        password_hash: Some(hashed(&call, &user.name, &call.input.new_password).await?),
        checked_hash: Some(checked.password_hash),
        reset_required: Some(false),
        kept_sign_in: call.caller.token.as_ref().and_then(|token| token.sign_in.clone()),
    };
    app.store.update_login_profile(&user.name, &update).await.map_err(refusal::identity)?;
    Ok(ChangePasswordOutput {})
}

/// The hash of a new password that keeps the rules.
async fn hashed<T>(
    call: &Call<T>,
    user: &UserName,
    password: &Secret,
) -> Result<postern_store::Secret<String>, ApiError> {
    let password = password.expose_secret();
    password_rules::check(password, user.as_str(), call.app.account.as_str())?;
    let hash = call.app.passwords.hash(password, &*call.app.random).await;
    hash.map_err(|error| failure::internal(&error))
}

fn refused(error: &PasswordRefused) -> ApiError {
    match error {
        PasswordRefused::Wrong => refusal::wrong_old_password(),
        PasswordRefused::TooManyAttempts => refusal::limit_exceeded(error.to_string()),
        PasswordRefused::Hash(_) | PasswordRefused::Store(_) => failure::internal(error),
    }
}

fn refuse_signin_duration(seconds: Option<i32>) -> Result<(), ApiError> {
    match seconds {
        None => Ok(()),
        Some(_) => {
            Err(refusal::invalid_input("MaxSigninSessionDuration is not kept by this server: leave it out."))
        }
    }
}

fn shown(profile: LoginProfile) -> iam::LoginProfile {
    iam::LoginProfile {
        user_name: profile.user.into(),
        create_date: shown_time(profile.created_at),
        password_reset_required: Some(profile.reset_required),
        max_signin_session_duration: None,
    }
}
