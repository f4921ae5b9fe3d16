//! What a session is to run, from the task that the server sends.

use postern_documents::{
    Commands, DocumentError, Preferences, Properties, ResolvedSession, SessionDocument, SessionType,
};
use postern_ids::SessionId;
use postern_protocol::control::SessionTask;
use serde_json::Value;

use super::words;

/// A session that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) session_id: SessionId,
    pub(super) run: Run,
    pub(super) run_as: RunAs,
    /// The key to encrypt the session with.
    pub(super) kms_key_id: Option<String>,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    /// The user's login shell on a terminal; `profile` is typed into it first.
    LoginShell { profile: String },
    /// A command line of a shell, on a terminal.
    OnTerminal { session_type: SessionType, commands: String },
    /// A program without terminal, input and shell.
    Piped(Piped),
}

/// A program without a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piped {
    pub(super) words: Vec<String>,
    /// Whether the client can tell output and errors apart.
    pub(super) separation: Separation,
}

/// How output and errors reach the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Separation {
    /// In one stream.
    Merged,
    /// Apart, each with a prefix before its lines.
    Separate { stdout_prefix: String, stderr_prefix: String },
}

/// Whom to run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunAs {
    /// The user that the agent is configured with.
    Default,
    /// The user that the agent runs as: root as a rule.
    Elevated,
    /// This one.
    User(String),
}

