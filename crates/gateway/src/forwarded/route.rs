//! Where a connection leads.

use std::fmt;

pub use postern_protocol::tunnel::Protocol;
use serde::{Deserialize, Serialize};

/// Who connects to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The client has a connection, and the node connects on.
    Local,
    /// The node listens, and the client connects on.
    Remote,
}

impl Direction {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

/// Where a connection leads, as the node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// Who connects to whom.
    pub direction: Direction,
    /// What is spoken.
    pub protocol: Protocol,
    /// The host that the node connects to, or the address that it listens on; empty for a socket file.
    #[serde(default)]
    pub host: String,
    /// The port, as documents have it; empty for a socket file.
    #[serde(default)]
    pub port: String,
    /// The socket file; empty for a port.
    #[serde(default)]
    pub path: String,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol {
            Protocol::Unix => f.write_str(&self.path),
            _ if self.host.contains(':') => write!(f, "[{}]:{}", self.host, self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
