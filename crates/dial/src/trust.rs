//! Which servers to believe.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::pin::{Fingerprint, PinVerifier};

/// How many sessions are remembered for a quicker second handshake. One program talks to one or two hosts.
const RESUMPTION_SESSIONS: usize = 8;

/// Which certificates make a server trusted. Nothing is read before the first TLS connection, so a wrong file
/// shows up there.
#[derive(Debug, Clone)]
pub struct Trust {
    anchors: Anchors,
}

#[derive(Debug, Clone)]
enum Anchors {
    /// The system's certificates (or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`), and those of a file.
    Native {
        extra: Option<PathBuf>,
    },
    OnlyFile(PathBuf),
    Pinned(Fingerprint),
}

impl Trust {
    /// The system's certificates; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them, as with OpenSSL and Go.
    ///
    /// Loading them takes milliseconds and some hundred KiB: prefer [`Trust::only_ca_file`] where it fits.
    #[must_use]
    pub fn native() -> Self {
        Self { anchors: Anchors::Native { extra: None } }
    }

    /// The system's certificates and those in a PEM file.
    #[must_use]
    pub fn native_and_ca_file(path: impl Into<PathBuf>) -> Self {
        Self { anchors: Anchors::Native { extra: Some(path.into()) } }
    }

    /// Only the certificates in a PEM file. This is what `ca_bundle` means to AWS's programs.
    #[must_use]
    pub fn only_ca_file(path: impl Into<PathBuf>) -> Self {
        Self { anchors: Anchors::OnlyFile(path.into()) }
    }

    /// Only servers that present the certificate with this fingerprint, their own or a CA's.
    #[must_use]
    pub fn pinned(fingerprint: Fingerprint) -> Self {
        Self { anchors: Anchors::Pinned(fingerprint) }
    }

    pub(crate) fn client_config(&self) -> Result<ClientConfig, TrustError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Provider)?;
        let builder = match &self.anchors {
            Anchors::Pinned(pin) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(PinVerifier::new(*pin, provider))),
            Anchors::OnlyFile(path) => {
                let mut roots = RootCertStore::empty();
                add_file(&mut roots, path)?;
                builder.with_root_certificates(roots)
            }
            Anchors::Native { extra } => {
                let mut roots = RootCertStore::empty();
                let loaded = rustls_native_certs::load_native_certs();
                // Systems carry certificates that we cannot parse; the others still count.
                let (added, _ignored) = roots.add_parsable_certificates(loaded.certs);
                match extra {
                    Some(path) => add_file(&mut roots, path)?,
                    None if added == 0 => return Err(TrustError::NoSystemCertificates),
                    None => {}
                }
                builder.with_root_certificates(roots)
            }
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::in_memory_sessions(RESUMPTION_SESSIONS);
        Ok(config)
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TrustError> {
    let pem = std::fs::read(path).map_err(|source| TrustError::Read { path: path.to_owned(), source })?;
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| TrustError::NotPem { path: path.to_owned() })?;
        roots.add(certificate).map_err(|source| TrustError::Certificate { path: path.to_owned(), source })?;
        count += 1;
    }
    if count == 0 { Err(TrustError::NotPem { path: path.to_owned() }) } else { Ok(()) }
}

/// Why there is nothing to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of certificates cannot be read.
    #[error("cannot read the certificate file {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file holds no certificates.
    #[error("{} holds no PEM certificates", path.display())]
    NotPem {
        /// Which file.
        path: PathBuf,
    },
    /// A certificate in the file is no CA's.
    #[error("a certificate in {} cannot be a trust anchor", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// The system has no certificates.
    #[error("this system has no CA certificates; name a file of them")]
    NoSystemCertificates,
    /// The cryptography library supports no protocol version we accept.
    #[error("TLS is not available")]
    Provider(#[source] rustls::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_certificates_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "hello").unwrap();
        assert!(
            matches!(Trust::only_ca_file(&empty).client_config(), Err(TrustError::NotPem { path }) if path == empty)
        );
        let missing = dir.path().join("missing.pem");
        assert!(matches!(Trust::only_ca_file(&missing).client_config(), Err(TrustError::Read { .. })));
    }
}
