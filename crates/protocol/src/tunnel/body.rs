//! What frames say in JSON.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name has 253 characters at most, and an address may stand in brackets with a zone.
const HOST_BYTES_MAX: usize = 255;

/// What `sockaddr_un` has room for, with its final zero.
const PATH_BYTES_MAX: usize = 107;

/// The longest text for people; what is longer is cut when it is written.
const TEXT_BYTES_MAX: usize = 512;

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// A stream to or from a port.
    Tcp,
    /// Datagrams to a port: each frame of data is one.
    Udp,
    /// A stream to a socket file of the node.
    Unix,
}

impl Protocol {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Unix => "unix",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a connection leads, as the node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A port of a host: a name, which the node looks up, or an address without brackets.
    Tcp {
        /// Never empty; `localhost` is the node.
        host: String,
        /// Never 0.
        port: u16,
    },
    /// The same, for datagrams.
    Udp {
        /// Never empty; `localhost` is the node.
        host: String,
        /// Never 0.
        port: u16,
    },
    /// A socket file of the node.
    Unix {
        /// From the root.
        path: String,
    },
}

impl Destination {
    /// What is spoken there.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Tcp { .. } => Protocol::Tcp,
            Self::Udp { .. } => Protocol::Udp,
            Self::Unix { .. } => Protocol::Unix,
        }
    }

    /// Host and port, if it is one.
    #[must_use]
    pub fn host(&self) -> Option<(&str, u16)> {
        match self {
            Self::Tcp { host, port } | Self::Udp { host, port } => Some((host, *port)),
            Self::Unix { .. } => None,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } | Self::Udp { host, port } if host.contains(':') => {
                write!(f, "[{host}]:{port}")
            }
            Self::Tcp { host, port } | Self::Udp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => f.write_str(path),
        }
    }
}

/// Opens a stream to somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OpenText", into = "OpenText")]
pub struct Open {
    /// Where it leads.
    pub destination: Destination,
    /// Who connected to the client, for the records: an address, or nothing.
    pub source: String,
}

/// Has the node listen on a port, and say what it accepts there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ListenText", into = "ListenText")]
pub struct Listen {
    /// The address to bind to; empty or `localhost` for the node's loopback.
    pub host: String,
    /// 0 for any.
    pub port: u16,
}

/// Somebody connected to a listener of the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Accepted {
    /// The listener's number.
    pub listener: u32,
    /// Who: an address.
    #[serde(deserialize_with = "text")]
    pub source: String,
}

/// It is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Opened {
    /// What it is connected to, or listens on: the very address, with its port, or a path.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_text")]
    pub address: Option<String>,
}

/// It is not open, and will not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Refused {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    #[serde(default, deserialize_with = "text")]
    pub message: String,
}

impl Refused {
    /// With the beginning of a message that is too long.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: cut(message.into()) }
    }
}

/// Why something was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// The server's policies do not allow it.
    Denied,
    /// The session or the node do not allow it.
    Forbidden,
    /// There is no such name, socket file or listener.
    NotFound,
    /// No way leads there.
    Unreachable,
    /// Nobody listens there.
    RefusedByPeer,
    /// There was no answer.
    TimedOut,
    /// Somebody else listens there.
    InUse,
    /// The session has as many as it may.
    TooMany,
    /// Anything else.
    Failed,
}

impl Reason {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "Denied",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::Unreachable => "Unreachable",
            Self::RefusedByPeer => "RefusedByPeer",
            Self::TimedOut => "TimedOut",
            Self::InUse => "InUse",
            Self::TooMany => "TooMany",
            Self::Failed => "Failed",
        }
    }
}

/// It is over at once, in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Reset {
    /// Why, for people.
    #[serde(default, deserialize_with = "text")]
    pub message: String,
}

impl Reset {
    /// With the beginning of a message that is too long.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: cut(message.into()) }
    }
}

/// The form of [`Open`] on the wire.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OpenText {
    protocol: Protocol,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    source: String,
}

impl TryFrom<OpenText> for Open {
    type Error = &'static str;

    fn try_from(text: OpenText) -> Result<Self, Self::Error> {
        let destination = match (text.protocol, text.host, text.port, text.path) {
            (Protocol::Tcp, Some(host), Some(port), None) => {
                Destination::Tcp { host: checked_host(host)?, port: checked_port(port)? }
            }
            (Protocol::Udp, Some(host), Some(port), None) => {
                Destination::Udp { host: checked_host(host)?, port: checked_port(port)? }
            }
            (Protocol::Unix, None, None, Some(path)) => Destination::Unix { path: checked_path(path)? },
            _ => return Err("its parts do not fit its protocol"),
        };
        Ok(Self { destination, source: checked_text(text.source)? })
    }
}

impl From<Open> for OpenText {
    fn from(open: Open) -> Self {
        let protocol = open.destination.protocol();
        let (host, port, path) = match open.destination {
            Destination::Tcp { host, port } | Destination::Udp { host, port } => {
                (Some(host), Some(port), None)
            }
            Destination::Unix { path } => (None, None, Some(path)),
        };
        Self { protocol, host, port, path, source: cut(open.source) }
    }
}

/// The form of [`Listen`] on the wire.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListenText {
    protocol: Protocol,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    host: String,
    port: u16,
}

impl TryFrom<ListenText> for Listen {
    type Error = &'static str;

    fn try_from(text: ListenText) -> Result<Self, Self::Error> {
        if text.protocol != Protocol::Tcp {
            return Err("nodes listen for TCP only");
        }
        let host = if text.host.is_empty() { text.host } else { checked_host(text.host)? };
        Ok(Self { host, port: text.port })
    }
}

impl From<Listen> for ListenText {
    fn from(listen: Listen) -> Self {
        Self { protocol: Protocol::Tcp, host: listen.host, port: listen.port }
    }
}

fn checked_host(host: String) -> Result<String, &'static str> {
    let is_strange = |character: char| {
        character.is_control() || character.is_whitespace() || matches!(character, '[' | ']' | '/')
    };
    if host.is_empty() || host.len() > HOST_BYTES_MAX || host.contains(is_strange) {
        return Err("its host is none");
    }
    Ok(host)
}

fn checked_port(port: u16) -> Result<u16, &'static str> {
    if port == 0 { Err("its port is 0") } else { Ok(port) }
}

fn checked_path(path: String) -> Result<String, &'static str> {
    if !path.starts_with('/') || path.len() > PATH_BYTES_MAX || path.contains('\0') {
        return Err("its path is none");
    }
    Ok(path)
}

fn checked_text(text: String) -> Result<String, &'static str> {
    if text.len() > TEXT_BYTES_MAX { Err("a text is too long") } else { Ok(text) }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

fn text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked_text(String::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn optional_text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from)?.map(checked_text).transpose().map_err(serde::de::Error::custom)
}
