//! The console's half of the server: its files, signing in, and calls of AWS's operations with a cookie.
//!
//! A browser gets a cookie with a random secret, of which only the hash is stored. Whatever changes something needs
//! besides it the `Origin` of this server and a token that only a page of this server can have read. From there on a
//! sign-in is treated as temporary credentials are: the same caller, the same policies, the same records.

mod about;
mod assets;
mod calls;
mod cookie;
mod former;
mod headers;
mod identity;
mod new_password;
mod origin;
mod passkeys;
mod record;
mod refusal;
mod second_factor;
mod session;
mod setup;
mod setup_command;
mod sign_in;
mod sign_ins;
mod single_sign_on;
mod start;
mod switch_role;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{ACCEPT, ORIGIN};
use http::request::Parts;
use http::{Method, Response};
use postern_api::Protocol;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;
use crate::audit::Failure;
use crate::config;
use crate::inbound::Inbound;
use crate::rate_limit::RateLimit;
use crate::serve::Body;

pub(crate) use about::About;
pub(crate) use calls::{caller, is_signed_in};
pub(crate) use origin::Origins;
pub(crate) use passkeys::{KEY_PURPOSE as PASSKEYS_KEY_PURPOSE, Passkeys};
pub(crate) use setup::new_setup_link;
pub use setup::{SetupLink, SetupLinkError};
pub use setup_command::{MakeLinkError, make_setup_link};

use refusal::Refusal;

/// What the console needs besides what every operation does.
pub(crate) struct Console {
    pub(crate) settings: config::Console,
    /// The origins that are this server's own.
    pub(crate) origins: Origins,
    /// How often the browsers of an address may be sent to a provider, and come back: apart from other calls of
    /// strangers, so that none of them takes what nodes need.
    pub(crate) sign_ons: RateLimit<(String, IpAddr)>,
    /// SHA-256 of the certificate of the server's own authority, which machines trust that are added.
    pub(crate) authority_sha256: Option<String>,
    /// What the settings say of the server.
    pub(crate) about: About,
    /// What passkeys need.
    pub(crate) passkeys: Passkeys,
}

/// The calls of each address and provider. Signing in takes two, and many may share an address.
pub(crate) fn new_sign_on_limit() -> RateLimit<(String, IpAddr)> {
    RateLimit::new(60)
}

/// Whether a request is for the console rather than for an operation.
pub(crate) fn is_asked_for(parts: &Parts) -> bool {
    let path = parts.uri.path();
    path == "/console" || path.starts_with("/console/") || is_visit(parts)
}

/// Whether somebody has typed the server's address into a browser.
fn is_visit(parts: &Parts) -> bool {
    let accepts = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    parts.method == Method::GET
        && parts.uri.path() == "/"
        && parts.uri.query().is_none()
        && !parts.headers.contains_key(http::header::AUTHORIZATION)
        && accepts.contains("text/html")
}

/// Whether a request comes from a page that is not this server's. Programs, which send no `Origin`, are no pages.
pub(crate) fn is_foreign_page(app: &App, parts: &Parts) -> bool {
    parts.headers.contains_key(ORIGIN) && !app.console.origins.is_own(parts)
}

/// Answers a request for the console, and says how it failed if it did.
pub(crate) async fn answer(app: &Arc<App>, inbound: &Inbound) -> (Response<Body>, Option<Failure>) {
    let path = inbound.parts.uri.path();
    let Some(path) = path.strip_prefix("/console/api/") else {
        return (assets::answer(app, &inbound.parts), None);
    };
    let answered = match api(app, inbound, path).await {
        Ok(response) => former::end_if_replaced(app, inbound, response.headers()).await.map(|()| response),
        Err(refusal) => Err(refusal),
    };
    match answered {
        Ok(response) => (response, None),
        Err(refusal) => {
            let failure = Failure::new(&refusal.as_error(), Protocol::Json);
            // A browser that was sent here shows what it gets: a page says it better.
            let is_navigation = path.starts_with("oidc/");
            let response =
                if is_navigation { single_sign_on::refused(&refusal, path) } else { refusal.into_response() };
            (response, Some(failure))
        }
    }
}

async fn api(app: &Arc<App>, inbound: &Inbound, path: &str) -> Result<Response<Body>, Refusal> {
    let method = &inbound.parts.method;
    let is_change = method != Method::GET;
    if is_change {
        origin::check(app, &inbound.parts)?;
    }
    let segments: Vec<&str> = path.split('/').collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["sign-in"]) => start::start(app, inbound).await,
        ("POST", ["sign-in"]) => sign_in::sign_in(app, inbound).await,
        ("POST", ["sign-in", "mfa"]) => second_factor::code(app, inbound).await,
        ("POST", ["sign-in", "passkey", "options"]) => passkeys::options(app, inbound).await,
        ("POST", ["sign-in", "passkey"]) => passkeys::sign_in(app, inbound).await,
        ("POST", ["sign-in", "new-password"]) => new_password::new_password(app, inbound).await,
        ("POST", ["setup"]) => setup::set_up(app, inbound).await,
        ("GET", ["session"]) => session::session(app, inbound).await,
        ("POST", ["sign-out"]) => session::sign_out(app, inbound).await,
        ("GET", ["oidc", id, "start"]) => single_sign_on::start(app, inbound, id).await,
        ("GET", ["oidc", id, "callback"]) => single_sign_on::callback(app, inbound, id).await,
        ("POST", ["switch-role"]) => switch_role::switch_role(app, inbound).await,
        ("POST", ["switch-back"]) => switch_role::switch_back(app, inbound).await,
        ("GET", ["sign-ins"]) => sign_ins::list(app, inbound).await,
        ("DELETE", ["sign-ins", id]) => sign_ins::end(app, inbound, id).await,
        ("GET", ["passkeys"]) => passkeys::list(app, inbound).await,
        ("POST", ["passkeys"]) => passkeys::create(app, inbound).await,
        ("POST", ["passkeys", "registration"]) => passkeys::begin(app, inbound).await,
        ("POST", ["passkeys", id]) => passkeys::rename(app, inbound, id).await,
        ("DELETE", ["passkeys", id]) => passkeys::remove(app, inbound, id).await,
        _ => Err(Refusal::not_found()),
    }
}

/// The body of a request, which must be JSON: no form of another site's can send that.
fn body<T: DeserializeOwned>(inbound: &Inbound) -> Result<T, Refusal> {
    let content_type = inbound.header("content-type").unwrap_or_default();
    if !content_type.trim_start().starts_with("application/json") {
        return Err(Refusal::invalid("The body must be application/json."));
    }
    read(&inbound.body).map_err(Refusal::invalid)
}

/// What is wrong with a body is told by its place only: more would quote it, and there are passwords in it.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        format!("The body is not as expected at line {} column {}.", error.line(), error.column())
    })
}

/// An answer in JSON.
fn json(value: &Value) -> Response<Body> {
    headers::api(Response::new(crate::serve::full(value.to_string().into())))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_body_does_not_quote_it() {
        for body in
            ["{\"password\": 48151623}", "{\"password\": \"48151623", "{\"48151623\": true}", "48151623"]
        {
            let refused = read::<HashMap<String, String>>(body.as_bytes()).unwrap_err();
            assert!(refused.contains("line 1 column") && !refused.contains("48151623"), "{body}: {refused}");
        }
    }
}
