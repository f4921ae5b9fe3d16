//! What a session begins with.

use std::os::fd::BorrowedFd;

use crate::output::Layout;

/// What StartSession answered.
#[derive(Debug, Clone)]
pub struct SessionStart {
    /// The session.
    pub session_id: String,
    /// The node, as the encryption of the session has it.
    pub target: String,
    /// Where its data channel is.
    pub stream_url: String,
    /// What opens the data channel, once.
    pub token_value: String,
    /// What to tell the agent of this client: `postern/<version>`, or a plugin's version.
    pub client_version: String,
    /// Where output goes.
    pub layout: Layout,
    /// Whether standard input is for a command without a terminal, too, where the agent can give it to one. Otherwise it
    /// stays where it is, as with AWS's plugin.
    pub feeds_commands: bool,
}

/// What the session is joined to on this side.
#[derive(Debug, Clone, Copy)]
pub struct Stdio<'a> {
    /// What is typed; a terminal becomes raw.
    pub stdin: BorrowedFd<'a>,
    /// Output.
    pub stdout: BorrowedFd<'a>,
    /// Errors of commands that keep them apart.
    pub stderr: BorrowedFd<'a>,
}

impl Stdio<'static> {
    /// This process's own.
    #[must_use]
    pub fn inherited() -> Self {
        Self {
            stdin: rustix::stdio::stdin(),
            stdout: rustix::stdio::stdout(),
            stderr: rustix::stdio::stderr(),
        }
    }
}

/// Whether the document of that name carries a stream on standard input and output, on which nothing else may be.
#[must_use]
pub fn carries_stream(document_name: &str) -> bool {
    matches!(name(document_name), "AWS-StartSSHSession" | "Postern-StartSFTPSession")
}

/// The name in an ARN.
fn name(document: &str) -> &str {
    document.rsplit('/').next().unwrap_or(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_for_connections_are_known() {
        for name in [
            "AWS-StartSSHSession",
            "Postern-StartSFTPSession",
            "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession",
        ] {
            assert!(carries_stream(name), "{name}");
        }
        for name in ["AWS-StartInteractiveCommand", "AWS-StartPortForwardingSession"] {
            assert!(!carries_stream(name), "{name}");
        }
    }
}
