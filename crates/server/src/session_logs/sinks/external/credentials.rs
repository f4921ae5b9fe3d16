//! The file that says who signs, read anew for each request: it may change while the server runs.
//!
//! Source: "Configuration and credential file settings in the AWS CLI", AWS CLI User Guide.

use std::io;

use postern_dial::Credentials;
use tokio::task::spawn_blocking;

use crate::config::ExternalSink;

/// The credentials that the settings name.
pub(super) async fn read(config: &ExternalSink) -> io::Result<Credentials> {
    let (file, profile) = (config.credentials_file.clone(), config.profile.clone());
    let text = spawn_blocking(move || {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
        require_private(&file).map_err(named)?;
        let text = std::fs::read_to_string(&file).map_err(named)?;
        parse(&text, &profile).ok_or_else(|| {
            let text = format!("{} has no profile {profile:?} with a key and its secret", file.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    });
    text.await.map_err(io::Error::other)?
}

/// Whoever may read the file has the logs.
fn require_private(file: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let text = format!("others than its owner may use it (mode {:03o}); chmod 600 it", mode & 0o777);
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

fn parse(text: &str, profile: &str) -> Option<Credentials> {
    let (mut is_in, mut key, mut secret, mut token) = (false, None, None, None);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_in = name.trim().trim_start_matches("profile ").trim() == profile;
        } else if let (true, Some((name, value))) = (is_in, line.split_once('=')) {
            let value = Some(value.trim().to_owned());
            match name.trim() {
                "aws_access_key_id" => key = value,
                "aws_secret_access_key" => secret = value,
                "aws_session_token" => token = value,
                _ => {}
            }
        }
    }
    Some(Credentials { access_key_id: key?, secret_access_key: secret?, session_token: token })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[default]\naws_access_key_id = ONE\naws_secret_access_key=s1\n# a comment\n\n\
        [ logs ]\naws_access_key_id=TWO\naws_secret_access_key = s=2 \naws_session_token = t\n[half]\naws_access_key_id=3\n";

    #[test]
    fn a_profile_is_found() {
        let one = parse(FILE, "default").unwrap();
        assert_eq!((&*one.access_key_id, &*one.secret_access_key, one.session_token), ("ONE", "s1", None));
        let two = parse(FILE, "logs").unwrap();
        assert_eq!((&*two.access_key_id, &*two.secret_access_key), ("TWO", "s=2"));
        assert_eq!(two.session_token.as_deref(), Some("t"));
        assert!(parse(FILE, "half").is_none() && parse(FILE, "none").is_none());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("credentials");
        std::fs::write(&file, FILE).unwrap();
        for (mode, is_good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(require_private(&file).is_ok(), is_good, "{mode:o}");
        }
    }
}
