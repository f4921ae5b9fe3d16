//! `postern ssh-proxy`: the connection under an `ssh`, for its ProxyCommand.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use postern_api::ssm::StartSessionInput;
use postern_client::Ended;

use crate::arguments::Global;
use crate::commands::api;
use crate::commands::start_session::{carry, exit_status};
use crate::failure::{Failure, SESSION_FAILED};
use crate::parameters::quoted;

const DOCUMENT: &str = "AWS-StartSSHSession";
/// What the reason of a session begins with that found nobody at the port, from AWS's agent.
const UNABLE_TO_CONNECT: &str = "Unable to connect to specified port";

/// Carry the connection of an `ssh`, for its ProxyCommand: `postern ssh-proxy %h %p`.
#[derive(Debug, clap::Args)]
pub(crate) struct SshProxy {
    /// The node's ID
    node: String,
    /// The port of its SSH server
    #[arg(default_value_t = 22, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Where to write, instead of saying it, that nobody answers at the port
    #[arg(long, hide = true, value_name = "FILE")]
    unanswered: Option<PathBuf>,
}

impl SshProxy {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let api = api(global).await.map_err(|failure| failure.with_status(SESSION_FAILED))?;
        let request = StartSessionInput {
            target: self.node,
            document_name: Some(DOCUMENT.to_owned()),
            reason: None,
            parameters: Some([("portNumber".to_owned(), vec![self.port.to_string()])].into()),
        };
        let (ended, session_id) = carry(&api, &request, true, false).await?;
        if let (Some(file), Some(reason)) = (&self.unanswered, unanswered(&ended)) {
            std::fs::write(file, reason)?;
            return Ok(SESSION_FAILED);
        }
        Ok(exit_status(&ended, &session_id))
    }
}

fn unanswered(ended: &Ended) -> Option<&str> {
    match ended {
        Ended::Closed { reason, .. } if reason.contains(UNABLE_TO_CONNECT) => Some(reason),
        _ => None,
    }
}

/// The ProxyCommand for `node`, which may be one of ssh's tokens such as `%h`.
pub(super) fn proxy_command(
    global: &Global,
    node: &str,
    unanswered: Option<&Path>,
) -> Result<String, Failure> {
    let mut words = vec![std::env::current_exe()?.into_os_string()];
    let options = [
        ("--profile", global.profile.clone().map(OsString::from)),
        ("--region", global.region.clone().map(OsString::from)),
        ("--endpoint-url", global.endpoint_url.clone().map(OsString::from)),
        ("--ca-bundle", global.ca_bundle.clone().map(absolute).transpose()?.map(PathBuf::into_os_string)),
    ];
    for (name, value) in options {
        words.extend(value.into_iter().flat_map(|value| [OsString::from(name), value]));
    }
    words.push("ssh-proxy".into());
    if let Some(file) = unanswered {
        words.extend(["--unanswered".into(), file.as_os_str().to_owned()]);
    }
    let mut line = String::new();
    for word in words {
        let word = word
            .into_string()
            .map_err(|word| Failure::new(format!("{word:?} is no UTF-8, which ssh needs")))?;
        // What ssh hands to a shell it has first searched for its tokens.
        line.push_str(&quoted(&word).replace('%', "%%"));
        line.push(' ');
    }
    Ok(format!("{line}{node} %p"))
}

/// `ssh` may be called from elsewhere.
fn absolute(path: PathBuf) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_for_a_shell_behind_sshs_tokens() {
        let global = Global {
            profile: Some("it's 100%".to_owned()),
            ca_bundle: Some("/ca dir/ca.pem".into()),
            ..Global::default()
        };
        let line = proxy_command(&global, "%h", Some(Path::new("/tmp/x"))).unwrap();
        let (_, rest) = line.split_once(' ').unwrap();
        insta::assert_snapshot!(rest, @r"--profile 'it'\''s 100%%' --ca-bundle '/ca dir/ca.pem' ssh-proxy --unanswered /tmp/x %h %p");
    }

    #[test]
    fn only_an_unanswered_port_is_taken_for_one() {
        let closed = |reason: &str| Ended::Closed { reason: reason.to_owned(), exit_code: None };
        assert!(unanswered(&closed("Unable to connect to specified port: dial tcp …")).is_some());
        assert!(unanswered(&closed("terminated by bob")).is_none());
        assert!(unanswered(&Ended::TimedOut).is_none());
    }
}
