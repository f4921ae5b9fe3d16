//! The key that seals every secret in the database.

use super::data_directory::DataDirectory;
use super::file::{self, FileError, Readers};
use crate::random::Random;

/// Bytes of an AES-256 key.
const KEY_BYTES: usize = 32;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file was cut or replaced.
    #[error(
        "{path} holds {bytes} bytes instead of {KEY_BYTES}: restore it from a backup, nothing sealed can be read without it"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What it holds.
        bytes: usize,
    },
    /// The key is gone although a database sealed with it exists.
    #[error(
        "{path} is missing although a database exists: restore it from a backup, nothing sealed can be read without it"
    )]
    Missing {
        /// The file.
        path: String,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Reads the key, or makes it at the first start.
pub(super) fn load(
    directory: &DataDirectory,
    random: &dyn Random,
) -> Result<[u8; KEY_BYTES], MasterKeyError> {
    let path = directory.master_key();
    match file::read(&path)? {
        Some(content) => content
            .as_slice()
            .try_into()
            .map_err(|_| MasterKeyError::Damaged { path: path.display().to_string(), bytes: content.len() }),
        // The key is written before the database is made.
        None if directory.database().exists() => {
            Err(MasterKeyError::Missing { path: path.display().to_string() })
        }
        None => {
            let mut key = [0; KEY_BYTES];
            random.fill(&mut key);
            file::write(&path, &key, Readers::Owner)?;
            Ok(key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn the_key_is_made_once_and_never_replaced() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(temporary.path()).unwrap();
        let key = load(&directory, &SystemRandom).unwrap();
        assert_eq!(load(&directory, &SystemRandom).unwrap(), key);
        std::fs::write(directory.master_key(), "short").unwrap();
        assert!(matches!(load(&directory, &SystemRandom), Err(MasterKeyError::Damaged { bytes: 5, .. })));
        std::fs::remove_file(directory.master_key()).unwrap();
        std::fs::write(directory.database(), "sealed").unwrap();
        assert!(matches!(load(&directory, &SystemRandom), Err(MasterKeyError::Missing { .. })));
    }
}
