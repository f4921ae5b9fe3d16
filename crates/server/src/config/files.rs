//! What the configuration names in the file system, looked at before anything is opened or made.
//!
//! The start meets the same obstacles again and reports the first; here they are found together, and beside every other
//! mistake. Nothing is changed.

use std::path::Path;

use rustix::fs::Access;

use super::Tls;
use super::reader::Reader;
use crate::tls;

/// Looks whether `directory` is, or can become, a directory that the server may write to.
pub(super) fn check_data_dir(reader: &mut Reader, directory: &Path) {
    // What does not exist yet is made, below the nearest that does.
    let mut existing = directory;
    while existing.symlink_metadata().is_err() {
        match existing.parent() {
            Some(parent) if parent.as_os_str().is_empty() => existing = Path::new("."),
            Some(parent) => existing = parent,
            None => break,
        }
    }
    let is_itself = existing == directory;
    let problem = if existing.is_dir() {
        match rustix::fs::access(existing, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) => return,
            Err(error) if is_itself => format!("{} cannot be used: {error}", existing.display()),
            Err(error) => {
                format!("{} cannot be made in {}: {error}", directory.display(), existing.display())
            }
        }
    } else if is_itself {
        format!("{} is not a directory", existing.display())
    } else {
        format!("{} cannot be made: {} is not a directory", directory.display(), existing.display())
    };
    reader.unusable("data_dir", problem);
}

/// Looks whether the operator's certificate and key can be read and fit together.
pub(super) fn check_tls(reader: &mut Reader, tls: &Tls) {
    let Tls::Operator { certificate, private_key } = tls else { return };
    let (chain, key) = (tls::read_chain(certificate), tls::read_key(private_key));
    match (chain, key) {
        (Ok(chain), Ok(key)) => {
            if let Err(error) = tls::pair(chain, key) {
                reader.unusable("tls.private_key", with_cause(&error));
            }
        }
        (chain, key) => {
            if let Err(error) = chain {
                reader.unusable("tls.certificate", with_cause(&error));
            }
            if let Err(error) = key {
                reader.unusable("tls.private_key", with_cause(&error));
            }
        }
    }
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
