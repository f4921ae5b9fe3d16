//! The agent's own files. Whoever can read them can be this node, so nobody but the agent's user can.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use postern_dial::{Credentials, Fingerprint, Trust};
use postern_ids::{NodeId, Region};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::node_key::NodeKey;

/// Where the state is kept unless a flag says otherwise.
pub const DEFAULT_DIRECTORY: &str = "/var/lib/postern-agent";

/// Everything that makes this machine a node, in one file so that it changes at one moment.
#[derive(Debug, Serialize, Deserialize)]
pub struct Registration {
    /// The node.
    pub node_id: NodeId,
    /// Its region, part of every signature.
    pub region: Region,
    /// Where the control plane answers.
    pub endpoint: String,
    /// Which certificate to expect there.
    pub trust: StoredTrust,
    /// A UUID of this machine, the same over all its registrations.
    pub fingerprint: Uuid,
    /// The node's key.
    pub private_key: NodeKey,
    /// A key that the server may or may not have switched to already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_private_key: Option<NodeKey>,
}

/// Which certificates make the server trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredTrust {
    /// The system's.
    System,
    /// Those in this PEM text.
    CaCertificates(String),
    /// The one with this SHA-256.
    CertificateSha256(String),
}

/// Role credentials and the end of their life.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoleCredentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
    /// Seconds since the Unix epoch.
    pub(crate) retrieved_at: i64,
    /// Seconds since the Unix epoch.
    pub(crate) expires_at: i64,
}

impl RoleCredentials {
    /// As requests are signed with them.
    pub(crate) fn to_credentials(&self) -> Credentials {
        Credentials {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
            session_token: Some(self.session_token.clone()),
        }
    }
}

