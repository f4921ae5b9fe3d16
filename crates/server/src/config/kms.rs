//! Section `kms`: where the server's encryption keys rest.

use std::path::PathBuf;

use http::Uri;

use super::reader::Reader;

/// Where the material of encryption keys rests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kms {
    /// The key that encrypts it. `None`: the master key alone.
    pub vault: Option<VaultKey>,
}

/// A key of a Vault's transit engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultKey {
    /// The Vault's address, with no slash at its end.
    pub address: String,
    /// Where the transit engine is mounted.
    pub mount: String,
    /// The key's name.
    pub name: String,
    /// The namespace that both are in.
    pub namespace: Option<String>,
    /// The file that holds a token which may encrypt and decrypt with the key.
    pub token_file: PathBuf,
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub ca_certificates: Option<PathBuf>,
}

const MOUNT_DEFAULT: &str = "transit";

impl Kms {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let address: Option<Address> = reader.parsed("kms.vault_address");
        let name: Option<PathPart> = reader.parsed("kms.vault_key");
        let mount: Option<PathPart> = reader.parsed("kms.vault_mount");
        let namespace: Option<PathPart> = reader.parsed("kms.vault_namespace");
        let token_file = reader.path("kms.vault_token_file");
        let ca_certificates = reader.path("kms.vault_ca_certificates");
        let Some(Address(address)) = address else {
            if name.is_some() || mount.is_some() || namespace.is_some() || token_file.is_some() {
                reader.missing("kms.vault_address", "the other settings of a Vault are there");
            }
            return Self::default();
        };
        if name.is_none() {
            reader.missing("kms.vault_key", "kms.vault_address is there");
        }
        if token_file.is_none() {
            reader.missing("kms.vault_token_file", "kms.vault_address is there");
        }
        let vault = name.zip(token_file).map(|(name, token_file)| VaultKey {
            address,
            mount: mount.map_or_else(|| MOUNT_DEFAULT.to_owned(), |PathPart(mount)| mount),
            name: name.0,
            namespace: namespace.map(|PathPart(namespace)| namespace),
            token_file,
            ca_certificates,
        });
        Self { vault }
    }
}

/// An address that a path can be put behind.
#[derive(Debug)]
struct Address(String);

#[derive(Debug, thiserror::Error)]
#[error("is not an https address without path")]
struct NoAddress;

impl std::str::FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let address: Uri = text.parse().map_err(|_| NoAddress)?;
        let is_bare = address.path() == "/" && address.query().is_none();
        if address.scheme_str() != Some("https") || address.host().is_none() || !is_bare {
            return Err(NoAddress);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// Names that stand in a path of the Vault's API.
#[derive(Debug)]
struct PathPart(String);

#[derive(Debug, thiserror::Error)]
#[error("is not made of letters, digits, `-`, `_`, `.` and `/`")]
struct NoPathPart;

impl std::str::FromStr for PathPart {
    type Err = NoPathPart;

    fn from_str(text: &str) -> Result<Self, NoPathPart> {
        let text = text.trim_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        let climbs = text.split('/').any(|part| part.is_empty() || part == "." || part == "..");
        if climbs || !text.bytes().all(is_plain) { Err(NoPathPart) } else { Ok(Self(text.to_owned())) }
    }
}
