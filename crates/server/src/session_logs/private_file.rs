//! Files with a secret in them, read anew at each use: they may change while the server runs.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use postern_store::Secret;
use tokio::task::spawn_blocking;

/// What a file holds that nobody but its owner may use.
pub(super) async fn read(file: PathBuf) -> io::Result<Secret<String>> {
    let read = spawn_blocking(move || {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
        require_private(&file).map_err(named)?;
        std::fs::read_to_string(&file).map(Secret::new).map_err(named)
    });
    read.await.map_err(io::Error::other)?
}

/// Whoever may read the file has what it protects.
fn require_private(file: &Path) -> io::Result<()> {
    let mode = std::fs::metadata(file)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let text = format!("others than its owner may use it (mode {:03o}); chmod 600 it", mode & 0o777);
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[tokio::test]
    async fn a_file_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secret");
        std::fs::write(&file, "secret").unwrap();
        for (mode, is_good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(file.clone()).await.is_ok(), is_good, "{mode:o}");
        }
    }
}
