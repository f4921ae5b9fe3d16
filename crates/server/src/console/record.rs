//! The record of a sign-in that comes with something else that has a record of its own.

use postern_store::User;

use super::refusal::Refusal;
use super::sign_in::note_on;
use crate::app::App;
use crate::audit::SignInEvent;
use crate::inbound::Inbound;

/// Puts on the trail that `user` has signed in, with the request that changed the password.
pub(super) async fn console_login(
    app: &App,
    inbound: &Inbound,
    user: &User,
    has_mfa: bool,
) -> Result<(), Refusal> {
    let entry = app.audit.entry(&inbound.parts, inbound.peer, &inbound.request_id, inbound.at);
    entry.sign_in_event(SignInEvent::ConsoleLogin);
    entry.signed_in_user(user);
    note_on(&entry, app, &inbound.parts, has_mfa);
    Ok(app.audit.close(&entry, inbound.peer.ip(), None).await?)
}
