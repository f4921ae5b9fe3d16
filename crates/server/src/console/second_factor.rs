//! The second factor of a sign-in: a code of one of the user's MFA devices here, a passkey in `passkeys`.

use std::sync::Arc;

use http::Response;
use postern_ids::{MfaSerial, PrincipalId};
use postern_store::{IdentityError, MfaDevice, Passkey, SignInStage, User};
use serde::Deserialize;
use serde_json::json;

use super::calls::{self, SignIn};
use super::cookie::CookieSecret;
use super::passkeys;
use super::refusal::Refusal;
use super::sign_in::{self, Factor};
use crate::app::App;
use crate::audit::SignInEvent;
use crate::auth::{Bearer, MfaRefused};
use crate::inbound::Inbound;
use crate::serve::Body;

/// What a user has that is asked for after the password.
pub(super) struct Factors {
    devices: Vec<MfaDevice>,
    passkeys: Vec<Passkey>,
}

impl Factors {
    pub(super) async fn of(app: &App, user: &User) -> Result<Self, Refusal> {
        let devices = app.store.mfa_devices_of_user(&user.name).await;
        let devices = devices.map_err(|error: IdentityError| Refusal::internal(&error))?;
        Ok(Self { devices, passkeys: app.store.passkeys_of_user(&user.id).await? })
    }

    /// Whether the password suffices. Whoever has only a passkey that is of no use at this server's name has to get it
    /// removed: it would be easy to come by another name.
    pub(super) fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.passkeys.is_empty()
    }

    /// Asks for one of them.
    pub(super) fn asked(&self, app: &App, inbound: &Inbound, cookie: &CookieSecret) -> Response<Body> {
        let takes_passkeys = passkeys::are_available(app, &inbound.parts)
            && self.passkeys.iter().any(|passkey| passkeys::is_usable(app, passkey));
        let mut methods = Vec::new();
        methods.extend((!self.devices.is_empty()).then_some("totp"));
        methods.extend(takes_passkeys.then_some("passkey"));
        sign_in::answer(&json!({ "next": "mfa", "methods": methods }), cookie)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    code: String,
}

/// `POST /console/api/sign-in/mfa`.
pub(super) async fn code(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::ConsoleLogin);
    inbound.entry.sign_in_of(None);
    sign_in::note_circumstances(app, inbound, true);
    let (half, user) = half_done(app, inbound, SignInStage::SecondFactor).await?;
    inbound.entry.sign_in_of(Some(&user.name));
    let input: Input = super::body(inbound)?;
    let factor = accepted(app, inbound, &user, input.code.trim()).await?;
    inbound.entry.signed_in_user(&user);
    inbound.entry.fact("MFAIdentifier", factor.serial.as_ref().map(MfaSerial::as_str));
    next(app, inbound, &half.secret, &user, &factor).await
}

/// What comes after the second factor.
async fn next(
    app: &App,
    inbound: &Inbound,
    half: &CookieSecret,
    user: &User,
    factor: &Factor,
) -> Result<Response<Body>, Refusal> {
    let profile = app.store.login_profile(&user.name).await?.ok_or_else(Refusal::signed_out)?;
    if profile.reset_required {
        inbound.entry.fact("PasswordResetRequired", "Yes");
        let stage = SignInStage::NewPassword;
        let cookie = sign_in::advance(app, inbound, half, user, stage, Some(factor)).await?;
        return Ok(sign_in::answer(&json!({ "next": "change-password" }), &cookie));
    }
    let cookie = sign_in::advance(app, inbound, half, user, SignInStage::Done, Some(factor)).await?;
    Ok(sign_in::done(&cookie))
}

/// The device whose code it is. The code is used up by that.
async fn accepted(app: &App, inbound: &Inbound, user: &User, code: &str) -> Result<Factor, Refusal> {
    let devices = app.store.mfa_devices_of_user(&user.name).await;
    let devices = devices.map_err(|error: IdentityError| Refusal::internal(&error))?;
    let mut refused = MfaRefused::InvalidCode;
    for device in devices {
        match app.mfa_codes.accept(&*app.store, &user.name, &device.serial, code, inbound.at).await {
            Ok(()) => return Ok(Factor { serial: Some(device.serial), at: inbound.at }),
            Err(error) => refused = error,
        }
    }
    Err(refused.into())
}

/// The half-done sign-in of the request's cookie, and whose it is.
pub(super) async fn half_done(
    app: &App,
    inbound: &Inbound,
    stage: SignInStage,
) -> Result<(SignIn, User), Refusal> {
    let secret = CookieSecret::of(&inbound.parts).ok_or_else(Refusal::signed_out)?;
    let half = calls::found(app, inbound, secret, |found| found == stage).await?;
    let half = half.ok_or_else(Refusal::signed_out)?;
    let Bearer::User { id, .. } = &half.content.owner.bearer else { return Err(Refusal::signed_out()) };
    let user = user_with(app, id).await?.ok_or_else(Refusal::signed_out)?;
    Ok((half, user))
}

async fn user_with(app: &App, id: &PrincipalId) -> Result<Option<User>, Refusal> {
    Ok(app.store.user_by_id(id).await?)
}
