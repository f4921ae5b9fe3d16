//! The first start, and what every later one finds or repairs: directory, keys, certificates, administrator.
//!
//! Each step leaves a file whole or not at all and is repeated until it is done, so a first start that was
//! interrupted at any point is finished by the next.

mod administrator;
mod certificate;
mod data_directory;
mod file;
mod master_key;
mod profile;

use jiff::Timestamp;
use postern_ids::Region;
use postern_store::{MasterKey, Store};
use rustls::sign::CertifiedKey;

pub(crate) use administrator::ADMINISTRATOR;
pub use administrator::AdministratorError;
pub use certificate::{CertificateError, Names};
pub use data_directory::{DataDirectory, DataDirectoryError};
pub use file::FileError;
pub use master_key::MasterKeyError;
pub use profile::Exports;

use crate::config::{PublicUrl, Tls};
use crate::random::Random;
use crate::tls::{self, TlsError};

/// Why the server's certificate is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum ServerCertificateError {
    /// Its own could not be made or renewed.
    #[error("cannot provide the server's certificate")]
    Own(#[from] CertificateError),
    /// The files cannot be used.
    #[error("cannot use the server's certificate")]
    Files(#[from] TlsError),
}

/// Why the administrator's profile is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// There is no administrator.
    #[error(transparent)]
    Administrator(#[from] AdministratorError),
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Whether this start was the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The administrator was created just now.
    First,
    /// Everything was there.
    Later,
}

/// The key that seals secrets, made at the first start.
///
/// # Errors
/// If it is damaged, or missing although there is a database.
pub fn master_key(directory: &DataDirectory, random: &dyn Random) -> Result<MasterKey, MasterKeyError> {
    master_key::load(directory, random).map(MasterKey::new)
}

/// The certificate to show: the operator's, or our own, made or renewed as needed.
///
/// # Errors
/// If it cannot be read, made or written.
pub fn server_certificate(
    directory: &DataDirectory,
    tls: &Tls,
    names: &Names,
    now: Timestamp,
    random: &dyn Random,
) -> Result<CertifiedKey, ServerCertificateError> {
    match tls {
        Tls::Operator { certificate, private_key } => Ok(tls::read_files(certificate, private_key)?),
        Tls::OwnAuthority => {
            certificate::prepare(directory, names, now, random)?;
            Ok(tls::read_files(&directory.server_certificate(), &directory.server_key())?)
        }
    }
}

/// The administrator, the role of nodes, and the files that make `aws` work.
///
/// # Errors
/// If storage fails or a file cannot be written.
pub async fn profile(
    directory: &DataDirectory,
    store: &dyn Store,
    url: &PublicUrl,
    region: &Region,
    tls: &Tls,
    now: Timestamp,
    random: &dyn Random,
) -> Result<(Exports, Start), ProfileError> {
    let key = administrator::prepare(store, now, random).await?;
    profile::write_config(directory, url, region, *tls == Tls::OwnAuthority)?;
    let start = match key {
        Some(key) => {
            profile::write_credentials(directory, &key)?;
            administrator::finish(store).await.map_err(AdministratorError::Store)?;
            Start::First
        }
        None => Start::Later,
    };
    Ok((Exports::new(directory), start))
}
