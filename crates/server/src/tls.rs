//! What the server shows to those who connect, replaced while it runs when it is renewed.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no certificate or key.
    #[error("{path} holds no usable {what} (PEM)")]
    Unreadable {
        /// The file.
        path: String,
        /// What it should hold.
        what: &'static str,
        /// What is wrong.
        source: rustls_pki_types::pem::Error,
    },
    /// The key is of an unknown kind, or belongs to another certificate.
    #[error("the private key and the certificate do not fit together")]
    Mismatch(#[source] rustls::Error),
    /// TLS itself could not be set up.
    #[error("cannot set up TLS")]
    SetUp(#[source] rustls::Error),
}

/// The certificate that is shown at present.
pub struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl CurrentCertificate {
    /// Shows `first` until it is replaced.
    #[must_use]
    pub fn new(first: CertifiedKey) -> Self {
        Self(RwLock::new(Arc::new(first)))
    }

    /// The certificate itself (DER), without those that vouch for it.
    pub(crate) fn leaf(&self) -> Vec<u8> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.cert.first().map(|leaf| leaf.to_vec()).unwrap_or_default()
    }

    /// Shows `next` to everyone who connects from now on.
    pub fn replace(&self, next: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}

impl fmt::Debug for CurrentCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurrentCertificate")
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A chain and its key from two files.
///
/// # Errors
/// If they cannot be read or do not fit together.
pub fn read_files(certificate: &Path, private_key: &Path) -> Result<CertifiedKey, TlsError> {
    pair(read_chain(certificate)?, read_key(private_key)?)
}

/// A chain, leaf first.
pub(crate) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(
            |chain| {
                if chain.is_empty() { Err(rustls_pki_types::pem::Error::NoItemsFound) } else { Ok(chain) }
            },
        )
        .map_err(unreadable(path, "certificate"))
}

/// A private key.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(unreadable(path, "private key"))
}

/// A chain with its key.
pub(crate) fn pair(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(TlsError::Mismatch)
}

fn unreadable(path: &Path, what: &'static str) -> impl FnOnce(rustls_pki_types::pem::Error) -> TlsError {
    let path = path.display().to_string();
    move |source| TlsError::Unreadable { path, what, source }
}

/// TLS 1.2 and 1.3, HTTP/2 and 1.1.
///
/// # Errors
/// If the cryptographic provider lacks what these need.
pub fn acceptor(certificate: Arc<CurrentCertificate>) -> Result<TlsAcceptor, TlsError> {
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::SetUp)?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
