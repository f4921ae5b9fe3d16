//! Profiles that assume a role: the credentials come from STS, which is the server itself.
//!
//! Source: "Using an IAM role in the AWS CLI" and "Assume role credential provider", AWS CLI and SDKs reference.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use postern_client::{CallError, CredentialError, CredentialSource as _, MfaCode, RoleRequest, Sts};
use tokio::sync::Mutex;

use super::credentials::{Fetched, Source};

/// Credentials that expire sooner are asked for again.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);

/// A role, and by what right it is assumed.
#[derive(Debug)]
pub(super) struct AssumedRole {
    pub(super) sts: Sts,
    pub(super) request: RoleRequest,
    pub(super) right: Right,
    pub(super) state: Mutex<State>,
}

/// By what right a role is assumed.
#[derive(Debug)]
pub(super) enum Right {
    /// By credentials of a user or of another role, and a code of an MFA device if one is named.
    Credentials { source: Box<Source>, mfa_serial: Option<String> },
    /// By the token of an OIDC provider in a file, which is read anew each time.
    WebIdentity { token_file: PathBuf },
}

/// What was got, and whether the user was asked.
#[derive(Debug, Default)]
pub(super) struct State {
    cached: Option<Fetched>,
    asked_for_code: bool,
}

impl AssumedRole {
    /// Credentials that are good for a minute at least.
    #[expect(clippy::disallowed_methods, reason = "credentials expire by the time of day")]
    pub(super) async fn credentials(&self) -> Result<postern_dial::Credentials, CredentialError> {
        let mut state = self.state.lock().await;
        if let Some(fetched) = &state.cached
            && fetched.is_good_at(Timestamp::now() + FRESH_FOR)
        {
            return Ok(fetched.credentials.clone());
        }
        let got = match &self.right {
            Right::Credentials { source, mfa_serial } => {
                let credentials = Box::pin(source.credentials()).await?;
                let mfa = match mfa_serial {
                    // A second question would come in the middle of a session, which has the terminal.
                    Some(_) if state.asked_for_code => return Err(code_used_up()),
                    Some(serial) => {
                        state.asked_for_code = true;
                        Some(MfaCode { serial: serial.clone(), code: ask_for_code(serial).await? })
                    }
                    None => None,
                };
                let request = RoleRequest { mfa, ..self.request.clone() };
                self.sts.assume_role(&credentials, &request).await
            }
            Right::WebIdentity { token_file } => {
                let token = std::fs::read_to_string(token_file).map_err(|error| CredentialError {
                    message: format!("cannot read the web identity token {}: {error}", token_file.display()),
                    hint: None,
                })?;
                self.sts.assume_role_with_web_identity(token.trim(), &self.request).await
            }
        };
        let got = got.map_err(|error| self.refused(&error))?;
        let fetched = Fetched { credentials: got.credentials, expires_at: got.expiration.parse().ok() };
        Ok(state.cached.insert(fetched).credentials.clone())
    }

    fn refused(&self, error: &CallError) -> CredentialError {
        let mut causes = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            causes.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        CredentialError { message: format!("cannot assume {}: {causes}", self.request.role_arn), hint: None }
    }
}

fn code_used_up() -> CredentialError {
    CredentialError {
        message: "the credentials of the role have expired, and new ones need another MFA code".to_owned(),
        hint: Some(
            "start anew; a longer `duration_seconds` in the profile helps if the role allows it".to_owned(),
        ),
    }
}

/// Asks whoever is at the terminal; the code is of no use to anyone who sees it afterwards.
async fn ask_for_code(serial: &str) -> Result<String, CredentialError> {
    let fail = |what: String| CredentialError {
        message: format!("cannot ask for the MFA code of {serial}: {what}"),
        hint: Some("run it at a terminal, or get credentials with `aws sts get-session-token`".to_owned()),
    };
    let prompt = format!("Enter MFA code for {serial}: ");
    let asking = tokio::task::spawn_blocking(move || {
        let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        (&terminal).write_all(prompt.as_bytes())?;
        let mut line = String::new();
        BufReader::new(terminal).read_line(&mut line)?;
        Ok::<_, std::io::Error>(line.trim().to_owned())
    });
    let code = asking.await.map_err(|error| fail(error.to_string()))?;
    code.map_err(|error| fail(error.to_string()))
}
