//! Files and directories that only their owner may enter, durable names, and errors that say which file they are about.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Options for files that only their owner can read.
#[must_use]
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a directory that only its owner can enter, unless it exists.
///
/// # Errors
/// It cannot be made; the error names it.
pub fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| named(path, error))
}

/// Waits until the names of files in a directory are on the disk.
///
/// # Errors
/// It cannot be opened, or the disk fails; the error names it.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory).and_then(|file| file.sync_all()).map_err(|error| named(directory, error))?;
    }
    Ok(())
}

/// Removes a file that may not be there.
///
/// # Errors
/// It is there and cannot be removed; the error names it.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, error)),
        _ => Ok(()),
    }
}

/// Says which file an error is about.
#[must_use]
pub fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_enter() {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        create_directory(&inner).unwrap();
        create_directory(&inner).unwrap();
        let file = inner.join("file");
        private().write(true).create_new(true).open(&file).unwrap();
        sync_directory(&inner).unwrap();
        assert_eq!((mode(&inner), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn errors_name_what_they_are_about_and_keep_their_kind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("none");
        remove_if_there(&path).unwrap();
        let error = sync_directory(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("none"), "{error}");
        assert!(remove_if_there(directory.path()).is_err(), "a directory is no file");
    }
}
