//! Credentials: from the environment, a profile, the program that a profile names, a role that it assumes, or SSO.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_types::os_shim_internal::Env;
use jiff::{SignedDuration, Timestamp};
use postern_client::{CredentialError, CredentialSource, RoleRequest, SsoPortal, Sts};
use postern_dial::Credentials;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::ConfigError;
use super::assumed_role::{AssumedRole, Right};
use super::sso::{SsoProfile, SsoRole};
use crate::plugin::RESPONSE_VARIABLE;

/// A credential process may ask the user for a code.
const PROCESS_FOR: Duration = Duration::from_secs(120);
/// Credentials that expire sooner are fetched again.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Where this user's credentials come from.
#[derive(Debug)]
pub(super) enum Source {
    Static(Credentials),
    Process { command: String, cached: Mutex<Option<Fetched>> },
    Role(Box<AssumedRole>),
    Sso(Box<SsoRole>),
    None { message: String, hint: String },
}

/// What a process or STS gave.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) credentials: Credentials,
    pub(super) expires_at: Option<Timestamp>,
}

impl Fetched {
    pub(super) fn is_good_at(&self, time: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > time)
    }
}

/// What profiles are read from, and where roles are asked for.
pub(super) struct Profiles<'a> {
    pub(super) env: &'a Env,
    pub(super) sections: &'a EnvConfigSections,
    /// Makes the way to STS.
    pub(super) sts: &'a dyn Fn() -> Sts,
    /// Makes the way to the access portal of a region.
    pub(super) portal: &'a dyn Fn(&str) -> Result<SsoPortal, ConfigError>,
}

impl Source {
    /// The environment counts before the profile, unless the profile was given as an option, as in the AWS CLI.
    pub(super) fn new(profile_is_option: bool, profiles: &Profiles<'_>) -> Self {
        if !profile_is_option && let Some(source) = profiles.of_environment() {
            return source;
        }
        profiles.of_profile(profiles.sections.selected_profile(), &mut Vec::new())
    }

    fn none(message: String, hint: &str) -> Self {
        Self::None { message, hint: hint.to_owned() }
    }
}

impl Profiles<'_> {
    fn of_environment(&self) -> Option<Source> {
        let variable = |name| self.env.get(name).ok().filter(|value| !value.is_empty());
        let credentials = static_credentials(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            variable("AWS_SESSION_TOKEN"),
        );
        if let Some(credentials) = credentials {
            return Some(Source::Static(credentials));
        }
        let token_file = variable("AWS_WEB_IDENTITY_TOKEN_FILE")?.into();
        let request = RoleRequest {
            role_arn: variable("AWS_ROLE_ARN")?,
            session_name: variable("AWS_ROLE_SESSION_NAME").unwrap_or_else(session_name),
            ..RoleRequest::default()
        };
        Some(self.role(request, Right::WebIdentity { token_file }))
    }

    /// `seen` are the profiles that lead to this one.
    fn of_profile(&self, name: &str, seen: &mut Vec<String>) -> Source {
        let Some(profile) = self.sections.get_profile(name) else {
            return Source::none(
                format!("the profile {name:?} is not in the AWS configuration files"),
                "another profile names it as its `source_profile`",
            );
        };
        let get = |key: &str| profile.get(key).map(ToOwned::to_owned).filter(|value| !value.is_empty());
        let keys = || {
            static_credentials(
                get("aws_access_key_id"),
                get("aws_secret_access_key"),
                get("aws_session_token"),
            )
        };
        // A profile may name itself as the source: then its keys are meant.
        let is_source_of_itself = seen.last().is_some_and(|last| last == name);
        if let Some(role_arn) = get("role_arn").filter(|_| !is_source_of_itself) {
            return self.of_role(name, role_arn, get, seen);
        }
        if let Some(sso) = SsoProfile::read(profile, self.sections) {
            return self.of_sso(name, sso);
        }
        if let Some(credentials) = keys() {
            return Source::Static(credentials);
        }
        if let Some(command) = get("credential_process") {
            return Source::Process { command, cached: Mutex::new(None) };
        }
        Source::none(
            format!("neither the environment nor the profile {name:?} has credentials"),
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or select a profile with --profile or AWS_PROFILE; \
             the server's bootstrap directory has one named `postern`",
        )
    }

    fn of_role(
        &self,
        name: &str,
        role_arn: String,
        get: impl Fn(&str) -> Option<String>,
        seen: &mut Vec<String>,
    ) -> Source {
        let duration_seconds = match get("duration_seconds").map(|text| text.parse()) {
            None => None,
            Some(Ok(seconds)) => Some(seconds),
            Some(Err(_)) => {
                return Source::none(
                    format!("`duration_seconds` of the profile {name:?} is no number"),
                    "give whole seconds, such as 3600",
                );
            }
        };
        let request = RoleRequest {
            role_arn,
            session_name: get("role_session_name").unwrap_or_else(session_name),
            duration_seconds,
            external_id: get("external_id"),
            mfa: None,
        };
        if let Some(token_file) = get("web_identity_token_file") {
            return self.role(request, Right::WebIdentity { token_file: token_file.into() });
        }
        let source = match (get("source_profile"), get("credential_source").as_deref()) {
            (Some(source), _) if source != name && seen.contains(&source) => {
                return Source::none(
                    format!("the profile {name:?} assumes its role from {source:?}, which leads back to it"),
                    "one of the profiles must have credentials of its own",
                );
            }
            (Some(source), _) => {
                seen.push(name.to_owned());
                self.of_profile(&source, seen)
            }
            (None, Some("Environment")) => self.of_environment().unwrap_or_else(|| {
                Source::none(
                    "the environment has no credentials".to_owned(),
                    "the profile's `credential_source` is Environment: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                )
            }),
            (None, Some(other)) => {
                return Source::none(
                    format!("the profile {name:?} has the `credential_source` {other}, which is not here"),
                    "it may be Environment; or name a `source_profile`",
                );
            }
            (None, None) => {
                return Source::none(
                    format!("the profile {name:?} assumes a role, but does not say by whose credentials"),
                    "name a `source_profile`, or a `web_identity_token_file`",
                );
            }
        };
        if let Source::None { .. } = source {
            return source;
        }
        self.role(request, Right::Credentials { source: Box::new(source), mfa_serial: get("mfa_serial") })
    }

    fn of_sso(&self, name: &str, read: Result<SsoProfile, String>) -> Source {
        let how = |problem: String| format!("the profile {name:?} signs in with SSO, but {problem}");
        let profile = match read {
            Ok(profile) => profile,
            Err(missing) => return Source::none(how(format!("lacks {missing}")), "run `aws configure sso`"),
        };
        let Some(home) = self.env.get("HOME").ok().filter(|home| !home.is_empty()) else {
            return Source::none(how("HOME is not set".to_owned()), "the token lies below it");
        };
        match (self.portal)(&profile.region) {
            Ok(portal) => Source::Sso(Box::new(SsoRole::new(profile, home.as_ref(), portal))),
            Err(error) => Source::none(how(error.to_string()), "look at the settings of the endpoint"),
        }
    }

    fn role(&self, request: RoleRequest, right: Right) -> Source {
        let (sts, state) = ((self.sts)(), Mutex::default());
        Source::Role(Box::new(AssumedRole { sts, request, right, state }))
    }
}

