//! A new password in the middle of signing in, where the old one has to be changed.

use std::sync::Arc;

use http::Response;
use postern_store::{IdentityError, LoginProfileUpdate, SignInStage};
use serde::Deserialize;

use super::refusal::Refusal;
use super::sign_in::{self, Factor};
use super::{record, second_factor};
use crate::app::App;
use crate::audit::SignInEvent;
use crate::inbound::Inbound;
use crate::routes::check_new_password;
use crate::serve::Body;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    old_password: String,
    new_password: String,
}

/// `POST /console/api/sign-in/new-password`. It needs no permission: whoever gave the password wants it changed.
pub(super) async fn new_password(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::PasswordUpdated);
    inbound.entry.sign_in_of(None);
    let (half, user) = second_factor::half_done(app, inbound, SignInStage::NewPassword).await?;
    inbound.entry.sign_in_of(Some(&user.name));
    let input: Input = super::body(inbound)?;
    let address = inbound.peer.ip().to_canonical();
    let checked = app.passwords.check(&*app.store, &user.name, &input.old_password, address).await?;
    inbound.entry.signed_in_user(&user);
    if input.new_password == input.old_password {
        return Err(Refusal::invalid("The new password is the old one."));
    }
    check_new_password(&input.new_password, user.name.as_str(), app.account.as_str())?;
    let hash = app.passwords.hash(&input.new_password, &*app.random).await?;
    app.audit.begin(&inbound.entry).await?;
    let update = LoginProfileUpdate {
        password_hash: Some(hash),
        // Whoever resets the password while the new one is hashed has the last word.
        checked_hash: Some(checked.password_hash),
        reset_required: Some(false),
        kept_sign_in: Some(half.row.id.clone()),
    };
    let updated = app.store.update_login_profile(&user.name, &update).await;
    updated.map_err(|error| match error {
        IdentityError::PasswordChanged(_) | IdentityError::NotFound(_) => Refusal::signed_out(),
        error => Refusal::internal(&error),
    })?;
    let factor = half.content.owner.facts.mfa_at.map(|at| Factor { serial: None, at });
    let secret = &half.secret;
    let cookie = sign_in::advance(app, inbound, secret, &user, SignInStage::Done, factor.as_ref()).await?;
    record::console_login(app, inbound, &user, factor.is_some()).await?;
    Ok(sign_in::done(&cookie))
}
