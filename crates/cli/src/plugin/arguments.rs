//! What the AWS CLI passes to the plugin.

use std::collections::HashMap;

use serde_json::Value;

/// The variable that holds the response of StartSession, if argument 1 is its name. A longer name that begins so
/// is another such variable.
pub(crate) const RESPONSE_VARIABLE: &str = "AWS_SSM_START_SESSION_RESPONSE";

const INSTALLED: &str =
    "\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n";

/// What the plugin was asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invocation {
    Session(Session),
    Version,
    Print(String),
    /// The arguments name a session that cannot be understood.
    Invalid(String),
}

/// A session that the AWS CLI has started.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) response: Response,
    pub(super) region: String,
    /// The value of `--profile`; none if it was not given.
    pub(super) profile: Option<String>,
    /// The document that the session was started with, from the request's parameters.
    pub(super) document_name: Option<String>,
    /// The node that the session was started on, from the request's parameters.
    pub(super) target: Option<String>,
    /// The endpoint of the AWS CLI's client, for ResumeSession and TerminateSession.
    pub(super) endpoint_url: Option<String>,
}

/// What StartSession answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) session_id: String,
    pub(super) stream_url: String,
    pub(super) token_value: String,
}

impl Invocation {
    /// Reads the arguments after the program's name, and the variable that holds the response.
    pub(super) fn parse(arguments: &[String], variable: impl Fn(&str) -> Option<String>) -> Self {
        match arguments {
            [] => Self::Print(INSTALLED.to_owned()),
            [version] if version == "--version" => Self::Version,
            [unknown] | [unknown, _] => Self::Print(format!(
                "\nUnknown operation {unknown}. \nUse session-manager-plugin --version to check the version.\n\n"
            )),
            [_, _, operation, ..] if operation != "StartSession" => {
                Self::Print("Invalid Operation".to_owned())
            }
            [response, region, _, rest @ ..] => {
                let response = if response.starts_with(RESPONSE_VARIABLE) {
                    variable(response)
                        .ok_or_else(|| format!("the environment variable {response} is not set"))
                } else {
                    Ok(response.clone())
                };
                let given = |at: usize| rest.get(at).filter(|text| !text.is_empty()).cloned();
                match response.and_then(|json| Response::parse(&json)) {
                    Ok(response) => {
                        let parameter = |name| given(1).as_deref().and_then(|all| parameter(all, name));
                        Self::Session(Session {
                            response,
                            region: region.clone(),
                            profile: given(0),
                            document_name: parameter("DocumentName"),
                            target: parameter("Target"),
                            endpoint_url: given(2),
                        })
                    }
                    Err(error) => Self::Invalid(error),
                }
            }
        }
    }
}

/// One of the request's parameters.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let parameters: Value = serde_json::from_str(parameters).ok()?;
    Some(parameters.get(name)?.as_str()?.to_owned())
}

impl Response {
    /// Reads `SessionId`, `StreamUrl` and `TokenValue` in any case: `aws ecs execute-command` writes them in lower
    /// camel case, and Go's decoder does not mind.
    fn parse(json: &str) -> Result<Self, String> {
        // The parser's words would repeat the token.
        let object: HashMap<String, Value> =
            serde_json::from_str(json).map_err(|_| "the response of StartSession is not JSON".to_owned())?;
        let member = |name: &str| {
            let found = object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            let text = found.and_then(|(_, value)| value.as_str()).map(ToOwned::to_owned);
            text.ok_or_else(|| format!("the response of StartSession has no {name}"))
        };
        Ok(Self {
            session_id: member("SessionId")?,
            stream_url: member("StreamUrl")?,
            token_value: member("TokenValue")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &str =
        r#"{"SessionId": "alice-1", "TokenValue": "AAEA", "StreamUrl": "wss://h/v1/data-channel/alice-1"}"#;

    fn parse(arguments: &[&str]) -> Invocation {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Invocation::parse(&arguments, |name| {
            (name == "AWS_SSM_START_SESSION_RESPONSE_2").then(|| RESPONSE.to_owned())
        })
    }

    fn session(profile: Option<&str>, endpoint_url: Option<&str>) -> Invocation {
        Invocation::Session(Session {
            response: Response {
                session_id: "alice-1".into(),
                stream_url: "wss://h/v1/data-channel/alice-1".into(),
                token_value: "AAEA".into(),
            },
            region: "us-east-1".into(),
            profile: profile.map(ToOwned::to_owned),
            document_name: profile.map(|_| "D".to_owned()),
            target: endpoint_url.map(|_| "mi-1".to_owned()),
            endpoint_url: endpoint_url.map(ToOwned::to_owned),
        })
    }

    #[test]
    fn the_response_comes_as_argument_or_in_a_variable() {
        let parameters = r#"{"Target": "mi-1"}"#;
        for response in [RESPONSE, "AWS_SSM_START_SESSION_RESPONSE_2"] {
            let arguments = [response, "us-east-1", "StartSession", "", parameters, "https://h"];
            assert_eq!(parse(&arguments), session(None, Some("https://h")));
        }
        let parameters = r#"{"Target": "mi-1", "DocumentName": "D"}"#;
        let arguments = [RESPONSE, "us-east-1", "StartSession", "prod", parameters, "https://h"];
        assert_eq!(parse(&arguments), session(Some("prod"), Some("https://h")));
        assert_eq!(parse(&[RESPONSE, "us-east-1", "StartSession"]), session(None, None));
    }

    #[test]
    fn ecs_writes_lower_camel_case() {
        let response =
            RESPONSE.replace("SessionId", "sessionId").replace("Token", "token").replace("Stream", "stream");
        assert_eq!(parse(&[&response, "us-east-1", "StartSession"]), session(None, None));
    }

    #[test]
    fn everything_else_is_told_in_the_plugins_words() {
        let Invocation::Print(text) = parse(&[]) else { panic!() };
        assert!(text.contains("installed successfully"));
        assert_eq!(parse(&["--version"]), Invocation::Version);
        for arguments in [&["x"][..], &["x", "y"]] {
            let expected =
                "\nUnknown operation x. \nUse session-manager-plugin --version to check the version.\n\n";
            assert_eq!(parse(arguments), Invocation::Print(expected.into()));
        }
        assert_eq!(parse(&[RESPONSE, "r", "StopSession"]), Invocation::Print("Invalid Operation".into()));
    }

    #[test]
    fn a_response_that_is_none_gives_no_token_away() {
        for response in ["AWS_SSM_START_SESSION_RESPONSE", "{", r#"{"TokenValue":"AAEA"}"#, r#"["AAEA"]"#] {
            let Invocation::Invalid(error) = parse(&[response, "r", "StartSession"]) else {
                panic!("{response}")
            };
            assert!(!error.contains("AAEA"), "{error}");
        }
    }
}
