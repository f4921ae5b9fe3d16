//! The sign-in that a browser had before it signed in anew: it ends, since nobody could end it there any more.

use http::HeaderMap;
use http::header::SET_COOKIE;
use postern_api::sts;
use postern_store::{SignInEnd, SignInStage, TokenHash};

use super::cookie::{self, CookieSecret};
use super::identity::Content;
use super::refusal::Refusal;
use crate::app::App;
use crate::audit::SignInEvent;
use crate::auth::Action;
use crate::inbound::Inbound;

/// Ends the sign-in whose cookie the request brought, if the answer, by its headers, puts another in its place.
pub(super) async fn end_if_replaced(app: &App, inbound: &Inbound, answer: &HeaderMap) -> Result<(), Refusal> {
    let mut set = answer.get_all(SET_COOKIE).iter();
    if !set.any(cookie::is_of_sign_in) {
        return Ok(());
    }
    match CookieSecret::of(&inbound.parts) {
        Some(secret) => end(app, inbound, &secret.hash()).await,
        None => Ok(()),
    }
}

/// Ends a sign-in that is done, as signing out does: what it started goes on. It has a record of its own.
pub(super) async fn end(app: &App, inbound: &Inbound, secret: &TokenHash) -> Result<(), Refusal> {
    let Some(row) = app.store.console_sign_in(secret).await? else { return Ok(()) };
    if row.stage != SignInStage::Done {
        return Ok(());
    }
    let entry = app.audit.entry(&inbound.parts, inbound.peer, &inbound.request_id, inbound.at);
    entry.sign_in_event(SignInEvent::SignOut);
    let content = Content::read(&row)?;
    let acting = content.acting().acting();
    let action = Action::from(sts::Operation::GetCallerIdentity);
    if let Ok(caller) = app.authenticator.signed_in(acting, inbound.received(), action).await {
        entry.caller(&caller);
    }
    if app.store.end_console_sign_in(&row.id, SignInEnd::SignedOut, inbound.at).await? {
        app.audit.close(&entry, inbound.peer.ip(), None).await?;
    }
    Ok(())
}
