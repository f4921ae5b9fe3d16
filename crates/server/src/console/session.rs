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
use super::identity::Content;
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
    let is_role_over = take_expired_role(&mut sign_in.content, inbound.at);
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
        "roleExpired": is_role_over,
        "version": env!("CARGO_PKG_VERSION"),
        "publicUrl": app.public_url.to_string(),
        "caFingerprintSha256": app.console.authority_sha256,
        "certificate": app.console.about.certificate(),
        "sinks": app.console.about.sinks(),
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

/// A role may end before the sign-in does. Then it is told who signed in, and that the role is over; the sign-in acts as
/// that role, which is to say not at all, until a page leaves it (`switch_role::switch_back`): nobody is to act with other
/// rights than the page shows.
pub(super) fn take_expired_role(content: &mut Content, now: Timestamp) -> bool {
    content.role.take_if(|role| role.facts.expires_at <= now).is_some()
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bytes::Bytes;
    use http_body_util::BodyExt as _;
    use jiff::SignedDuration;
    use postern_api::CommonError;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::config::Config;
    use crate::console::identity::Identity;
    use crate::console::{calls, sign_in, switch_role};
    use crate::server::Server;

    async fn server(directory: &Path) -> Server {
        Server::start(Config::for_tests(directory.to_owned()), CancellationToken::new()).await.unwrap()
    }

    /// A request of a page that is signed in with this secret.
    fn request(app: &App, method: http::Method, secret: Option<&CookieSecret>) -> Inbound {
        let origin = format!("https://{}", app.public_url.authority());
        let mut request = http::Request::builder().method(method).uri("/console/api/session");
        request = request.header("origin", origin).header("host", app.public_url.authority());
        if let Some(secret) = secret {
            let cookie = secret.set().to_str().unwrap().split(';').next().unwrap().to_owned();
            request = request.header("cookie", cookie).header("x-postern-csrf", secret.csrf());
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let (peer, at) = ("192.0.2.7:1".parse().unwrap(), app.clock.now());
        let entry = Arc::new(app.audit.entry(&parts, peer, "r", at));
        let generation = app.authorizer.generation();
        let (body, request_id) = (Bytes::new(), "r".to_owned());
        Inbound { parts, body, body_follows: false, peer, at, generation, request_id, entry }
    }

    async fn told(app: &Arc<App>, secret: &CookieSecret) -> Value {
        let answer = session(app, &request(app, http::Method::GET, Some(secret))).await.unwrap();
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    #[tokio::test]
    async fn a_role_that_is_over_is_left_by_a_change_and_not_by_a_look() {
        let directory = tempfile::tempdir().unwrap();
        let server = server(directory.path()).await;
        let app = server.app();
        let admin = app.store.user(&"admin".parse().unwrap()).await.unwrap().unwrap();
        let asking = request(app, http::Method::GET, None);
        let identity = |lifetime| Identity::of_user(&admin, asking.at, lifetime, &*app.random);
        let owner = identity(SignedDuration::from_hours(1));
        let (mut row, secret) = sign_in::remembered(app, &asking, owner.clone(), SignInStage::Done);
        let role = Some(identity(SignedDuration::from_hours(-1)));
        row.content = Content { owner, role }.written();
        app.store.create_console_sign_in(&row).await.unwrap();

        let before = told(app, &secret).await;
        assert_eq!((&before["roleExpired"], &before["role"]), (&json!(true), &Value::Null));
        let stored = app.store.console_sign_in(&secret.hash()).await.unwrap().unwrap();
        assert!(Content::read(&stored).unwrap().role.is_some(), "a look changes nothing");
        let change = request(app, http::Method::POST, Some(&secret));
        let refused = calls::caller(app, &change, Action::from(OWN)).await.unwrap_err();
        assert_eq!(refused.code, CommonError::ExpiredToken.into(), "nobody acts with other rights unawares");

        switch_role::switch_back(app, &change).await.unwrap();
        assert_eq!(told(app, &secret).await["roleExpired"], json!(false));
        calls::caller(app, &change, Action::from(OWN)).await.unwrap();
    }
}
