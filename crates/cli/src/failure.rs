//! What is told when a command fails: what happened, to what, and what to try.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use postern_client::{CallError, CredentialError};
use postern_dial::DialError;

use crate::visible;

/// Exit status of a command that failed.
pub(crate) const FAILED: u8 = 1;
/// Exit status of a session that could not be started or was lost, as with SSH.
pub(crate) const SESSION_FAILED: u8 = 255;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
    status: u8,
}

impl Failure {
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = error.into();
        let hint = hint(&*error);
        Self { error, hint, status: FAILED }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    /// What happened, in one line.
    pub(crate) fn text(&self) -> String {
        text(&*self.error)
    }

    /// Prints everything on standard error. Nobody reading standard output is no failure.
    pub(crate) fn report(&self) -> ExitCode {
        if chain(&*self.error).any(is_closed_pipe) {
            return ExitCode::SUCCESS;
        }
        // A server's message may hold a node's words.
        eprintln!("postern: {}", visible::text(&text(&*self.error)));
        if let Some(hint) = &self.hint {
            eprintln!("hint: {hint}");
        }
        ExitCode::from(self.status)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The error and its causes in one line.
pub(crate) fn text(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for error in chain(error) {
        let words = error.to_string();
        // Some errors repeat their cause's words.
        if last.ends_with(&words) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&words);
        last = words;
    }
    text
}

/// What to try, for the causes that have a usual remedy.
fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    chain(error).find_map(|error| {
        if let Some(error) = error.downcast_ref::<CredentialError>() {
            return error.hint.clone();
        }
        if let Some(CallError::Refused { code, .. }) = error.downcast_ref() {
            return refusal_hint(code).map(ToOwned::to_owned);
        }
        dial_hint(error.downcast_ref()?).map(ToOwned::to_owned)
    })
}

fn refusal_hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "TargetNotConnected" => "`postern nodes list` shows which nodes are online",
        "RecordingNotFoundException" => "`postern recordings list` shows what there is",
        "PrincipalNotFoundException" => {
            "names with a path need the whole ARN; `aws iam list-users` and `aws iam list-roles` show it"
        }
        "RetentionTooShortException" => "give a longer --older-than, or change the server's setting",
        "UnrecognizedClientException" | "InvalidSignatureException" => {
            "check the access key, its secret and the region; `--profile` selects other credentials"
        }
        "ExpiredTokenException" => "the credentials have expired; renew them",
        "AccessDeniedException" => "ask whoever administers the server for the permission",
        _ => return None,
    })
}

fn dial_hint(error: &DialError) -> Option<&'static str> {
    Some(match error {
        DialError::Tls { source, .. } if source.kind() == io::ErrorKind::InvalidData => {
            if std::env::var_os("AWS_CA_BUNDLE").is_some() {
                "AWS_CA_BUNDLE is set, and counts more than `ca_bundle` in the profile; is it the right file?"
            } else {
                "name the server's CA certificate with --ca-bundle, AWS_CA_BUNDLE or `ca_bundle` in the profile"
            }
        }
        DialError::Resolve { .. } | DialError::Connect { .. } => {
            "the address comes from --endpoint-url, AWS_ENDPOINT_URL or `endpoint_url` in the profile; is the server running?"
        }
        DialError::Proxy { .. } => "HTTPS_PROXY and NO_PROXY decide which connections go through a proxy",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once_and_hints_apart() {
        let source =
            DialError::Connect { host: "h:443".into(), source: io::ErrorKind::ConnectionRefused.into() };
        let failure = Failure::new(CallError::Dial { operation: "StartSession", source });
        insta::assert_snapshot!(text(&*failure.error), @"cannot call StartSession: cannot connect to h:443: connection refused");
        assert!(failure.hint.unwrap().contains("--endpoint-url"));
    }

    #[test]
    fn the_servers_codes_have_hints() {
        let refused = |code: &str| {
            let refused = CallError::Refused {
                operation: "StartSession",
                code: code.into(),
                message: "m".into(),
                status: 400,
            };
            Failure::new(refused).hint
        };
        assert!(refused("TargetNotConnected").is_some());
        assert!(refused("Other").is_none());
    }
}
