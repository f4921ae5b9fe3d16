//! A user's own passkeys: on the account page, for who may enable and deactivate MFA devices of one's own.

use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{Response, StatusCode};
use postern_api::{Operation, iam, sts};
use postern_ids::{Arn, MfaSerial};
use postern_store::{IdentityError, Passkey, PasskeyCreation, User};
use postern_webauthn::{ALGORITHMS, Base64Url, Registration};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::challenge::{Challenge, Errand};
use super::{ANSWER_SECONDS_MAX, Unavailable, descriptors, is_usable, serial, unavailable};
use crate::app::App;
use crate::audit::SignInEvent;
use crate::auth::{Action, Bearer, Caller, Check, Principal};
use crate::console::calls::{self, SignIn};
use crate::console::refusal::Refusal;
use crate::console::session::seconds;
use crate::console::{body, headers};
use crate::inbound::Inbound;
use crate::serve::{self, Body};

const ENABLE: iam::Operation = iam::Operation::EnableMFADevice;
const DEACTIVATE: iam::Operation = iam::Operation::DeactivateMFADevice;
/// Random bytes of an identifier.
const ID_BYTES: usize = 16;
const NAME_CHARS_MAX: usize = 64;
/// What authenticators call this server.
const PARTY_NAME: &str = "Postern";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    credential: Registration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    name: String,
}

/// `GET /console/api/passkeys`. One's own may everybody see.
pub(in crate::console) async fn list(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::ListPasskeys);
    let own = Own::of(app, inbound, Action::from(sts::Operation::GetCallerIdentity)).await?;
    let passkeys = app.store.passkeys_of_user(&own.user.id).await?;
    let shown = passkeys.iter().map(|passkey| shown(app, &own.user, passkey));
    Ok(crate::console::json(&json!({
        "passkeys": shown.collect::<Result<Vec<_>, Refusal>>()?,
        "max": app.store.quotas().mfa_devices_per_user,
        "unavailable": unavailable(app, &inbound.parts).map(|why| match why {
            Unavailable::Address => "address",
            Unavailable::OtherOrigin => "other-origin",
        }),
    })))
}

/// `POST /console/api/passkeys/registration`: what the browser asks the authenticator to make. The password is asked for
/// again, so that a tab that was left open gives nobody a way in that stays.
pub(in crate::console) async fn begin(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::BeginPasskeyRegistration);
    let party = app.console.passkeys.party()?;
    let own = Own::of(app, inbound, operation(ENABLE)).await?;
    own.permit(app, inbound, ENABLE).await?;
    let input: Begin = body(inbound)?;
    let address = inbound.peer.ip().to_canonical();
    let checked = app.passwords.check(&*app.store, &own.user.name, &input.password, address).await;
    checked.map_err(|error| match error {
        crate::auth::PasswordRefused::Wrong => Refusal::failed("The password is wrong."),
        error => error.into(),
    })?;
    let known = app.store.passkeys_of_user(&own.user.id).await?;
    let challenge = Challenge::new(&*app.random, inbound.at);
    let algorithms = ALGORITHMS.map(|algorithm| json!({ "type": "public-key", "alg": algorithm }));
    let mut response = crate::console::json(&json!({
        "rp": { "id": party.id(), "name": PARTY_NAME },
        "user": {
            "id": Base64Url::encoded(&app.console.passkeys.handle(&own.user.id)),
            "name": own.user.name.as_str(),
            "displayName": own.user.name.as_str(),
        },
        "challenge": Base64Url::encoded(challenge.value()),
        "pubKeyCredParams": algorithms,
        "timeout": ANSWER_SECONDS_MAX * 1000,
        "excludeCredentials": descriptors(known.iter().filter(|passkey| is_usable(app, passkey))),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": "none",
    }));
    let errand = Errand::Registration(&own.sign_in.row.id);
    response.headers_mut().append(SET_COOKIE, challenge.cookie(&app.console.passkeys.challenges, errand));
    Ok(response)
}

/// `POST /console/api/passkeys`, with what the authenticator has made.
pub(in crate::console) async fn create(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.operation(Operation::Iam(ENABLE));
    let party = app.console.passkeys.party()?;
    let own = Own::of(app, inbound, operation(ENABLE)).await?;
    let input: Create = body(inbound)?;
    let name = name(&input.name)?;
    let errand = Errand::Registration(&own.sign_in.row.id);
    let key = &app.console.passkeys.challenges;
    let challenge = Challenge::of(&inbound.parts, key, errand, inbound.at);
    let challenge = challenge.ok_or_else(|| Refusal::failed("This took too long. Try again."))?;
    let made = input.credential.check(challenge.value(), party).map_err(|error| {
        inbound.entry.fact("PasskeyRefused", error.to_string());
        Refusal::failed("The passkey was not accepted.")
    })?;
    let passkey = Passkey {
        id: hex::encode_upper(app.random.bytes::<ID_BYTES>()),
        credential_id: made.id,
        user: own.user.id.clone(),
        user_handle: app.console.passkeys.handle(&own.user.id),
        relying_party: party.id().to_owned(),
        public_key: made.public_key,
        sign_count: made.sign_count,
        is_backup_eligible: made.is_backup_eligible,
        is_backed_up: made.is_backed_up,
        transports: made.transports,
        name,
        created_at: inbound.at,
        last_used_at: None,
    };
    own.note(inbound, &serial(&app.account, &own.user.name, &passkey)?, Some(&passkey.name));
    own.permit(app, inbound, ENABLE).await?;
    let created = app.store.create_passkey(&passkey, &challenge.spent()).await;
    match created.map_err(|error: IdentityError| not_created(&error))? {
        PasskeyCreation::Created => {}
        PasskeyCreation::Known => return Err(Refusal::conflict("This passkey is registered already.")),
        PasskeyCreation::ChallengeSpent => return Err(Refusal::failed("This was done before. Try again.")),
    }
    let mut response = crate::console::json(&shown(app, &own.user, &passkey)?);
    response.headers_mut().append(SET_COOKIE, Challenge::remove_cookie());
    Ok(response)
}

