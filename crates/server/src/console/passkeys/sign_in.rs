//! Signing in with a passkey, alone or as the second factor after the password.

use std::sync::Arc;

use http::Response;
use http::header::SET_COOKIE;
use postern_ids::{PrincipalId, PrincipalKind};
use postern_store::{Passkey, PasskeySignIn, PasskeyUse, SignInStage, User};
use postern_webauthn::{Assertion, Base64Url, Known, Proved, PublicKey, Refused};
use serde::Deserialize;
use serde_json::json;

use super::challenge::{Challenge, Errand};
use super::{ANSWER_SECONDS_MAX, descriptors, is_usable, serial};
use crate::app::App;
use crate::audit::SignInEvent;
use crate::console::calls::SignIn;
use crate::console::refusal::Refusal;
use crate::console::sign_in::{self, Factor};
use crate::console::{body, second_factor};
use crate::inbound::Inbound;
use crate::serve::Body;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    /// Whether the password was given in this browser; else the passkey stands alone.
    second_factor: bool,
}

/// `POST /console/api/sign-in/passkey/options`: what the browser asks authenticators. It costs no more than the page did,
/// and nothing is remembered of it.
pub(in crate::console) async fn options(
    app: &Arc<App>,
    inbound: &Inbound,
) -> Result<Response<Body>, Refusal> {
    let asked: Asked = body(inbound)?;
    let party = app.console.passkeys.party()?;
    let half = match asked.second_factor {
        true => Some(second_factor::half_done(app, inbound, SignInStage::SecondFactor).await?),
        false => None,
    };
    let known = match &half {
        Some((_, user)) => app.store.passkeys_of_user(&user.id).await?,
        // Which ones there are is nobody's business: authenticators know those of this host.
        None => Vec::new(),
    };
    let errand = half.as_ref().map_or(Errand::SignIn, |(half, _)| Errand::SecondFactor(&half.row.id));
    let challenge = Challenge::new(&*app.random, inbound.at);
    let mut response = crate::console::json(&json!({
        "challenge": Base64Url::encoded(challenge.value()),
        "timeout": ANSWER_SECONDS_MAX * 1000,
        "rpId": party.id(),
        "allowCredentials": descriptors(known.iter().filter(|passkey| is_usable(app, passkey))),
        "userVerification": "required",
    }));
    let cookie = challenge.cookie(&app.console.passkeys.challenges, errand);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /console/api/sign-in/passkey`, with what the browser got.
pub(in crate::console) async fn sign_in(
    app: &Arc<App>,
    inbound: &Inbound,
) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::ConsoleLogin);
    inbound.entry.sign_in_of(None);
    sign_in::note_circumstances(app, inbound, true);
    let assertion: Assertion = body(inbound)?;
    let attempt = Attempt::of(app, inbound).await?;
    let (user, used) = attempt.proved(app, inbound, &assertion).await?;
    let profile = app.store.login_profile(&user.name).await?;
    let profile = profile.ok_or_else(|| refused(inbound, "the user has no password for the console"))?;
    inbound.entry.signed_in_user(&user);
    let serial = serial(&app.account, &user.name, &used.passkey)?;
    inbound.entry.fact("MFAIdentifier", serial.as_str());
    let factor = Factor { serial: Some(serial), at: inbound.at };
    let (stage, next) = match profile.reset_required {
        true => (SignInStage::NewPassword, "change-password"),
        false => (SignInStage::Done, "done"),
    };
    if profile.reset_required {
        inbound.entry.fact("PasswordResetRequired", "Yes");
    }
    let (row, secret) = sign_in::new(app, inbound, &user, stage, Some(&factor));
    let half = attempt.half.as_ref().map(|(half, _)| half.secret.hash());
    let why = match app.store.sign_in_with_passkey(&used, half.as_ref(), &row).await? {
        PasskeySignIn::SignedIn => {
            let mut response = sign_in::answer(&json!({ "next": next }), &secret);
            response.headers_mut().append(SET_COOKIE, Challenge::remove_cookie());
            return Ok(response);
        }
        PasskeySignIn::ChallengeSpent => "the challenge was answered before",
        PasskeySignIn::CounterWentBack => "the signature counter was used before",
        PasskeySignIn::Gone => "what it rests on is gone",
    };
    Err(refused(inbound, why))
}

/// What a browser was asked, and who has given the password in it.
struct Attempt {
    challenge: Challenge,
    half: Option<(SignIn, User)>,
}

impl Attempt {
    async fn of(app: &App, inbound: &Inbound) -> Result<Self, Refusal> {
        let key = &app.console.passkeys.challenges;
        let given = |errand| Challenge::of(&inbound.parts, key, errand, inbound.at);
        if let Some(challenge) = given(Errand::SignIn) {
            return Ok(Self { challenge, half: None });
        }
        let half = second_factor::half_done(app, inbound, SignInStage::SecondFactor).await;
        // Without the cookie nobody was asked anything, or too long ago.
        let half = half.map_err(|_| Refusal::failed("This took too long. Try again."))?;
        inbound.entry.sign_in_of(Some(&half.1.name));
        let challenge = given(Errand::SecondFactor(&half.0.row.id));
        let challenge = challenge.ok_or_else(|| Refusal::failed("This took too long. Try again."))?;
        Ok(Self { challenge, half: Some(half) })
    }

    /// The user whose passkey has answered, and what is to be remembered of that. An unknown passkey takes the same steps
    /// as a known one that answers wrongly, and is told the same.
    async fn proved(
        &self,
        app: &App,
        inbound: &Inbound,
        assertion: &Assertion,
    ) -> Result<(User, PasskeyUse), Refusal> {
        let party = app.console.passkeys.party()?;
        let found = app.store.passkey(&assertion.raw_id.0).await?;
        let found = found.filter(|passkey| is_usable(app, passkey));
        let nobody = || PrincipalId::from_random(PrincipalKind::User, app.random.bytes());
        let owner = found.as_ref().map_or_else(nobody, |passkey| passkey.user.clone());
        let user = app.store.user_by_id(&owner).await?;
        let address = inbound.peer.ip();
        let account = user.as_ref().map(|user| &user.name);
        if !app.passwords.admits(account, address) {
            return Err(Refusal::too_many_attempts());
        }
        if self.half.is_none() {
            inbound.entry.sign_in_of(account);
        }
        let known = known(found.as_ref());
        let checked = assertion.check(self.challenge.value(), party, &known);
        let (Some(user), Some(passkey)) = (user, found) else {
            return Err(refused(inbound, "the passkey is not known"));
        };
        if !self.is_meant(&user, &passkey, assertion) {
            return Err(refused(inbound, "the passkey is another user's"));
        }
        let Proved { sign_count, is_backed_up } = checked.map_err(|error| wrong(inbound, &user, &error))?;
        app.passwords.forgive(Some(&user.name), address);
        let challenge = self.challenge.spent();
        Ok((user, PasskeyUse { passkey, sign_count, is_backed_up, challenge, at: inbound.at }))
    }

    /// Whether the passkey is of whom it says, and of who has given the password. After the password authenticators need
    /// not say whose it is.
    fn is_meant(&self, user: &User, passkey: &Passkey, assertion: &Assertion) -> bool {
        let said = assertion.response.user_handle.as_ref().map(|handle| handle.0.as_slice());
        let is_of_whom_it_says = said.map_or(self.half.is_some(), |handle| handle == passkey.user_handle);
        let is_expected = self.half.as_ref().is_none_or(|(_, expected)| expected.id == user.id);
        is_of_whom_it_says && is_expected
    }
}

/// What an answer is checked against; of an unknown passkey, a key that is nobody's.
fn known(found: Option<&Passkey>) -> Known {
    let nobodys = || Known { public_key: PublicKey::nobodys(), sign_count: 0, is_backup_eligible: false };
    // It was read when it was registered.
    found
        .and_then(|passkey| {
            Some(Known {
                public_key: PublicKey::read(&passkey.public_key).ok()?,
                sign_count: passkey.sign_count,
                is_backup_eligible: passkey.is_backup_eligible,
            })
        })
        .unwrap_or_else(nobodys)
}

/// What is told is always the same; why, the record says.
fn refused(inbound: &Inbound, why: &str) -> Refusal {
    inbound.entry.fact("PasskeyRefused", why);
    Refusal::failed("The passkey was not accepted.")
}

fn wrong(inbound: &Inbound, user: &User, error: &Refused) -> Refusal {
    if let Refused::CounterWentBack { .. } = error {
        let error: &dyn std::error::Error = error;
        tracing::warn!(error, user.name = user.name.as_str(), "a passkey may have been copied");
    }
    refused(inbound, &error.to_string())
}
