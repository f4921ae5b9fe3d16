//! The AWS profile `postern`, with which `aws` and everything like it reaches this server.

use std::fmt;
use std::path::{Path, PathBuf};

use postern_ids::Region;
use postern_store::AccessKey;

use super::data_directory::DataDirectory;
use super::file::{self, FileError, Readers};
use crate::config::PublicUrl;

/// The profile's name.
const PROFILE: &str = "postern";

/// What has to be exported for the profile to be used. `Display` prints lines for a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exports {
    config: PathBuf,
    credentials: PathBuf,
}

impl Exports {
    pub(super) fn new(directory: &DataDirectory) -> Self {
        Self { config: directory.profile_config(), credentials: directory.profile_credentials() }
    }

    /// The directory of both files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.config.parent().expect("the file lies in the bootstrap directory")
    }
}

impl fmt::Display for Exports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "export AWS_CONFIG_FILE={}", shell_word(&self.config))?;
        writeln!(f, "export AWS_SHARED_CREDENTIALS_FILE={}", shell_word(&self.credentials))?;
        write!(f, "export AWS_PROFILE={PROFILE}")
    }
}

/// Writes endpoint, region and trust, unless they stand there already.
pub(super) fn write_config(
    directory: &DataDirectory,
    url: &PublicUrl,
    region: &Region,
    shows_own_certificate: bool,
) -> Result<(), FileError> {
    // There is one host: `StartLiveTail` would look for `stream-` and its name.
    let one_host = "disable_host_prefix_injection = true\n";
    // Presigned addresses of today's form; and the host has no name for each bucket.
    let s3 = "s3 =\n  signature_version = s3v4\n  addressing_style = path\n";
    let mut text = format!("[profile {PROFILE}]\nregion = {region}\nendpoint_url = {url}\n{one_host}{s3}");
    if shows_own_certificate {
        text += &format!("ca_bundle = {}\n", directory.authority_certificate().display());
    }
    let path = directory.profile_config();
    if file::read(&path)?.as_deref() == Some(text.as_bytes()) {
        return Ok(());
    }
    file::write(&path, text.as_bytes(), Readers::Owner)
}

/// Writes the administrator's key.
pub(super) fn write_credentials(directory: &DataDirectory, key: &AccessKey) -> Result<(), FileError> {
    let text = format!(
        "[{PROFILE}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.id,
        key.secret.expose_secret()
    );
    file::write(&directory.profile_credentials(), text.as_bytes(), Readers::Owner)
}

/// The path as one word of a POSIX shell.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+@".contains(&b)) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_quoted_for_the_shell() {
        assert_eq!(
            shell_word(Path::new("/var/lib/postern/bootstrap/config")),
            "/var/lib/postern/bootstrap/config"
        );
        assert_eq!(shell_word(Path::new("/it's here")), r"'/it'\''s here'");
    }
}
