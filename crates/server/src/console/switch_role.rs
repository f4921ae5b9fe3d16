//! Acting as a role: the same questions as for `sts:AssumeRole`, but what comes of it stays on the server.

use std::sync::Arc;

use http::Response;
use jiff::SignedDuration;
use postern_api::json;
use postern_api::sts::{self, AssumeRoleInput};
use serde::Deserialize;
use serde_json::json;

use super::calls;
use super::identity::Identity;
use super::refusal::Refusal;
use super::session::take_expired_role;
use crate::app::App;
use crate::audit::SignInEvent;
use crate::auth::{Action, Bearer, TokenFacts};
use crate::inbound::Inbound;
use crate::routes::{Call, take_on_role};
use crate::serve::Body;

/// A role that was taken on from a role ends after this time; see `routes/sts/role.rs`.
const CHAINED_DURATION_MAX: SignedDuration = SignedDuration::from_hours(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    role_arn: String,
    session_name: Option<String>,
}

/// `POST /console/api/switch-role`. Whoever acts as a role already switches as the one who signed in, as on AWS.
pub(super) async fn switch_role(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::SwitchRole);
    let (mut sign_in, _) = switcher(app, inbound).await?;
    let input: Input = super::body(inbound)?;
    inbound.entry.fact("SwitchTo", input.role_arn.chars().take(2048).collect::<String>());
    sign_in.content.role = None;
    let action = Action::from(sts::Operation::AssumeRole);
    let caller = calls::acting(app, inbound, &sign_in, action).await?;
    let name = input.session_name.unwrap_or_else(|| sign_in.content.owner.name().to_owned());
    let asked = AssumeRoleInput { role_arn: input.role_arn, role_session_name: name, ..empty() };
    json::validate(&asked)?;
    let taken = take_on_role(&mut Call::new(app, caller, asked, inbound)).await?;

    let is_chained = matches!(sign_in.content.owner.bearer, Bearer::Role { .. });
    let longest = if is_chained { CHAINED_DURATION_MAX } else { taken.role.session_duration_max };
    let expires_at =
        inbound.at.checked_add(longest).map_or(sign_in.row.expires_at, |at| at.min(sign_in.row.expires_at));
    let facts = TokenFacts { expires_at, ..taken.facts };
    sign_in.content.role = Some(Identity::new(taken.bearer, facts, &*app.random));
    store(app, &sign_in).await
}

/// `POST /console/api/switch-back`.
pub(super) async fn switch_back(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::SwitchRole);
    let (mut sign_in, _) = switcher(app, inbound).await?;
    inbound.entry.fact("SwitchTo", sign_in.content.owner.name());
    app.audit.begin(&inbound.entry).await?;
    sign_in.content.role = None;
    store(app, &sign_in).await
}

/// The sign-in of whoever asks. A role that is over does not keep anybody from leaving it.
async fn switcher(app: &App, inbound: &Inbound) -> Result<(calls::SignIn, crate::auth::Caller), Refusal> {
    let mut sign_in = calls::authorised(app, inbound).await?.ok_or_else(Refusal::signed_out)?;
    take_expired_role(&mut sign_in.content, inbound.at);
    let action = Action::from(sts::Operation::GetCallerIdentity);
    let caller = match calls::acting(app, inbound, &sign_in, action).await {
        Ok(caller) => caller,
        // The role was deleted, or its sessions were revoked.
        Err(_) if sign_in.content.role.take().is_some() => {
            calls::acting(app, inbound, &sign_in, action).await?
        }
        Err(error) => return Err(error.into()),
    };
    inbound.entry.caller(&caller);
    Ok((sign_in, caller))
}

async fn store(app: &App, sign_in: &calls::SignIn) -> Result<Response<Body>, Refusal> {
    if !app.store.change_console_sign_in(&sign_in.row.id, &sign_in.content.written()).await? {
        return Err(Refusal::signed_out());
    }
    Ok(super::json(&json!({ "next": "done" })))
}

fn empty() -> AssumeRoleInput {
    AssumeRoleInput {
        role_arn: String::new(),
        role_session_name: String::new(),
        policy_arns: None,
        policy: None,
        duration_seconds: None,
        tags: None,
        transitive_tag_keys: None,
        external_id: None,
        serial_number: None,
        token_code: None,
        source_identity: None,
        provided_contexts: None,
        minimum_session_token_size: None,
    }
}
