//! The first start, and what every later one finds or repairs: directory, keys, certificates, administrator.

mod certificate;
mod data_directory;
mod file;
mod master_key;

pub use certificate::{CertificateError, Names};
pub use data_directory::{DataDirectory, DataDirectoryError};
pub use file::FileError;
pub use master_key::MasterKeyError;
