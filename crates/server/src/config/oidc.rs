//! Section `oidc`: the identity providers outside.

use std::path::PathBuf;

use super::reader::Reader;

/// How OIDC providers are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub ca_certificates: Option<PathBuf>,
    /// Whether a provider may be on this very machine. Only for tests: whoever may register providers could otherwise
    /// make the server speak to what listens for its own machine only.
    pub allow_loopback: bool,
    /// Whether a provider may be at an address that is only reached from within, as a company's own mostly is.
    pub allow_private: bool,
}

impl Default for Oidc {
    fn default() -> Self {
        Self { ca_certificates: None, allow_loopback: false, allow_private: true }
    }
}

impl Oidc {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            ca_certificates: reader.path("oidc.ca_certificates"),
            allow_loopback: reader.truth("oidc.allow_loopback").unwrap_or(false),
            allow_private: reader.truth("oidc.allow_private").unwrap_or(true),
        }
    }
}