impl std::fmt::Debug for RoleCredentials {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoleCredentials")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A problem with the agent's files.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or the directory cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file does not contain what it should.
    #[error("{} is damaged; register this node again with --force", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// There is no registration.
    #[error("this machine is not registered: {} does not exist. Run `postern-agent register` first", path.display())]
    NotRegistered {
        /// The missing file.
        path: PathBuf,
    },
    /// A certificate's fingerprint that is none.
    #[error("{0:?} is no fingerprint: it has to be the SHA-256 of a certificate in hexadecimal digits")]
    Fingerprint(String),
    /// Another agent uses the directory.
    #[error("another postern-agent is running with {}", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

/// The directory with the agent's files: mode 0700, files 0600.
#[derive(Debug, Clone)]
pub struct StateDirectory {
    path: PathBuf,
}

/// Held as long as an agent runs.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

const REGISTRATION: &str = "registration.json";
const CREDENTIALS: &str = "credentials.json";
const CA_CERTIFICATES: &str = "ca.pem";
const LOCK: &str = "lock";

impl StateDirectory {
    /// Opens the directory, and makes it if it is missing.
    ///
    /// # Errors
    /// If it cannot be made or closed to others.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        let error = |action| {
            let path = path.clone();
            move |source| StateError::Io { action, path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(error("create the directory"))?;
        let mode = fs::metadata(&path).map_err(error("look at"))?.permissions().mode();
        if mode & 0o077 != 0 {
            let closed = fs::Permissions::from_mode(0o700);
            fs::set_permissions(&path, closed).map_err(error("close to other users"))?;
        }
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The registration, if this machine has one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn registration(&self) -> Result<Option<Registration>, StateError> {
        self.read(REGISTRATION)
    }

    /// The registration.
    ///
    /// # Errors
    /// If there is none or it cannot be read.
    pub fn existing_registration(&self) -> Result<Registration, StateError> {
        let missing = || StateError::NotRegistered { path: self.path.join(REGISTRATION) };
        self.registration()?.ok_or_else(missing)
    }

    /// Replaces the registration at one moment.
    ///
    /// # Errors
    /// If it cannot be written; the old one is then still there.
    pub fn replace_registration(&self, registration: &Registration) -> Result<(), StateError> {
        self.write(REGISTRATION, &json(registration))
    }

    /// Role credentials of an earlier run. Damaged ones are as good as none.
    pub(crate) fn credentials(&self) -> Option<RoleCredentials> {
        self.read(CREDENTIALS).ok().flatten()
    }

    pub(crate) fn replace_credentials(&self, credentials: &RoleCredentials) -> Result<(), StateError> {
        self.write(CREDENTIALS, &json(credentials))
    }

    /// Forgets the role credentials: they belong to a former registration.
    ///
    /// # Errors
    /// If they cannot be removed.
    pub fn remove_credentials(&self) -> Result<(), StateError> {
        let path = self.path.join(CREDENTIALS);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StateError::Io { action: "remove", path, source })
            }
            _ => Ok(()),
        }
    }

    /// What `trust` means to connections. Certificates go into a file of their own, from which connections read them.
    ///
    /// # Errors
    /// If that file cannot be written, or a fingerprint is none.
    pub fn trust(&self, trust: &StoredTrust) -> Result<Trust, StateError> {
        Ok(match trust {
            StoredTrust::System => Trust::native(),
            StoredTrust::CertificateSha256(text) => {
                let fingerprint =
                    text.parse::<Fingerprint>().map_err(|_| StateError::Fingerprint(text.clone()))?;
                Trust::pinned(fingerprint)
            }
            StoredTrust::CaCertificates(pem) => {
                self.write(CA_CERTIFICATES, pem.as_bytes())?;
                Trust::only_ca_file(self.path.join(CA_CERTIFICATES))
            }
        })
    }

    /// Makes sure that only one agent runs with this directory.
    ///
    /// # Errors
    /// If another one does.
    pub fn lock(&self) -> Result<RunLock, StateError> {
        let path = self.path.join(LOCK);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(|source| StateError::Io { action: "open", path, source })?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(RunLock { _file: file }),
            Err(_) => Err(StateError::InUse { path: self.path.clone() }),
        }
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>, StateError> {
        let path = self.path.join(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { action: "read", path, source }),
        };
        serde_json::from_slice(&text).map(Some).map_err(|source| StateError::Damaged { path, source })
    }

    /// Either the old content or the new one is there, whatever happens.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), StateError> {
        let path = self.path.join(name);
        let temporary = self.path.join(format!("{name}.new"));
        let written = (|| {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.path)?.sync_all()
        })();
        written.map_err(|source| StateError::Io { action: "write", path, source })
    }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("these types have text keys and no failing serializers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(node_id: &str) -> Registration {
        Registration {
            node_id: node_id.parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            endpoint: "https://postern.example:8443".to_owned(),
            trust: StoredTrust::System,
            fingerprint: crate::random::uuid(),
            private_key: NodeKey::generate(),
            next_private_key: None,
        }
    }

    #[test]
    fn files_are_closed_to_others_and_replaced_whole() {
        let root = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(root.path().join("a/b")).unwrap();
        assert!(matches!(state.existing_registration(), Err(StateError::NotRegistered { .. })));
        state.replace_registration(&registration("mi-0123456789abcdef0")).unwrap();
        state.replace_registration(&registration("mi-0123456789abcdef1")).unwrap();
        assert_eq!(state.existing_registration().unwrap().node_id.as_str(), "mi-0123456789abcdef1");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(state.path()), 0o700);
        assert_eq!(mode(&state.path().join(REGISTRATION)), 0o600);
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn an_open_directory_is_closed() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        StateDirectory::open(root.path()).unwrap();
        assert_eq!(fs::metadata(root.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn damage_is_named_with_its_remedy() {
        let root = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(root.path()).unwrap();
        fs::write(root.path().join(REGISTRATION), "{").unwrap();
        let error = state.registration().unwrap_err();
        assert!(error.to_string().ends_with("is damaged; register this node again with --force"), "{error}");
        fs::write(root.path().join(CREDENTIALS), "{").unwrap();
        assert_eq!(state.credentials(), None);
    }

    #[test]
    fn one_agent_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(root.path()).unwrap();
        let lock = state.lock().unwrap();
        assert!(matches!(state.lock(), Err(StateError::InUse { .. })));
        drop(lock);
        state.lock().unwrap();
    }
}
