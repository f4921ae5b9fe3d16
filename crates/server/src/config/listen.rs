//! Section-less setting `listen`: the one port.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address and a port of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

impl ListenAddress {
    const PORT_DEFAULT: u16 = 8443;
}

impl Default for ListenAddress {
    fn default() -> Self {
        Self((Ipv4Addr::UNSPECIFIED, Self::PORT_DEFAULT).into())
    }
}

/// A text that is not an address and a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address and port such as 0.0.0.0:8443 or [::]:8443")]
pub struct NotAnAddress(String);

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        text.parse().map(Self).map_err(|_| NotAnAddress(text.to_owned()))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
