//! The data directory: what lies where, and that only one server uses it.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::file::{self, FileError};

/// The data directory, held by this process until dropped.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    /// The lock lasts as long as the file is open; `None`: another process may hold it.
    _lock: Option<File>,
}

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirectoryError {
    /// Another server runs on it.
    #[error(
        "{} is in use by another postern-server; stop that one, or choose another --data-dir",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be created or locked.
    #[error(transparent)]
    File(#[from] FileError),
}

impl DataDirectory {
    /// Creates what does not exist yet, and keeps every other server out.
    ///
    /// # Errors
    /// If another server holds the directory, or it cannot be created.
    pub fn open(path: &Path) -> Result<Self, DataDirectoryError> {
        file::create_directory(path)?;
        for name in ["tls", "keys", "recordings", "bootstrap"] {
            file::create_directory(&path.join(name))?;
        }
        let lock_path = path.join("lock");
        let error = |source| FileError::new("lock", &lock_path, source);
        let mut lock = File::options()
            .create(true)
            .truncate(false)
            .mode(0o600)
            .write(true)
            .open(&lock_path)
            .map_err(error)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirectoryError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(error(source).into()),
        }
        // For people: the lock itself is what counts.
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(error)?;
        let path = path.canonicalize().map_err(|source| FileError::new("find", path, source))?;
        Ok(Self { path, _lock: Some(lock) })
    }

    /// The directory of a server that may be running: only what many processes may use at a time may be used of it.
    ///
    /// # Errors
    /// If there is no such directory.
    pub fn beside_a_server(path: &Path) -> Result<Self, DataDirectoryError> {
        let path = path.canonicalize().map_err(|source| FileError::new("find", path, source))?;
        Ok(Self { path, _lock: None })
    }

    /// The certificate of the server's own authority: what clients and nodes have to trust.
    #[must_use]
    pub fn authority_certificate(&self) -> PathBuf {
        self.path.join("tls/ca.pem")
    }

    pub(super) fn authority_key(&self) -> PathBuf {
        self.path.join("tls/ca.key")
    }

    pub(super) fn server_certificate(&self) -> PathBuf {
        self.path.join("tls/server.pem")
    }

    pub(super) fn server_key(&self) -> PathBuf {
        self.path.join("tls/server.key")
    }

    pub(super) fn master_key(&self) -> PathBuf {
        self.path.join("keys/master.key")
    }

    /// The SQLite database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join("postern.db")
    }

    /// The recorded sessions.
    #[must_use]
    pub fn recordings(&self) -> PathBuf {
        self.path.join("recordings")
    }

    /// The search index over the recordings.
    #[must_use]
    pub fn search_index(&self) -> PathBuf {
        self.path.join("search.db")
    }

    /// What objects in buckets hold.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }

    /// The logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The audit trail.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.path.join("audit")
    }

    /// The administrator's profile, for `AWS_CONFIG_FILE`.
    #[must_use]
    pub fn profile_config(&self) -> PathBuf {
        self.path.join("bootstrap/config")
    }

    /// The administrator's access key, for `AWS_SHARED_CREDENTIALS_FILE`.
    #[must_use]
    pub fn profile_credentials(&self) -> PathBuf {
        self.path.join("bootstrap/credentials")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_one_server_uses_a_directory_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        let first = DataDirectory::open(&path).unwrap();
        assert!(matches!(DataDirectory::open(&path), Err(DataDirectoryError::InUse { .. })));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        drop(first);
        DataDirectory::open(&path).unwrap();
    }
}
