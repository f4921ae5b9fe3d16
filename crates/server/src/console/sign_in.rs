//! Signing in with a password, and what every way of signing in has in common.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use http::header::SET_COOKIE;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use postern_ids::{MfaSerial, UserName};
use postern_store::{ConsoleSignIn, LoginProfile, PasswordProof, SignInStage, User};
use serde::Deserialize;
use serde_json::json;

use super::cookie::CookieSecret;
use super::identity::{Content, Identity};
use super::refusal::Refusal;
use super::second_factor::Factors;
use crate::app::App;
use crate::audit::{Entry, SignInEvent};
use crate::auth::PasswordRefused;
use crate::inbound::Inbound;
use crate::serve::Body;

/// How long somebody gets for the second factor or a new password.
const HALF_DONE_TIME_MAX: SignedDuration = SignedDuration::from_mins(5);
/// Longer descriptions of browsers are cut.
const USER_AGENT_CHARS_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    user_name: String,
    password: String,
}

/// `POST /console/api/sign-in`.
pub(super) async fn sign_in(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::ConsoleLogin);
    inbound.entry.sign_in_of(None);
    let input: Input = super::body(inbound)?;
    note_circumstances(app, inbound, false);
    let wrong = || Refusal::failed("The user name or the password is wrong.");
    // No user can have such a name: nothing is told by answering at once.
    let name: UserName = input.user_name.trim().parse().map_err(|_| wrong())?;
    let profile = checked(app, inbound, &name, &input.password).await?;
    let user = app.store.user(&profile.user).await?.ok_or_else(wrong)?;
    app.store.record_password_use(&user.name, inbound.at).await?;
    inbound.entry.signed_in_user(&user);
    let factors = Factors::of(app, &user).await?;
    let proof = PasswordProof { password_hash: profile.password_hash, has_mfa: !factors.is_empty() };
    if proof.has_mfa {
        inbound.entry.sign_in_event(SignInEvent::CheckMfa);
        inbound.entry.signed_in_user(&user);
        let cookie = begin(app, inbound, &user, SignInStage::SecondFactor, &proof).await?;
        return Ok(factors.asked(app, inbound, &cookie));
    }
    if profile.reset_required {
        inbound.entry.fact("PasswordResetRequired", "Yes");
        let cookie = begin(app, inbound, &user, SignInStage::NewPassword, &proof).await?;
        return Ok(answer(&json!({ "next": "change-password" }), &cookie));
    }
    let cookie = begin(app, inbound, &user, SignInStage::Done, &proof).await?;
    Ok(done(&cookie))
}

/// The profile of the user whose password it is.
async fn checked(
    app: &App,
    inbound: &Inbound,
    name: &UserName,
    password: &str,
) -> Result<LoginProfile, Refusal> {
    let address = inbound.peer.ip().to_canonical();
    let checked = app.passwords.check(&*app.store, name, password, address).await;
    if checked.is_err() {
        // The record names only users that there are.
        let known = app.store.user(name).await?;
        inbound.entry.sign_in_of(known.as_ref().map(|user| &user.name));
    }
    Ok(checked?)
}

/// What a record says of a sign-in besides who it was.
pub(super) fn note_circumstances(app: &App, inbound: &Inbound, has_mfa: bool) {
    note_on(&inbound.entry, app, &inbound.parts, has_mfa);
}

/// The same on another record than the request's.
pub(super) fn note_on(entry: &Entry, app: &App, parts: &Parts, has_mfa: bool) {
    let host = app.console.origins.asked_for(parts).unwrap_or_else(|| app.public_url.authority());
    entry.fact("LoginTo", format!("https://{host}/console/"));
    entry.fact("MobileVersion", "No");
    entry.fact("MFAUsed", if has_mfa { "Yes" } else { "No" });
}

/// A second factor that was given.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// The device, if it is this request that gave it.
    pub(super) serial: Option<MfaSerial>,
    pub(super) at: Timestamp,
}

/// Remembers a sign-in of `user` that has come to `stage` with the password alone, if that is still the user's.
pub(super) async fn begin(
    app: &App,
    inbound: &Inbound,
    user: &User,
    stage: SignInStage,
    proof: &PasswordProof,
) -> Result<CookieSecret, Refusal> {
    let (next, secret) = new(app, inbound, user, stage, None);
    if app.store.create_proved_console_sign_in(&next, proof).await? {
        return Ok(secret);
    }
    Err(PasswordRefused::Wrong.into())
}

/// Puts the next stage in the place of a sign-in that was half done; `None` if somebody else did.
pub(super) async fn advance(
    app: &App,
    inbound: &Inbound,
    half: &CookieSecret,
    user: &User,
    stage: SignInStage,
    factor: Option<&Factor>,
) -> Result<CookieSecret, Refusal> {
    let (next, secret) = new(app, inbound, user, stage, factor);
    if app.store.advance_console_sign_in(&half.hash(), &next).await? {
        return Ok(secret);
    }
    Err(Refusal::signed_out())
}

/// With each stage comes a new secret: whoever knew that of the one before has nothing.
pub(super) fn new(
    app: &App,
    inbound: &Inbound,
    user: &User,
    stage: SignInStage,
    factor: Option<&Factor>,
) -> (ConsoleSignIn, CookieSecret) {
    let lifetime = match stage {
        SignInStage::Done => signed(app.console.settings.sign_in_time_max),
        SignInStage::SecondFactor | SignInStage::NewPassword => HALF_DONE_TIME_MAX,
    };
    let mut owner = Identity::of_user(user, inbound.at, lifetime, &*app.random);
    owner.facts.mfa_at = factor.map(|factor| factor.at);
    remembered(app, inbound, owner, stage)
}

/// A sign-in of `owner`, as it is stored, and its secret.
pub(super) fn remembered(
    app: &App,
    inbound: &Inbound,
    mut owner: Identity,
    stage: SignInStage,
) -> (ConsoleSignIn, CookieSecret) {
    let id = hex::encode(app.random.bytes::<16>());
    owner.facts.sign_in = Some(id.clone());
    let secret = CookieSecret::new(&*app.random);
    let user_agent = inbound.header("user-agent");
    let sign_in = ConsoleSignIn {
        id,
        secret: secret.hash(),
        owner: owner.user_id(),
        stage,
        created_at: inbound.at,
        last_used_at: inbound.at,
        expires_at: owner.facts.expires_at,
        source_ip: inbound.peer.ip().to_canonical(),
        user_agent: user_agent.map(|text| text.chars().take(USER_AGENT_CHARS_MAX).collect()),
        content: Content { owner, role: None }.written(),
    };
    (sign_in, secret)
}

/// Says that the sign-in is done.
pub(super) fn done(cookie: &CookieSecret) -> Response<Body> {
    answer(&json!({ "next": "done" }), cookie)
}

/// An answer that gives the browser a cookie.
pub(super) fn answer(value: &serde_json::Value, cookie: &CookieSecret) -> Response<Body> {
    let mut response = super::json(value);
    response.headers_mut().insert(SET_COOKIE, cookie.set());
    response
}

pub(super) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
