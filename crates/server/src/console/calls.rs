//! From a cookie to the caller of an operation.

use http::Method;
use http::header::{ORIGIN, UPGRADE};
use http::request::Parts;
use jiff::SignedDuration;
use postern_api::{ApiError, CommonError};
use postern_store::{ConsoleSignIn, SignInStage, StoreError};

use super::cookie::{CSRF_HEADER, CookieSecret};
use super::identity::Content;
use super::refusal::Refusal;
use super::sign_in::signed;
use crate::app::App;
use crate::auth::{Action, Caller, is_signed};
use crate::inbound::Inbound;
use crate::routes::failure;

/// How exactly it is known when a sign-in was last used: each note of it is a write.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// A sign-in that a request came with and that is good.
pub(super) struct SignIn {
    pub(super) secret: CookieSecret,
    pub(super) row: ConsoleSignIn,
    pub(super) content: Content,
}

/// Whether a request is to be taken for one of somebody who is signed in: it has no signature, and comes from a page.
pub(crate) fn is_signed_in(parts: &Parts) -> bool {
    let is_of_page = CookieSecret::of(parts).is_some() || parts.headers.contains_key(CSRF_HEADER);
    is_of_page && !is_signed(parts)
}

/// The caller of an operation by the cookie of the request.
pub(crate) async fn caller(app: &App, inbound: &Inbound, action: Action) -> Result<Caller, ApiError> {
    let sign_in = authorised(app, inbound).await?;
    let sign_in = sign_in.ok_or_else(expired)?;
    acting(app, inbound, &sign_in, action).await
}

/// The same for the console's own operations.
pub(super) async fn signed_in(
    app: &App,
    inbound: &Inbound,
    action: Action,
) -> Result<(SignIn, Caller), Refusal> {
    let sign_in = authorised(app, inbound).await?.ok_or_else(Refusal::signed_out)?;
    let caller = acting(app, inbound, &sign_in, action).await?;
    inbound.entry.caller(&caller);
    Ok((sign_in, caller))
}

/// The sign-in of a request that proves to come from a page of it.
pub(super) async fn authorised(app: &App, inbound: &Inbound) -> Result<Option<SignIn>, ApiError> {
    let refused = |message| Err(ApiError::new(CommonError::AccessDenied, message));
    // With what only reads, browsers send no origin; the token, which no other site's page can send, suffices there.
    let is_plain_read = inbound.parts.method == Method::GET && !inbound.parts.headers.contains_key(ORIGIN);
    let is_own = is_plain_read || app.console.origins.is_own(&inbound.parts);
    if !is_own {
        return refused("The request does not come from a page of this server.");
    }
    let Some(secret) = CookieSecret::of(&inbound.parts) else { return Ok(None) };
    // A page cannot send headers with a websocket's opening request; its origin, which it cannot choose, suffices.
    let is_websocket =
        !is_plain_read && inbound.parts.method == Method::GET && inbound.parts.headers.contains_key(UPGRADE);
    if !is_websocket && !secret.has_csrf(&inbound.parts) {
        return refused("The request does not carry the token of this sign-in's pages.");
    }
    found(app, inbound, secret, |stage| stage == SignInStage::Done).await.map_err(failure::store)
}

/// The sign-in with `secret`, if it is good and has come to a stage that is `wanted`; it counts as used.
pub(super) async fn found(
    app: &App,
    inbound: &Inbound,
    secret: CookieSecret,
    wanted: impl FnOnce(SignInStage) -> bool,
) -> Result<Option<SignIn>, StoreError> {
    let Some(row) = app.store.console_sign_in(&secret.hash()).await? else { return Ok(None) };
    let unused_for = inbound.at.duration_since(row.last_used_at);
    let is_good = inbound.at < row.expires_at && unused_for <= signed(app.console.settings.idle_time_max);
    if !is_good || !wanted(row.stage) {
        return Ok(None);
    }
    if unused_for >= USE_NOTED_EVERY {
        app.store.touch_console_sign_in(&row.id, inbound.at).await?;
    }
    let content = Content::read(&row)?;
    Ok(Some(SignIn { secret, row, content }))
}

/// As whom the sign-in acts.
pub(super) async fn acting(
    app: &App,
    inbound: &Inbound,
    sign_in: &SignIn,
    action: Action,
) -> Result<Caller, ApiError> {
    let acting = sign_in.content.acting().acting();
    let caller = app.authenticator.signed_in(acting, inbound.received(), action).await;
    caller.map_err(|error| ApiError::from(&error))
}

fn expired() -> ApiError {
    ApiError::new(CommonError::ExpiredToken, "The sign-in to the console is over.")
}
