//! What can go wrong on the way out; each error names the host and the step.

use std::io;
use std::time::Duration;

use crate::trust::TrustError;

/// A part of making a connection or a request that has a time limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Resolving the name and connecting.
    Connect,
    /// Asking the proxy for a tunnel.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// Sending a request and reading the whole answer.
    Request,
    /// Upgrading to a websocket.
    Upgrade,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Proxy => "asking the proxy",
            Self::Tls => "the TLS handshake",
            Self::Request => "the request",
            Self::Upgrade => "opening the websocket",
        })
    }
}

/// Why there is no connection or no answer. `host` is `name:port`.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The address itself is no use.
    #[error("cannot use the address {url:?}: {problem}")]
    Url {
        /// The address as given.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The certificates to trust could not be read.
    #[error("cannot decide which certificates to trust")]
    Trust(#[source] TrustError),
    /// The name has no address.
    #[error("cannot resolve {host}")]
    Resolve {
        /// Whom.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The name has only addresses that must not be connected to.
    #[error("{host} is at an address that must not be connected to")]
    Forbidden {
        /// Whom.
        host: String,
    },
    /// No address of the host accepted a connection.
    #[error("cannot connect to {host}")]
    Connect {
        /// Whom.
        host: String,
        /// The last refusal.
        source: io::Error,
    },
    /// The proxy did not open a tunnel.
    #[error("the proxy {proxy} gave no connection to {host}: {problem}")]
    Proxy {
        /// The proxy's address.
        proxy: String,
        /// Whom it should have connected.
        host: String,
        /// What it said.
        problem: String,
    },
    /// The TLS handshake failed, most often because the certificate is not trusted.
    #[error("cannot make a secure connection to {host}")]
    Tls {
        /// Whom.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke before the answer was complete, or the answer was no HTTP.
    #[error("the request to {host} failed")]
    Request {
        /// Whom.
        host: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server answered the websocket request with another status than 101.
    #[error("{host} refused the websocket with HTTP status {status}")]
    Refused {
        /// Whom.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// A step took longer than its limit.
    #[error("{host}: {step} took longer than {} s", limit.as_secs_f32())]
    TimedOut {
        /// Whom.
        host: String,
        /// What took too long.
        step: Step,
        /// The limit.
        limit: Duration,
    },
}

impl DialError {
    /// Whether trying again later can help: false for a bad address, bad trust settings, or a certificate that
    /// is not trusted.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Url { .. } | Self::Trust(_) | Self::Forbidden { .. } => false,
            Self::Tls { source, .. } => source.kind() != io::ErrorKind::InvalidData,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Proxy { .. }
            | Self::Request { .. }
            | Self::TimedOut { .. } => true,
        }
    }
}
