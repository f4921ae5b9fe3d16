//! Who is signed in, and ending a sign-in from elsewhere.

use std::sync::Arc;

use http::{Response, StatusCode};
use postern_api::sts;
use postern_store::{ConsoleSignIn, SignInEnd};
use serde_json::{Value, json};

use super::calls::{self, SignIn};
use super::identity::Content;
use super::refusal::Refusal;
use super::session::seconds;
use super::{headers, sign_in};
use crate::app::App;
use crate::audit::SignInEvent;
use crate::auth::{Action, Check};
use crate::inbound::Inbound;
use crate::serve::{self, Body};

/// Sign-ins that are shown: the newest.
const SHOWN_MAX: u32 = 1000;

/// `GET /console/api/sign-ins`: the own ones; with `?all=1` those of all, for which `postern:ListSignIns` is needed.
pub(super) async fn list(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    let wants_all =
        inbound.parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "all=1"));
    inbound.entry.sign_in_event(SignInEvent::ListSignIns);
    let (sign_in, caller) = own(app, inbound).await?;
    if wants_all {
        let _permit = inbound.permit(app, &caller, [vec![Check::new(Action::ListSignIns)]]).await?;
    }
    let owner = (!wants_all).then_some(sign_in.row.owner.as_str());
    let found = app.store.console_sign_ins(owner, inbound.at, SHOWN_MAX).await?;
    let is_in_use = |row: &&ConsoleSignIn| {
        inbound.at.duration_since(row.last_used_at) <= sign_in::signed(app.console.settings.idle_time_max)
    };
    let shown = found.iter().filter(is_in_use).map(|row| shown(row, &sign_in));
    Ok(super::json(&json!({ "signIns": shown.collect::<Result<Vec<_>, Refusal>>()? })))
}

/// `DELETE /console/api/sign-ins/<id>`. Live sessions that were started in it end as well. That of somebody else needs
/// `postern:EndSignIn`.
pub(super) async fn end(app: &Arc<App>, inbound: &Inbound, id: &str) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::EndSignIn);
    inbound.entry.fact("signInId", id.chars().take(64).collect::<String>());
    let (sign_in, caller) = own(app, inbound).await?;
    let own = app.store.console_sign_ins(Some(&sign_in.row.owner), inbound.at, SHOWN_MAX).await?;
    if own.iter().any(|row| row.id == id) {
        app.audit.begin(&inbound.entry).await?;
    } else {
        let _permit = inbound.permit(app, &caller, [vec![Check::new(Action::EndSignIn)]]).await?;
    }
    if !app.store.end_console_sign_in(id, SignInEnd::Revoked, inbound.at).await? {
        return Err(Refusal::not_found());
    }
    let mut response = headers::api(Response::new(serve::full(bytes::Bytes::new())));
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

async fn own(app: &App, inbound: &Inbound) -> Result<(SignIn, crate::auth::Caller), Refusal> {
    calls::signed_in(app, inbound, Action::from(sts::Operation::GetCallerIdentity)).await
}

fn shown(row: &ConsoleSignIn, current: &SignIn) -> Result<Value, Refusal> {
    let content = Content::read(row)?;
    Ok(json!({
        "id": row.id,
        "userName": content.owner.name(),
        "signedInAt": seconds(row.created_at),
        "lastUsedAt": seconds(row.last_used_at),
        "expiresAt": seconds(row.expires_at),
        "sourceIp": row.source_ip.to_string(),
        "userAgent": row.user_agent,
        "current": row.id == current.row.id,
    }))
}