/// Why a task cannot be done. The texts are for the user, where AWS's agent has one in its words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TaskError {
    #[error("The session document cannot be used: {0}")]
    Document(#[from] DocumentError),
    #[error("Commands cannot be empty for session type {}", .0.as_str())]
    NoCommands(SessionType),
    #[error("Failed to parse commands input: the command has {0}")]
    Words(&'static str),
    #[error("Unable to start command: please set the RunAs default user")]
    RunAsDefaultUser,
    #[error("A session of type Port cannot run a command.")]
    NotAProgram,
    #[error("Port number is not valid: {0:?}")]
    PortNumber(String),
}

impl Task {
    pub(super) fn parse(task: SessionTask) -> Result<Self, TaskError> {
        let resolved = SessionDocument::received(&task.document_content)?.resolve(&task.parameters)?;
        let ResolvedSession { session_type, preferences, properties } = resolved;
        let commands = match properties {
            Properties::Port(_) => return Err(TaskError::NotAProgram),
            Properties::Commands(commands) if cfg!(target_os = "macos") => commands.macos,
            Properties::Commands(commands) => commands.linux,
        };
        let commands = commands.unwrap_or_default();
        let run_as = run_as(&preferences, &commands, &task.run_as_user)?;
        let kms_key_id = preferences.kms_key_id.clone();
        let run = match session_type {
            SessionType::Port => return Err(TaskError::NotAProgram),
            SessionType::StandardStream if commands.commands.trim().is_empty() => {
                Run::LoginShell { profile: preferences.shell_profile.linux }
            }
            _ if commands.commands.trim().is_empty() => return Err(TaskError::NoCommands(session_type)),
            SessionType::NonInteractiveCommands => Run::Piped(Piped::new(commands)?),
            SessionType::StandardStream | SessionType::InteractiveCommands => {
                Run::OnTerminal { session_type, commands: commands.commands }
            }
        };
        Ok(Self { session_id: task.session_id, run, run_as, kms_key_id })
    }
}

impl Run {
    /// The kind of session, for the handshake.
    pub(super) fn session_type(&self) -> SessionType {
        match self {
            Self::LoginShell { .. } => SessionType::StandardStream,
            Self::OnTerminal { session_type, .. } => *session_type,
            Self::Piped(_) => SessionType::NonInteractiveCommands,
        }
    }
}

impl Piped {
    fn new(commands: Commands) -> Result<Self, TaskError> {
        let words = words::split(&commands.commands).map_err(TaskError::Words)?;
        if words.is_empty() {
            return Err(TaskError::NoCommands(SessionType::NonInteractiveCommands));
        }
        let separation = if commands.separate_output_stream {
            Separation::Separate {
                stdout_prefix: commands.stdout_separator_prefix,
                stderr_prefix: commands.stderr_separator_prefix,
            }
        } else {
            Separation::Merged
        };
        Ok(Self { words, separation })
    }
}

/// Whom a session runs as.
pub(super) fn run_as(
    preferences: &Preferences,
    commands: &Commands,
    run_as_user: &str,
) -> Result<RunAs, TaskError> {
    if commands.run_as_elevated {
        return Ok(RunAs::Elevated);
    }
    if !preferences.run_as_enabled {
        return Ok(RunAs::Default);
    }
    let named = [run_as_user.trim(), preferences.run_as_default_user.as_deref().unwrap_or_default().trim()];
    let user = named.into_iter().find(|user| !user.is_empty());
    user.map(|user| RunAs::User(user.to_owned())).ok_or(TaskError::RunAsDefaultUser)
}

/// The session that an unreadable task is about, if it is JSON at all.
pub(super) fn session_id(payload: &[u8]) -> Option<SessionId> {
    let task: Value = serde_json::from_slice(payload).ok()?;
    let id = task.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case("TaskId"))?.1;
    id.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(content: Value, parameters: Value, run_as_user: &str) -> Result<Task, TaskError> {
        Task::parse(SessionTask {
            document_name: String::new(),
            document_content: content,
            session_id: "alice-1".parse().unwrap(),
            parameters: parameters.as_object().unwrap().clone(),
            run_as_user: run_as_user.to_owned(),
            session_owner: String::new(),
        })
    }

    fn document(session_type: &str, inputs: Value, properties: Value) -> Value {
        json!({
            "schemaVersion": "1.0", "sessionType": session_type, "inputs": inputs,
            "parameters": {"command": {"type": "String"}},
            "properties": {"linux": properties, "macos": properties},
        })
    }

    #[test]
    fn each_kind_of_session_is_understood() {
        let shell = parse(document("Standard_Stream", json!(null), json!(null)), json!({}), "").unwrap();
        assert_eq!(shell.run, Run::LoginShell { profile: String::new() });
        assert_eq!(shell.run_as, RunAs::Default);

        let commands = json!({"commands": "{{ command }}"});
        let given = json!({"command": "echo 'a b'"});
        let interactive =
            parse(document("InteractiveCommands", json!({}), commands.clone()), given.clone(), "").unwrap();
        let expected = Run::OnTerminal {
            session_type: SessionType::InteractiveCommands,
            commands: "echo 'a b'".to_owned(),
        };
        assert_eq!(interactive.run, expected);

        let piped = parse(document("NonInteractiveCommands", json!({}), commands), given, "").unwrap();
        let words = vec!["echo".to_owned(), "a b".to_owned()];
        assert_eq!(piped.run, Run::Piped(Piped { words, separation: Separation::Merged }));
    }

    #[test]
    fn streams_can_be_apart_with_prefixes() {
        let properties =
            json!({"commands": "ls", "separateOutputStream": "true", "stdErrSeparatorPrefix": "err:\n"});
        let task = parse(document("NonInteractiveCommands", json!({}), properties), json!({}), "").unwrap();
        let separation =
            Separation::Separate { stdout_prefix: String::new(), stderr_prefix: "err:\n".to_owned() };
        assert_eq!(task.run, Run::Piped(Piped { words: vec!["ls".to_owned()], separation }));
    }

    #[test]
    fn whom_to_run_as_follows_awss_rules() {
        let elevated = json!({"commands": "id", "runAsElevated": true});
        // name, inputs, properties, RunAsUser, expected
        for (name, inputs, properties, user, expected) in [
            (
                "off",
                json!({"runAsEnabled": false, "runAsDefaultUser": "ops"}),
                json!(null),
                "bob",
                Ok(RunAs::Default),
            ),
            (
                "tag",
                json!({"runAsEnabled": true, "runAsDefaultUser": "ops"}),
                json!(null),
                "bob",
                Ok(RunAs::User("bob".into())),
            ),
            (
                "default",
                json!({"runAsEnabled": "true", "runAsDefaultUser": "ops"}),
                json!(null),
                "",
                Ok(RunAs::User("ops".into())),
            ),
            ("none", json!({"runAsEnabled": true}), json!(null), "", Err(TaskError::RunAsDefaultUser)),
            ("elevated", json!({"runAsEnabled": true}), elevated, "bob", Ok(RunAs::Elevated)),
        ] {
            let task = parse(document("Standard_Stream", inputs, properties), json!({}), user);
            assert_eq!(task.map(|task| task.run_as), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said_plainly() {
        for (session_type, properties, expected) in [
            (
                "NonInteractiveCommands",
                json!({"commands": "  "}),
                "Commands cannot be empty for session type NonInteractiveCommands",
            ),
            (
                "NonInteractiveCommands",
                json!({"commands": "a '"}),
                "Failed to parse commands input: the command has a quote that is not closed",
            ),
        ] {
            let error = parse(document(session_type, json!({}), properties), json!({}), "").unwrap_err();
            assert_eq!(error.to_string(), expected, "{session_type}");
        }
        let port = json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"portNumber": "22"}});
        assert_eq!(parse(port, json!({}), ""), Err(TaskError::NotAProgram));
        let unknown = document("Dance", json!({}), json!({}));
        assert!(matches!(parse(unknown, json!({}), ""), Err(TaskError::Document(_))));
    }

    #[test]
    fn an_unreadable_task_still_names_its_session() {
        assert_eq!(session_id(br#"{"taskid":"alice-1","Content":"{"}"#).unwrap().as_str(), "alice-1");
        for wrong in [&b""[..], b"[]", b"{}", br#"{"TaskId":"../x"}"#, br#"{"TaskId":1}"#] {
            assert_eq!(session_id(wrong), None);
        }
    }
}