/// `POST /console/api/passkeys/<id>`: another name.
pub(in crate::console) async fn rename(
    app: &Arc<App>,
    inbound: &Inbound,
    id: &str,
) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::RenamePasskey);
    let own = Own::of(app, inbound, Action::from(sts::Operation::GetCallerIdentity)).await?;
    let input: Rename = body(inbound)?;
    let name = name(&input.name)?;
    let passkey = own.passkey(app, id).await?;
    own.note(inbound, &serial(&app.account, &own.user.name, &passkey)?, Some(&name));
    app.audit.begin(&inbound.entry).await?;
    if !app.store.rename_passkey(&own.user.id, &passkey.id, &name).await? {
        return Err(Refusal::not_found());
    }
    Ok(nothing())
}

/// `DELETE /console/api/passkeys/<id>`.
pub(in crate::console) async fn remove(
    app: &Arc<App>,
    inbound: &Inbound,
    id: &str,
) -> Result<Response<Body>, Refusal> {
    inbound.entry.operation(Operation::Iam(DEACTIVATE));
    let own = Own::of(app, inbound, operation(DEACTIVATE)).await?;
    let passkey = own.passkey(app, id).await?;
    own.note(inbound, &serial(&app.account, &own.user.name, &passkey)?, None);
    own.permit(app, inbound, DEACTIVATE).await?;
    if !app.store.delete_passkey(&own.user.id, &passkey.id).await? {
        return Err(Refusal::not_found());
    }
    Ok(nothing())
}

/// The user who asks for what is his own.
struct Own {
    sign_in: SignIn,
    caller: Caller,
    user: User,
}

impl Own {
    /// Passkeys are of the user who signs in with them, not of a role.
    async fn of(app: &App, inbound: &Inbound, action: Action) -> Result<Self, Refusal> {
        let (sign_in, caller) = calls::signed_in(app, inbound, action).await?;
        let bearer = &sign_in.content.owner.bearer;
        let (Principal::User { .. }, Bearer::User { id, .. }) = (&caller.principal, bearer) else {
            return Err(Refusal::not_a_user());
        };
        let user = app.store.user_by_id(id).await?.ok_or_else(Refusal::signed_out)?;
        Ok(Self { sign_in, caller, user })
    }

    /// Leave for an operation on MFA devices of one's own.
    async fn permit(&self, app: &App, inbound: &Inbound, asked: iam::Operation) -> Result<(), Refusal> {
        let arn = Arn::user(&app.account, &self.user.path, &self.user.name);
        let check = Check::new(operation(asked)).on(arn).with_iam_tags(&self.user.tags);
        let _permit = inbound.permit(app, &self.caller, [vec![check]]).await?;
        Ok(())
    }

    async fn passkey(&self, app: &App, id: &str) -> Result<Passkey, Refusal> {
        let passkeys = app.store.passkeys_of_user(&self.user.id).await?;
        passkeys.into_iter().find(|passkey| passkey.id == id).ok_or_else(Refusal::not_found)
    }

    /// What the record says was asked for.
    fn note(&self, inbound: &Inbound, serial: &MfaSerial, name: Option<&str>) {
        let mut parameters = Map::new();
        parameters.insert("userName".to_owned(), self.user.name.as_str().into());
        parameters.insert("serialNumber".to_owned(), serial.as_str().into());
        if let Some(name) = name {
            parameters.insert("passkeyName".to_owned(), name.into());
        }
        inbound.entry.parameters(parameters);
    }
}

fn operation(operation: iam::Operation) -> Action {
    Action::from(Operation::Iam(operation))
}

fn shown(app: &App, user: &User, passkey: &Passkey) -> Result<Value, Refusal> {
    Ok(json!({
        "id": passkey.id,
        "name": passkey.name,
        "serialNumber": serial(&app.account, &user.name, passkey)?.as_str(),
        "createdAt": seconds(passkey.created_at),
        "lastUsedAt": passkey.last_used_at.map(seconds),
        "isBackedUp": passkey.is_backed_up,
        "isUsable": is_usable(app, passkey),
    }))
}

/// What a user calls a passkey.
fn name(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let is_name = (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned()).ok_or_else(|| {
        Refusal::invalid(format!(
            "A name has 1 to {NAME_CHARS_MAX} characters, none of them a control character."
        ))
    })
}

fn not_created(error: &IdentityError) -> Refusal {
    match error {
        IdentityError::LimitExceeded { max, .. } => {
            Refusal::conflict(format!("A user has at most {max} MFA devices, passkeys among them."))
        }
        error => Refusal::internal(error),
    }
}

fn nothing() -> Response<Body> {
    let mut response = headers::api(Response::new(serve::full(bytes::Bytes::new())));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
