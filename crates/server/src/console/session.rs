//! Who is signed in, and signing out.

use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{Response, StatusCode};
use jiff::Timestamp;
use postern_api::sts;
use postern_store::{SignInEnd, SignInStage};
use serde_json::{Value, json};

use super::calls::{self, SignIn};
use super::cookie::{self, CookieSecret};
use super::refusal::Refusal;
use super::{headers, origin};
use crate::app::App;
use crate::audit::SignInEvent;
use crate::auth::{Action, Bearer, Principal};
use crate::inbound::Inbound;
use crate::serve::{self, Body};

/// Everybody may know who they are.
const OWN: sts::Operation = sts::Operation::GetCallerIdentity;

/// `GET /console/api/session`. It needs no token: it is where pages get theirs, and no other site can read the answer.
pub(super) async fn session(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    if inbound.parts.headers.contains_key(http::header::ORIGIN) {
        origin::check(app, &inbound.parts)?;
    }
    let secret = CookieSecret::of(&inbound.parts).ok_or_else(Refusal::signed_out)?;
    let found = calls::found(app, inbound, secret, |stage| stage == SignInStage::Done).await?;
    let mut sign_in = found.ok_or_else(Refusal::signed_out)?;
    leave_role_in_time(app, inbound, &mut sign_in).await?;
    let caller = calls::acting(app, inbound, &sign_in, Action::from(OWN)).await?;
    let user_name = match (&caller.principal, &sign_in.content.owner.bearer) {
        (Principal::User { name, .. }, _) => Some(name.to_string()),
        (_, Bearer::User { name, .. }) => Some(name.to_string()),
        _ => None,
    };
    Ok(super::json(&json!({
        "principalArn": caller.principal.name(),
        "userName": user_name,
        "accountId": app.account.as_str(),
        "region": app.region.as_str(),
        "csrf": sign_in.secret.csrf(),
        "signedInAt": seconds(sign_in.row.created_at),
        "expiresAt": seconds(sign_in.row.expires_at),
        "mfa": sign_in.content.acting().facts.mfa_at.is_some(),
        "role": role(&sign_in, &caller.principal),
        "version": env!("CARGO_PKG_VERSION"),
        "publicUrl": app.public_url.to_string(),
        "caFingerprintSha256": app.console.authority_sha256,
    })))
}

/// `POST /console/api/sign-out`. Whoever is not signed in is signed out already.
pub(super) async fn sign_out(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    if let Some(sign_in) = calls::authorised(app, inbound).await? {
        inbound.entry.sign_in_event(SignInEvent::SignOut);
        if let Ok(caller) = calls::acting(app, inbound, &sign_in, Action::from(OWN)).await {
            inbound.entry.caller(&caller);
        }
        app.store.end_console_sign_in(&sign_in.row.id, SignInEnd::SignedOut, inbound.at).await?;
    }
    let mut response = headers::api(Response::new(serve::full(bytes::Bytes::new())));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(SET_COOKIE, cookie::remove());
    Ok(response)
}

/// A role ends before the sign-in does: then whoever signed in is himself again.
async fn leave_role_in_time(app: &App, inbound: &Inbound, sign_in: &mut SignIn) -> Result<(), Refusal> {
    let is_over = sign_in.content.role.as_ref().is_some_and(|role| role.facts.expires_at <= inbound.at);
    if is_over {
        sign_in.content.role = None;
        app.store.change_console_sign_in(&sign_in.row.id, &sign_in.content.written()).await?;
    }
    Ok(())
}

/// The role that somebody acts as who signed in as somebody else.
fn role(sign_in: &SignIn, principal: &Principal) -> Value {
    match (&sign_in.content.role, principal) {
        (Some(_), Principal::RoleSession { role_arn, session_name, .. }) => {
            json!({ "arn": role_arn.as_str(), "sessionName": session_name })
        }
        _ => Value::Null,
    }
}

/// A time in whole seconds, as RFC 3339 has it.
pub(super) fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
