//! Section `tls`: whose certificate is shown.

use std::path::PathBuf;

use super::reader::Reader;

/// Where the server's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// The server makes its own authority and certificate, and renews them.
    OwnAuthority,
    /// The operator brings both files and renews them.
    Operator {
        /// The chain, leaf first (PEM).
        certificate: PathBuf,
        /// Its key (PEM).
        private_key: PathBuf,
    },
}

impl Tls {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let certificate = reader.path("tls.certificate");
        let private_key = reader.path("tls.private_key");
        match (certificate, private_key) {
            (Some(certificate), Some(private_key)) => return Self::Operator { certificate, private_key },
            (Some(_), None) => reader.missing("tls.private_key", "although tls.certificate is given"),
            (None, Some(_)) => reader.missing("tls.certificate", "although tls.private_key is given"),
            (None, None) => {}
        }
        Self::OwnAuthority
    }
}
