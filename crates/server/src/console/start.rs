//! `GET /console/api/sign-in`: what the page of the sign-in has to know.

use std::sync::Arc;

use http::Response;
use serde_json::json;

use super::refusal::Refusal;
use super::{passkeys, setup};
use crate::app::App;
use crate::inbound::Inbound;
use crate::serve::Body;

/// What ways of signing in there are.
pub(super) async fn start(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    let setup = setup::is_open(&*app.store, inbound.at).await?;
    let providers = app.console.settings.providers.iter();
    let providers: Vec<_> = providers.map(|one| json!({ "id": one.id, "name": one.name })).collect();
    Ok(super::json(&json!({
        "setup": setup,
        "oidc": providers,
        "accountId": app.account.as_str(),
        "passkeys": passkeys::are_available(app, &inbound.parts),
    })))
}
