//! Why a session ended, for the store, for the recording and for the person at the client.

use std::time::Duration;

use postern_documents::TUNNEL_DOCUMENT_NAME;

/// Why a session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndReason {
    /// Somebody called `TerminateSession`.
    Terminated,
    /// The shell or command came to its end.
    Exited,
    /// Nothing was typed or printed for this long.
    Idle(Duration),
    /// The session reached the longest time that its document allows.
    MaxDuration(Duration),
    /// The node's connection was lost and did not come back.
    AgentLost,
    /// No client connected, or it went away and did not come back.
    ClientLost,
    /// The node was de-registered.
    NodeDeregistered,
    /// Whoever started it may do so no longer; in a few words why.
    PermissionRevoked(String),
    /// The recording could not be written; a session that is not recorded must not go on.
    RecordingFailed(String),
    /// What the session does cannot be told from its bytes, so that it could not be recorded; why not.
    NotUnderstood(String),
    /// Which connections the session carries cannot be told from its bytes, so that they could not be allowed or recorded; why not.
    NotFollowed(String),
    /// Its document is for clients that ask for each connection, and this one does not.
    NoTunnel,
    /// It is encrypted, has to be recorded, and cannot be; why not.
    Unrecordable(String),
    /// What happens to the session could not be put on the audit trail; it must not go on without.
    NotWitnessed,
    /// The node could not start the session, or reported its failure.
    Failed(String),
}

impl EndReason {
    /// The short form that is stored, and shown by `postern sessions list`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Terminated => "user".into(),
            Self::Exited => "shell-exit".into(),
            Self::Idle(_) => "idle".into(),
            Self::MaxDuration(_) => "max-duration".into(),
            Self::AgentLost => "agent-lost".into(),
            Self::ClientLost => "client-lost".into(),
            Self::NodeDeregistered => "node-deregistered".into(),
            Self::PermissionRevoked(_) => "permission-revoked".into(),
            Self::RecordingFailed(_) => "failed:recording".into(),
            Self::NotUnderstood(_) | Self::NotFollowed(_) => "failed:not-understood".into(),
            Self::NoTunnel => "failed:no-tunnel".into(),
            Self::Unrecordable(_) => "failed:encryption".into(),
            Self::NotWitnessed => "failed:audit".into(),
            Self::Failed(_) => "failed:agent".into(),
        }
    }

    /// What the client shows. Empty for the ends that explain themselves: AWS's plugin then prints
    /// "Exiting session with sessionId".
    #[must_use]
    pub fn notice(&self) -> String {
        match self {
            Self::Terminated | Self::Exited => String::new(),
            Self::Idle(limit) => {
                format!("The session was ended after {} without input or output.", minutes(*limit))
            }
            Self::MaxDuration(limit) => {
                format!("The session was ended: it reached its maximum duration of {}.", minutes(*limit))
            }
            Self::AgentLost => {
                "The session was ended: the connection to the node was lost and did not come back.".into()
            }
            Self::ClientLost => "The session was ended: its client was away for too long.".into(),
            Self::NodeDeregistered => "The session was ended: the node was de-registered.".into(),
            Self::PermissionRevoked(why) => {
                format!("The session was ended: the permission for it was revoked ({why}).")
            }
            Self::RecordingFailed(cause) => {
                format!(
                    "The session was ended: it has to be recorded, and its recording cannot be written ({cause})."
                )
            }
            Self::NotUnderstood(cause) => {
                format!(
                    "The session was ended: what it does with files has to be recorded, and cannot be told ({cause})."
                )
            }
            Self::NotFollowed(cause) => {
                format!(
                    "The session was ended: each of its connections has to be allowed and recorded, and they cannot be told apart ({cause})."
                )
            }
            Self::NoTunnel => {
                format!(
                    "The session was ended: the document {TUNNEL_DOCUMENT_NAME} is for clients that ask for each connection, such as postern forward."
                )
            }
            Self::Unrecordable(cause) => {
                format!(
                    "The session was ended: it is encrypted and has to be recorded, and cannot be ({cause}). Set kmsKeyId of its document to a key of this server's KMS, or its inputs.recording to \"allowed\" or \"off\"."
                )
            }
            Self::NotWitnessed => "The session was ended: the audit trail cannot be written.".into(),
            Self::Failed(cause) => cause.clone(),
        }
    }

    /// Whether the agent's side has come to its end by itself, so that its last output is worth waiting for.
    pub(crate) fn is_from_agent(&self) -> bool {
        matches!(self, Self::Exited | Self::Failed(_))
    }

    /// Whether the session counts as failed rather than terminated.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Failed(_)
                | Self::NotUnderstood(_)
                | Self::NotFollowed(_)
                | Self::NoTunnel
                | Self::NotWitnessed
                | Self::RecordingFailed(_)
                | Self::Unrecordable(_)
        )
    }
}

pub(super) fn minutes(limit: Duration) -> String {
    match limit.as_secs() {
        60 => "1 minute".into(),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_what_happened() {
        assert_eq!(EndReason::Exited.notice(), "");
        let idle = EndReason::Idle(Duration::from_secs(20 * 60));
        assert_eq!(idle.notice(), "The session was ended after 20 minutes without input or output.");
        assert_eq!(idle.code(), "idle");
        let revoked = EndReason::PermissionRevoked("the access key is not active any more".to_owned());
        assert_eq!(
            revoked.notice(),
            "The session was ended: the permission for it was revoked (the access key is not active any more)."
        );
    }
}
