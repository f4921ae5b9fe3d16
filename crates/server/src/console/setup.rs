//! The first password of the administrator, by a link that works once and for a day.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use jiff::{SignedDuration, Timestamp};
use postern_ids::UserName;
use postern_store::{IdentityError, LoginProfile, PasswordProof, SignInStage, Store, StoreError, User};
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::second_factor::Factors;
use super::{record, sign_in};
use crate::app::App;
use crate::audit::SignInEvent;
use crate::bootstrap::ADMINISTRATOR;
use crate::config::PublicUrl;
use crate::inbound::Inbound;
use crate::random::Random;
use crate::routes::check_new_password;
use crate::serve::Body;

/// Where the hash of the link's token is kept.
const SETTING: &str = "console.setup-link";
/// How long a link is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A link that sets the administrator's password. `Display` is for whoever starts the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupLink(String);

impl std::fmt::Display for SetupLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum SetupLinkError {
    /// The administrator has a password already.
    #[error(
        "the user {ADMINISTRATOR} has a password already; sign in with it, or change it with `aws iam update-login-profile`"
    )]
    HasPassword,
    /// The user that the first start made is gone.
    #[error("there is no user {ADMINISTRATOR}; give a user a password with `aws iam create-login-profile`")]
    NoAdministrator,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is stored of a link.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// SHA-256 of the token, in hexadecimal.
    sha256: String,
    /// Seconds since 1970.
    expires_at: i64,
}

/// Makes a link in place of the one before.
///
/// # Errors
/// [`SetupLinkError`]: nobody needs one, or storage failed.
pub(crate) async fn new_setup_link(
    store: &dyn Store,
    url: &PublicUrl,
    now: Timestamp,
    random: &dyn Random,
) -> Result<SetupLink, SetupLinkError> {
    let user = administrator(store).await?.ok_or(SetupLinkError::NoAdministrator)?;
    if store.login_profile(&user.name).await?.is_some() {
        return Err(SetupLinkError::HasPassword);
    }
    let token = URL_SAFE_NO_PAD.encode(random.bytes::<32>());
    let expires_at = now.as_second().saturating_add(GOOD_FOR.as_secs());
    let stored = Stored { sha256: sha256(&token), expires_at };
    store.put_setting(SETTING, &serde_json::to_vec(&stored).expect("texts and numbers are JSON")).await?;
    Ok(SetupLink(format!("{url}/console/setup#{token}")))
}

/// Whether there is a link that works.
pub(super) async fn is_open(store: &dyn Store, now: Timestamp) -> Result<bool, StoreError> {
    if stored(store, now).await?.is_none() {
        return Ok(false);
    }
    let Some(user) = administrator(store).await? else { return Ok(false) };
    Ok(store.login_profile(&user.name).await?.is_none())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    token: String,
    password: String,
}

/// `POST /console/api/setup`.
pub(super) async fn set_up(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::PasswordUpdated);
    inbound.entry.sign_in_of(None);
    let input: Input = super::body(inbound)?;
    let used =
        || Refusal::failed("The link is not good any more. `postern-server setup-link` makes another.");
    let stored = stored(&*app.store, inbound.at).await?.ok_or_else(used)?;
    let given = sha256(&input.token);
    verify_slices_are_equal(given.as_bytes(), stored.sha256.as_bytes()).map_err(|_| used())?;
    let user = administrator(&*app.store).await?.ok_or_else(used)?;
    inbound.entry.signed_in_user(&user);
    inbound.entry.fact("SetupLink", "Yes");
    if app.store.login_profile(&user.name).await?.is_some() {
        return Err(used());
    }
    check_new_password(&input.password, user.name.as_str(), app.account.as_str())?;
    let password_hash = app.passwords.hash(&input.password, &*app.random).await?;
    app.audit.begin(&inbound.entry).await?;
    // Of two at the same time the second finds the profile.
    app.store.put_setting(SETTING, b"").await?;
    let created_at = inbound.at;
    let profile = LoginProfile { user: user.name.clone(), password_hash, reset_required: false, created_at };
    app.store.create_login_profile(&profile).await.map_err(|error| match error {
        IdentityError::AlreadyExists(_) => used(),
        error => Refusal::internal(&error),
    })?;
    let factors = Factors::of(app, &user).await?;
    let has_mfa = !factors.is_empty();
    let proof = PasswordProof { password_hash: profile.password_hash, has_mfa };
    if has_mfa {
        let cookie = sign_in::begin(app, inbound, &user, SignInStage::SecondFactor, &proof).await?;
        return Ok(factors.asked(app, inbound, &cookie));
    }
    let cookie = sign_in::begin(app, inbound, &user, SignInStage::Done, &proof).await?;
    record::console_login(app, inbound, &user, false).await?;
    Ok(sign_in::done(&cookie))
}

/// The link that is stored, if it is good at `now`.
async fn stored(store: &dyn Store, now: Timestamp) -> Result<Option<Stored>, StoreError> {
    let stored = store.setting(SETTING).await?;
    let stored: Option<Stored> = stored.and_then(|text| serde_json::from_slice(&text).ok());
    Ok(stored.filter(|stored| now.as_second() < stored.expires_at))
}

async fn administrator(store: &dyn Store) -> Result<Option<User>, StoreError> {
    let name: UserName = ADMINISTRATOR.parse().expect("a valid user name");
    store.user(&name).await
}

fn sha256(token: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, token.as_bytes()))
}
