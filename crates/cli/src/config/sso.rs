//! Profiles that sign in with SSO: `aws sso login` leaves a token in a file, for which AWS's access portal gives
//! credentials of a role. A token that has ended is not renewed here, because the AWS CLI keeps that file.
//!
//! Source: "IAM Identity Center credential provider", AWS SDKs and Tools reference; the name and form of the file are in
//! botocore/utils.py and botocore/tokens.py of boto/botocore.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_runtime::env_config::section::{EnvConfigSections, Profile};
use jiff::{SignedDuration, Timestamp};
use postern_client::{CallError, CredentialError, SsoPortal};
use postern_dial::Credentials;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::credentials::Fetched;

/// Credentials that expire sooner are asked for again.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);

/// What a profile says of its sign-in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SsoProfile {
    /// The profile's name, for hints.
    pub(super) name: String,
    account_id: String,
    role_name: String,
    /// Where the portal is.
    pub(super) region: String,
    /// What the file of the token is named for: the `sso_session`, or the start URL of profiles without one.
    token_of: String,
}

/// A role of a portal's account.
#[derive(Debug)]
pub(super) struct SsoRole {
    profile: SsoProfile,
    token_file: PathBuf,
    portal: SsoPortal,
    cached: Mutex<Option<Fetched>>,
}

/// What `aws sso login` writes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    access_token: String,
    expires_at: String,
}

impl SsoProfile {
    /// What `profile` says; `None` if it does not sign in with SSO.
    ///
    /// # Errors
    /// With the names of settings that are not there.
    pub(super) fn read(profile: &Profile, sections: &EnvConfigSections) -> Option<Result<Self, String>> {
        let given = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(ToOwned::to_owned);
        let own = |name: &str| given(profile.get(name));
        if ["sso_account_id", "sso_role_name"].iter().all(|name| own(name).is_none()) {
            return None;
        }
        let session_name = own("sso_session");
        let session = session_name.as_ref().and_then(|name| sections.sso_session(name));
        if let (Some(name), None) = (&session_name, session) {
            return Some(Err(format!("a section [sso-session {name}]")));
        }
        let shared = |name: &str| session.map_or_else(|| own(name), |session| given(session.get(name)));
        let mut missing = Vec::new();
        let mut required = |name: &'static str, value: Option<String>| {
            value.unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let start_url = required("sso_start_url", shared("sso_start_url"));
        let found = Self {
            name: profile.name().to_owned(),
            account_id: required("sso_account_id", own("sso_account_id")),
            role_name: required("sso_role_name", own("sso_role_name")),
            region: required("sso_region", shared("sso_region")),
            token_of: session_name.unwrap_or(start_url),
        };
        Some(if missing.is_empty() { Ok(found) } else { Err(missing.join(", ")) })
    }
}

impl SsoRole {
    /// Asks `portal`, with the token that lies below `home`.
    pub(super) fn new(profile: SsoProfile, home: &Path, portal: SsoPortal) -> Self {
        let token_file = home.join(".aws/sso/cache").join(file_name(&profile.token_of));
        Self { profile, token_file, portal, cached: Mutex::default() }
    }

    /// Credentials that are good for a minute at least.
    #[expect(clippy::disallowed_methods, reason = "credentials expire by the time of day")]
    pub(super) async fn credentials(&self) -> Result<Credentials, CredentialError> {
        let mut cached = self.cached.lock().await;
        if let Some(fetched) = &*cached
            && fetched.is_good_at(Timestamp::now() + FRESH_FOR)
        {
            return Ok(fetched.credentials.clone());
        }
        let token = self.token(Timestamp::now())?;
        let SsoProfile { account_id, role_name, .. } = &self.profile;
        let got = self.portal.role_credentials(&token, account_id, role_name).await;
        let got = got.map_err(|error| self.refused(&error))?;
        let expires_at = Timestamp::from_millisecond(got.expires_at_ms).ok();
        Ok(cached.insert(Fetched { credentials: got.credentials, expires_at }).credentials.clone())
    }

    /// The token, if it has not ended at `now`.
    fn token(&self, now: Timestamp) -> Result<String, CredentialError> {
        let text = std::fs::read(&self.token_file).map_err(|_| self.sign_in("nobody has signed in"))?;
        // The words of the parser could repeat the token.
        let token: Token = serde_json::from_slice(&text)
            .map_err(|_| self.sign_in(&format!("{} holds no token", self.token_file.display())))?;
        // Early versions of the AWS CLI wrote `UTC` for `Z`.
        let ends_at: Option<Timestamp> = token.expires_at.replace("UTC", "Z").parse().ok();
        if ends_at.is_none_or(|at| at <= now) {
            return Err(self.sign_in("the sign-in has expired"));
        }
        Ok(token.access_token)
    }

    fn sign_in(&self, what: &str) -> CredentialError {
        let name = &self.profile.name;
        CredentialError {
            message: format!("the profile {name:?} signs in with SSO: {what}"),
            hint: Some(format!("run `aws sso login --profile {name}`")),
        }
    }

    fn refused(&self, error: &CallError) -> CredentialError {
        if matches!(error, CallError::Refused { code, .. } if code == "UnauthorizedException") {
            return self.sign_in("the access portal does not accept its token");
        }
        let mut message = format!("cannot get credentials of {} by SSO: {error}", self.profile.role_name);
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            message.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        CredentialError { message, hint: None }
    }
}

/// Of the file with the token for `of`.
fn file_name(of: &str) -> String {
    format!("{}.json", hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, of.as_bytes())))
}

#[cfg(test)]
mod tests;