/// A name for sessions of roles that nobody has named.
#[expect(clippy::disallowed_methods, reason = "names of sessions are told apart by the time of day")]
fn session_name() -> String {
    format!("postern-session-{}", Timestamp::now().as_second())
}

fn static_credentials(
    id: Option<String>,
    secret: Option<String>,
    token: Option<String>,
) -> Option<Credentials> {
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    Some(Credentials {
        access_key_id: given(id)?,
        secret_access_key: given(secret)?,
        session_token: given(token),
    })
}

#[async_trait]
impl CredentialSource for Source {
    #[expect(clippy::disallowed_methods, reason = "credentials expire by the time of day")]
    async fn credentials(&self) -> Result<Credentials, CredentialError> {
        match self {
            Self::Static(credentials) => Ok(credentials.clone()),
            Self::Role(role) => role.credentials().await,
            Self::Sso(role) => role.credentials().await,
            Self::None { message, hint } => {
                Err(CredentialError { message: message.clone(), hint: Some(hint.clone()) })
            }
            Self::Process { command, cached } => {
                let mut cached = cached.lock().await;
                if let Some(fetched) = &*cached
                    && fetched.is_good_at(Timestamp::now() + FRESH_FOR)
                {
                    return Ok(fetched.credentials.clone());
                }
                let fetched = fetch(command).await?;
                Ok(cached.insert(fetched).credentials.clone())
            }
        }
    }
}

async fn fetch(command: &str) -> Result<Fetched, CredentialError> {
    let fail =
        |what: String| CredentialError { message: format!("the credential_process {what}"), hint: None };
    let mut process = tokio::process::Command::new("sh");
    process.arg("-c").arg(command).stderr(Stdio::inherit()).kill_on_drop(true);
    // Under the AWS CLI this holds the token of a session, which is nobody else's business.
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with(RESPONSE_VARIABLE)) {
        process.env_remove(name);
    }
    let output = tokio::time::timeout(PROCESS_FOR, process.output())
        .await
        .map_err(|_| fail(format!("took longer than {} s", PROCESS_FOR.as_secs())))?
        .map_err(|error| fail(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(fail(format!("failed ({})", output.status)));
    }
    parse(&output.stdout).map_err(fail)
}

/// Reads what a credential process prints. Source: "Sourcing credentials with an external process", AWS CLI User
/// Guide.
fn parse(json: &[u8]) -> Result<Fetched, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Printed {
        version: u32,
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
        expiration: Option<Timestamp>,
    }
    // The words of the parser could repeat a secret.
    let printed: Printed = serde_json::from_slice(json)
        .map_err(|error| format!("printed something else than credentials (line {})", error.line()))?;
    if printed.version != 1 {
        return Err(format!("printed version {}; only 1 is known", printed.version));
    }
    let credentials = static_credentials(
        Some(printed.access_key_id),
        Some(printed.secret_access_key),
        printed.session_token,
    )
    .ok_or("printed empty credentials")?;
    Ok(Fetched { credentials, expires_at: printed.expiration })
}

#[cfg(test)]
mod tests;
