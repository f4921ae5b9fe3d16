//! What is told while a session runs, and how it ends.

use std::io;

use crate::connection::OpenError;

/// Something to tell the user besides the session's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// The connection is lost, and is being made again.
    ConnectionLost,
    /// It is back; told only after [`Notice::ConnectionLost`].
    Reconnected,
    /// The user asked for the escapes.
    Escapes(&'a str),
    /// The agent has something to say.
    Message(&'a str),
    /// The server has something to say in the middle of the session: that its time is nearly up.
    Warning(&'a str),
    /// This side listens; the text says where, as `Port 8080` or `Unix socket /tmp/s`.
    Listening {
        /// Where.
        place: &'a str,
        /// Whether it takes any number of connections at once.
        many: bool,
    },
    /// A first connection was accepted.
    Accepted {
        /// Whether more can be, at the same time.
        many: bool,
    },
    /// The node could not connect; the session goes on.
    DestinationFailed,
    /// The user wants to be gone, and the node is being told.
    Leaving,
    /// Nothing follows on standard output, although the session goes on: whoever reads it should see its end.
    OutputEnded,
}

/// How a session ended. It has been terminated if the user or this program ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The server says so.
    Closed {
        /// Why; empty at the end of the shell or command.
        reason: String,
        /// What the shell or command exited with, if the agent told.
        exit_code: Option<i32>,
    },
    /// After a lost connection, the server no longer had it.
    TimedOut,
    /// The user typed `~.`, or the terminal went away.
    Left,
    /// Nobody reads standard output any more.
    OutputClosed,
    /// Standard input of a connection ended, and has been delivered to an agent that cannot be told so.
    InputEnded,
    /// A signal of this number.
    Signalled(i32),
}

/// Why a session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There was never a data channel.
    #[error("cannot open the session")]
    Open(#[source] OpenError),
    /// The connection was lost, and did not come back.
    #[error("the connection was lost and cannot be made again")]
    Resume(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The agent does not speak the protocol of forwarded connections.
    #[error("the agent does not speak the protocol of forwarded connections")]
    Smux(#[from] postern_protocol::smux::SmuxError),
    /// The agent does not speak the dialect of tunnels.
    #[error("the agent does not keep to the tunnel dialect")]
    Tunnel(#[from] postern_protocol::tunnel::TunnelError),
    /// The document says something else than a port.
    #[error("{0:?} is no local port")]
    LocalPort(String),
    /// What is to be listened on cannot be.
    #[error("cannot listen on {place}")]
    Listen {
        /// An address or a socket file.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// The agent wants something else that we do not know.
    #[error("the agent started a kind of session that this client does not know")]
    UnknownKind,
    /// What was sent cannot be read with the key that was agreed.
    #[error("the session's encryption does not hold")]
    Encryption(#[source] postern_cipher::CipherError),
    /// Standard input, output or error cannot be used.
    #[error("cannot use {what}")]
    Local {
        /// Which.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
}
