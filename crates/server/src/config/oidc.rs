//! Section `oidc`: the identity providers outside.

use std::path::PathBuf;

use super::reader::Reader;

/// How OIDC providers are reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oidc {
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub ca_certificates: Option<PathBuf>,
    /// Whether a provider may be on this very machine. Only for tests: whoever may register providers could otherwise
    /// make the server speak to what listens for its own machine only.
    pub allow_loopback: bool,
}

impl Oidc {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            ca_certificates: reader.path("oidc.ca_certificates"),
            allow_loopback: reader.truth("oidc.allow_loopback").unwrap_or(false),
        }
    }
}
