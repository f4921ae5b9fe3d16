//! What the log of a session is called in a bucket.

use postern_ids::SessionId;

/// What an object with a log says that it holds. Source: `Upload` in aws/amazon-ssm-agent, agent/s3util/s3util.go.
pub const CONTENT_TYPE: &str = "text/plain";

/// The key of a session's log. A prefix may end with `/` or not.
#[must_use]
pub fn object_key(prefix: Option<&str>, session: &SessionId) -> String {
    match prefix.map(|prefix| prefix.trim_end_matches('/')).filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => format!("{prefix}/{session}.log"),
        None => format!("{session}.log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_prefix_or_none() {
        let session = "alice-0a1b2c3d4e5f60718".parse().unwrap();
        for (prefix, key) in [
            (None, "alice-0a1b2c3d4e5f60718.log"),
            (Some(""), "alice-0a1b2c3d4e5f60718.log"),
            (Some("/"), "alice-0a1b2c3d4e5f60718.log"),
            (Some("team"), "team/alice-0a1b2c3d4e5f60718.log"),
            (Some("team/linux/"), "team/linux/alice-0a1b2c3d4e5f60718.log"),
        ] {
            assert_eq!(object_key(prefix, &session), key, "{prefix:?}");
        }
    }
}
