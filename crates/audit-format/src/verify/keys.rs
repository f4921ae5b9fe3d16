//! Public keys from outside, and the files of those inside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::rsa::PublicKey as RsaPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Report;
use super::chain::Contents;
use crate::key::{self, PublicKey};
use crate::layout::Layout;

/// A key that the caller got from elsewhere, and believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    der: Vec<u8>,
    fingerprint: String,
}

/// Why a file holds no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("{}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{}: it holds no RSA public key, neither as PEM, nor as DER, nor as `ListPublicKeys` shows it", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

impl TrustedKey {
    /// Reads a key: a file of `keys/`, PEM or DER (PKCS#1 or SubjectPublicKeyInfo), or the base 64 that
    /// `ListPublicKeys` answers.
    ///
    /// # Errors
    /// The file cannot be read, or holds no key.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let contents =
            fs::read(path).map_err(|source| KeyFileError::Read { path: path.to_owned(), source })?;
        Self::parse(&contents).ok_or_else(|| KeyFileError::NoKey { path: path.to_owned() })
    }

    /// Reads a key from the contents of such a file.
    #[must_use]
    pub fn parse(contents: &[u8]) -> Option<Self> {
        if let Ok(key) = PublicKey::parse(contents) {
            return Self::from_der(&key.der().ok()?);
        }
        let text = std::str::from_utf8(contents).ok();
        let base64 = text.and_then(|text| {
            let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
            BASE64.decode(lines.collect::<String>()).ok()
        });
        Self::from_der(base64.as_deref().unwrap_or(contents))
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let key = RsaPublicKey::from_der(der).ok()?;
        let der: &[u8] = key.as_ref();
        Some(Self { der: der.to_owned(), fingerprint: key::fingerprint(der) })
    }

    /// The DER form of `RSAPublicKey`.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// The files in `keys/` must be the keys that the chain names.
pub(super) fn check_files(layout: &Layout, contents: &Contents, report: &mut Report) -> io::Result<()> {
    let directory = layout.keys();
    for (_, key) in &contents.keys {
        let path = directory.join(format!("{}.json", key.fingerprint));
        match fs::read(&path) {
            Ok(found) if serde_json::to_vec(key).is_ok_and(|named| named == found) => {}
            Ok(_) => report.find_in(&path, "the key is not written as the chain names it"),
            Err(error) => report.find_in(&path, format!("the key cannot be read: {error}")),
        }
    }
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let is_public = path.extension().is_some_and(|extension| extension == "json");
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_named = contents.keys.iter().any(|(_, key)| key.fingerprint == stem);
        if is_public && !is_named {
            report.find_in(&path, "the chain does not name this key");
        }
    }
    Ok(())
}
