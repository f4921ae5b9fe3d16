//! What a session's program starts with: whose it is, its environment, its place.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use postern_pty::{Command, InvalidCommand, LookupError, User};

use super::task::{Run, RunAs};

/// What a login has, system directories included: administrators are who uses this.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Without a locale programs do not show UTF-8. AWS's agent sets the same.
const DEFAULT_LANG: &str = "C.UTF-8";
/// What AWS's plugin and every terminal of today understand. AWS's agent sets the same.
const TERM: &str = "xterm-256color";

/// Why there is nobody to run as, or nothing to run.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnvironmentError {
    #[error("the agent must run as root to use RunAs")]
    NotRoot,
    #[error("failed to start pty since RunAs user {0} does not exist")]
    NoSuchUser(String),
    /// AWS's agent has no other name for it: nobody becomes root by Run As.
    #[error("invalid uid and gid")]
    RunAsRoot,
    #[error("the agent's own user is not in the user database")]
    NoOwnUser,
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error("the command cannot be passed on: {0}")]
    Command(#[from] InvalidCommand),
}

/// The user to run as. May block.
pub(super) fn user(run_as: &RunAs, session_user: Option<&str>) -> Result<User, EnvironmentError> {
    let own = || User::current()?.ok_or(EnvironmentError::NoOwnUser);
    let name = match (run_as, session_user) {
        (RunAs::User(name), _) => name,
        (RunAs::Default, Some(name)) => name,
        (RunAs::Elevated, _) | (RunAs::Default, None) => return own(),
    };
    let user = User::by_name(name)?.ok_or_else(|| EnvironmentError::NoSuchUser(name.to_owned()))?;
    if matches!(run_as, RunAs::User(_)) && (user.uid == 0 || user.gid == 0) {
        return Err(EnvironmentError::RunAsRoot);
    }
    let own = own()?;
    if own.uid != 0 && own.uid != user.uid {
        return Err(EnvironmentError::NotRoot);
    }
    Ok(user)
}

/// The command of a session of `user`.
pub(super) fn command(run: &Run, user: &User) -> Result<Command, InvalidCommand> {
    let (program, arguments): (&OsStr, Vec<OsString>) = match run {
        Run::LoginShell { .. } => (user.shell.as_os_str(), vec![login_name(&user.shell)]),
        Run::OnTerminal { commands, .. } => {
            (OsStr::new("/bin/sh"), vec!["sh".into(), "-c".into(), commands.into()])
        }
        Run::Piped(piped) => (
            OsStr::new(piped.words.first().map_or("", String::as_str)),
            piped.words.iter().map(OsString::from).collect(),
        ),
    };
    let has_terminal = !matches!(run, Run::Piped(_));
    of_user(program, arguments, has_terminal, user)
}

/// A program of the agent's own that `user` runs without a terminal.
pub(super) fn own_command<const N: usize>(
    program: &Path,
    arguments: [&str; N],
    user: &User,
) -> Result<Command, InvalidCommand> {
    of_user(program.as_os_str(), arguments.map(OsString::from).to_vec(), false, user)
}

fn of_user(
    program: &OsStr,
    arguments: Vec<OsString>,
    has_terminal: bool,
    user: &User,
) -> Result<Command, InvalidCommand> {
    let command = Command::new(program, arguments, &environment(has_terminal, user))?;
    Ok(command.directories([user.home.as_path(), Path::new("/")])?.user(user))
}

/// `-bash`: a shell called by such a name reads what a login reads.
fn login_name(shell: &Path) -> OsString {
    let mut name = OsString::from("-");
    name.push(shell.file_name().unwrap_or(shell.as_os_str()));
    name
}

/// The environment of a login, and nothing of the agent's own but the locale.
fn environment(has_terminal: bool, user: &User) -> Vec<(&'static str, OsString)> {
    let lang = utf8_locale(std::env::var_os("LANG"));
    let mut environment = vec![
        ("HOME", user.home.clone().into_os_string()),
        ("LOGNAME", user.name.clone().into()),
        ("USER", user.name.clone().into()),
        ("SHELL", user.shell.clone().into_os_string()),
        ("PATH", PATH.into()),
        ("LANG", lang),
    ];
    if has_terminal {
        environment.push(("TERM", TERM.into()));
    }
    environment
}

/// The agent's own locale, if it is one of UTF-8: clients and recordings know no other encoding.
fn utf8_locale(lang: Option<OsString>) -> OsString {
    let is_utf8 = |lang: &OsString| {
        let lang = lang.to_string_lossy().to_ascii_lowercase();
        lang.ends_with(".utf-8") || lang.ends_with(".utf8")
    };
    lang.filter(is_utf8).unwrap_or_else(|| DEFAULT_LANG.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_have_a_locale_of_utf8() {
        for (given, expected) in [
            (None, "C.UTF-8"),
            (Some("C"), "C.UTF-8"),
            (Some("de_DE.ISO-8859-1"), "C.UTF-8"),
            (Some("de_DE.UTF-8"), "de_DE.UTF-8"),
            (Some("en_US.utf8"), "en_US.utf8"),
        ] {
            assert_eq!(utf8_locale(given.map(OsString::from)), *expected, "{given:?}");
        }
    }

    fn alice() -> User {
        User {
            name: "alice".into(),
            uid: 1000,
            gid: 1000,
            groups: vec![1000],
            home: "/home/alice".into(),
            shell: "/bin/bash".into(),
        }
    }

    #[test]
    fn the_environment_is_that_of_a_login() {
        let environment = environment(true, &alice());
        let value = |name| {
            environment.iter().find(|(other, _)| *other == name).map(|(_, value)| value.to_str().unwrap())
        };
        assert_eq!(value("HOME"), Some("/home/alice"));
        assert_eq!(value("LOGNAME"), Some("alice"));
        assert_eq!(value("SHELL"), Some("/bin/bash"));
        assert_eq!(value("TERM"), Some("xterm-256color"));
        assert!(value("LANG").is_some_and(|lang| !lang.is_empty()));
        assert_eq!(login_name(Path::new("/bin/bash")), "-bash");
    }

    #[test]
    fn users_are_found_or_named() {
        assert!(user(&RunAs::Default, None).is_ok());
        assert!(user(&RunAs::Elevated, Some("no-such-user")).is_ok());
        let error = user(&RunAs::User("no-such-user".into()), None).unwrap_err();
        assert_eq!(error.to_string(), "failed to start pty since RunAs user no-such-user does not exist");
        let error = user(&RunAs::User("root".into()), None).unwrap_err();
        assert_eq!(error.to_string(), "invalid uid and gid");
    }
}
