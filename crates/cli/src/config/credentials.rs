//! Credentials: from the environment, a profile, or the program that a profile names.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_types::os_shim_internal::Env;
use jiff::{SignedDuration, Timestamp};
use postern_client::{CredentialError, CredentialSource};
use postern_dial::Credentials;
use serde::Deserialize;
use tokio::sync::Mutex;

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
    None { message: String, hint: String },
}

/// What a process gave.
#[derive(Debug)]
pub(super) struct Fetched {
    credentials: Credentials,
    expires_at: Option<Timestamp>,
}

impl Source {
    /// The environment counts before the profile, unless the profile was given as an option, as in the AWS CLI.
    pub(super) fn new(profile_is_option: bool, env: &Env, sections: &EnvConfigSections) -> Self {
        let environment = || {
            static_credentials(
                env.get("AWS_ACCESS_KEY_ID").ok(),
                env.get("AWS_SECRET_ACCESS_KEY").ok(),
                env.get("AWS_SESSION_TOKEN").ok(),
            )
        };
        if !profile_is_option && let Some(credentials) = environment() {
            return Self::Static(credentials);
        }
        Self::of_profile(sections)
    }

    fn of_profile(sections: &EnvConfigSections) -> Self {
        let profile = sections.selected_profile();
        let get = |key| sections.get(key).map(ToOwned::to_owned);
        let bridge = |how: &str| Self::None {
            message: format!("the profile {profile:?} {how}, which postern cannot do itself yet"),
            hint: format!(
                "the AWS CLI can: make another profile with \
                 `credential_process = aws configure export-credentials --profile {profile}`"
            ),
        };
        if get("role_arn").is_some() {
            return bridge("assumes a role");
        }
        if let Some(credentials) = static_credentials(
            get("aws_access_key_id"),
            get("aws_secret_access_key"),
            get("aws_session_token"),
        ) {
            return Self::Static(credentials);
        }
        if let Some(command) = get("credential_process") {
            return Self::Process { command, cached: Mutex::new(None) };
        }
        if get("sso_session").is_some() || get("sso_start_url").is_some() {
            return bridge("signs in with SSO");
        }
        Self::None {
            message: format!("neither the environment nor the profile {profile:?} has credentials"),
            hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or select a profile with --profile or AWS_PROFILE; \
                   the server's bootstrap directory has one named `postern`"
                .to_owned(),
        }
    }
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
            Self::None { message, hint } => {
                Err(CredentialError { message: message.clone(), hint: Some(hint.clone()) })
            }
            Self::Process { command, cached } => {
                let mut cached = cached.lock().await;
                if let Some(fetched) = &*cached
                    && fetched.expires_at.is_none_or(|at| at > Timestamp::now() + FRESH_FOR)
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
mod tests {
    use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
    use aws_runtime::env_config::source;
    use aws_types::os_shim_internal::Fs;

    use super::*;

    const FILE: &str = "
[static]
aws_access_key_id = AKIDSTATIC
aws_secret_access_key = secret
[process]
credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AKIDPROCESS\",\"SecretAccessKey\":\"s\",\"Expiration\":\"2999-01-01T00:00:00Z\"}'
[broken]
credential_process = exit 3
[role]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = static
[sso]
sso_session = s
[empty]
";
    const KEYS: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "secret")];

    async fn access_key_id(
        profile: &str,
        is_option: bool,
        env: &[(&str, &str)],
    ) -> Result<String, CredentialError> {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Credentials, FILE).build();
        let mut source = source::load(&Env::from_slice(&[]), &Fs::from_slice(&[]), &files).await.unwrap();
        source.profile = profile.to_owned().into();
        let sections = EnvConfigSections::parse(source).unwrap();
        let source = Source::new(is_option, &Env::from_slice(env), &sections);
        source.credentials().await?;
        // The second time may come from memory.
        source.credentials().await.map(|credentials| credentials.access_key_id)
    }

    #[tokio::test]
    async fn sources_count_in_order() {
        for (profile, is_option, env, expected) in [
            ("static", false, KEYS, "AKIDENV"),
            ("static", true, KEYS, "AKIDSTATIC"),
            ("static", false, &[], "AKIDSTATIC"),
            ("process", false, &[], "AKIDPROCESS"),
        ] {
            assert_eq!(
                access_key_id(profile, is_option, env).await.unwrap(),
                expected,
                "{profile} {is_option}"
            );
        }
    }

    #[tokio::test]
    async fn what_cannot_be_done_is_told_with_a_way_out() {
        for (profile, words) in [("role", "assumes a role"), ("sso", "SSO"), ("empty", "neither")] {
            let error = access_key_id(profile, false, &[]).await.unwrap_err();
            assert!(error.message.contains(words) && error.hint.is_some(), "{profile}: {error:?}");
        }
        let error = access_key_id("broken", false, &[]).await.unwrap_err();
        assert!(error.message.contains("exit status: 3"), "{error:?}");
    }

    #[test]
    fn a_process_that_prints_something_else_gives_no_secret_away() {
        for json in [
            "",
            "{}",
            r#"{"Version":2,"AccessKeyId":"a","SecretAccessKey":"hush"}"#,
            r#"{"SecretAccessKey":"hush"}"#,
        ] {
            let error = parse(json.as_bytes()).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
