//! `postern ssh` and its relatives: OpenSSH's programs over sessions.

mod config;
pub(super) mod node;
mod proxy;
mod words;

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use postern_api::ssm::StartSessionInput;
use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use self::config::SshConfig;
pub(crate) use self::proxy::SshProxy;

use self::proxy::proxy_command;
use self::words::SshWords;
use crate::arguments::Global;
use crate::commands::api;
use crate::commands::start_session::{carry, exit_status};
use crate::failure::{Failure, SESSION_FAILED};
use crate::parameters::command_line;
use crate::visible;

/// Exit status for wrong usage, as of every command.
const USAGE: u8 = 2;
/// The program of OpenSSH.
const SSH: &str = "ssh";

/// Log in to a node, or run a command there, as `ssh` does; also where no SSH server runs.
///
/// Everything after the options of postern is a command line of ssh(1): its options, [USER@]NODE, and a command. NODE
/// is the node's ID, or the name it was given by its administrator.
///
/// OpenSSH's ssh is run over a session with the node's SSH server. Where nobody answers at its port, the shell or
/// command is a session of its own: recorded, as the user that sessions run as on that node; standard input
/// does not reach a command then, unless -t gives it a terminal, and connections are not forwarded.
///
/// Exit status: that of the remote shell or command; 255 if there was no connection.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Ssh {
    /// Do not look for an SSH server
    #[arg(long)]
    no_sshd: bool,
    /// Options of ssh, [USER@]NODE, command
    #[arg(
        value_name = "SSH ARGUMENTS",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true
    )]
    arguments: Vec<String>,
}

impl Ssh {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let words =
            SshWords::parse(&self.arguments).map_err(|error| Failure::new(error).with_status(USAGE))?;
        let api = api(global).await.map_err(failed)?;
        let node = node::find(&api, &words.host).await.map_err(failed)?;
        let unanswered = if self.no_sshd {
            None
        } else {
            let mark = NamedTempFile::new()?;
            let status = run_ssh(global, &self.arguments, &node, mark.path()).await?;
            let reason = std::fs::read_to_string(mark.path())?;
            if reason.is_empty() {
                return Ok(status);
            }
            Some(reason)
        };
        let request = without_server(&words, &node).map_err(|refusal| {
            let failure = Failure::new(refusal).with_status(SESSION_FAILED);
            match &unanswered {
                Some(reason) => failure.with_hint(format!("no SSH server answers there: {}", reason.trim())),
                None => failure,
            }
        })?;
        if let Some(reason) = &unanswered {
            let reason = visible::line(reason.trim());
            eprintln!("postern: no SSH server answers on {node} ({reason}); this is a session without one");
        }
        let is_command = request.document_name.is_some();
        let (ended, session_id) = carry(&api, &request, is_command, !words.without_input).await?;
        Ok(exit_status(&ended, &session_id))
    }
}

fn failed(failure: Failure) -> Failure {
    failure.with_status(SESSION_FAILED)
}

/// Runs OpenSSH's program to its end. It shares our terminal, and what its keys mean is its business.
async fn run_ssh(global: &Global, arguments: &[String], node: &str, mark: &Path) -> Result<u8, Failure> {
    let proxy = proxy_command(global, node, Some(mark))?;
    let mut command = Command::new(SSH);
    // Of each option ssh takes the first value that it meets. The key that it remembers is the node's, by
    // whatever name it was called.
    command.args(["-o", &format!("ProxyCommand={proxy}"), "-o", &format!("HostKeyAlias={node}")]);
    command.args(arguments);
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut child = command.spawn().map_err(|error| {
        Failure::new(NoSsh(error)).with_hint("--no-sshd does without it").with_status(SESSION_FAILED)
    })?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(exit_code(status?)),
            // The terminal has sent it to ssh too, which decides what becomes of it.
            _ = interrupts.recv() => {}
        }
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(SESSION_FAILED)
}

#[derive(Debug, thiserror::Error)]
#[error("cannot run {SSH}")]
struct NoSsh(#[source] io::Error);

/// Why only an SSH server could do it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum ServerNeeded {
    #[error("-{0} needs an SSH server on the node")]
    Option(char),
    #[error(
        "a session without an SSH server is not of the user {0:?}, but of the one that sessions run as on the node"
    )]
    User(String),
}

/// The session that takes the place of an SSH server's.
fn without_server(words: &SshWords, node: &str) -> Result<StartSessionInput, ServerNeeded> {
    if let Some(letter) = words.needs_server {
        return Err(ServerNeeded::Option(letter));
    }
    if let Some(user) = &words.user {
        return Err(ServerNeeded::User(user.clone()));
    }
    let mut request =
        StartSessionInput { target: node.to_owned(), document_name: None, reason: None, parameters: None };
    if words.command.is_empty() {
        return Ok(request);
    }
    // ssh joins the words, and the shell at the other end reads the line.
    let line = words.command.join(" ");
    let one = |name: &str, value: String| (name.to_owned(), vec![value]);
    let (document, parameters) = if words.wants_terminal {
        ("AWS-StartInteractiveCommand", vec![one("command", line)])
    } else {
        let shell = command_line(&["sh".to_owned(), "-c".to_owned(), line]);
        // Otherwise the exit code is not told.
        let apart = one("separateOutputStream", "true".to_owned());
        ("AWS-StartNonInteractiveCommand", vec![one("command", shell), apart])
    };
    request.document_name = Some(document.to_owned());
    request.parameters = Some(parameters.into_iter().collect());
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[&str], expected: Result<&str, ServerNeeded>) {
        let words: Vec<String> = line.iter().map(ToString::to_string).collect();
        let words = SshWords::parse(&words).unwrap();
        let request = without_server(&words, "mi-1").map(|request| serde_json::to_value(&request).unwrap());
        let expected = expected.map(|json| serde_json::from_str::<serde_json::Value>(json).unwrap());
        assert_eq!(request, expected, "{line:?}");
    }

    #[test]
    fn a_shell_or_command_takes_the_place_of_the_servers() {
        check(&["web"], Ok(r#"{"Target":"mi-1"}"#));
        check(
            &["-v", "web", "echo", "$HOME", "it's"],
            Ok(r#"{"Target":"mi-1","DocumentName":"AWS-StartNonInteractiveCommand",
                "Parameters":{"command":["sh -c 'echo $HOME it'\\''s'"],"separateOutputStream":["true"]}}"#),
        );
        check(
            &["-t", "web", "top", "-d1"],
            Ok(
                r#"{"Target":"mi-1","DocumentName":"AWS-StartInteractiveCommand","Parameters":{"command":["top -d1"]}}"#,
            ),
        );
    }

    #[test]
    fn what_only_a_server_can_do_is_not_pretended() {
        check(&["-D", "1080", "web"], Err(ServerNeeded::Option('D')));
        check(&["root@web"], Err(ServerNeeded::User("root".to_owned())));
    }
}
