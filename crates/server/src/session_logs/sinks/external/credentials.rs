//! The file that says who signs, read anew for each request: it may change while the server runs.
//!
//! Source: "Configuration and credential file settings in the AWS CLI", AWS CLI User Guide.

use std::io;

use postern_dial::Credentials;

use super::super::super::private_file;
use crate::config::ExternalSink;

/// The credentials that the settings name.
pub(super) async fn read(config: &ExternalSink) -> io::Result<Credentials> {
    let text = private_file::read(config.credentials_file.clone()).await?;
    parse(text.expose_secret(), &config.profile).ok_or_else(|| {
        let (file, profile) = (config.credentials_file.display(), &config.profile);
        let text = format!("{file} has no profile {profile:?} with a key and its secret");
        io::Error::new(io::ErrorKind::InvalidData, text)
    })
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
}
