//! Sessions of Session Manager.

use crate::random::{self, BASE32_LOWER};
use crate::text_id;

text_id!(
    /// A session: the owner's name, a hyphen and a suffix; at most 96 characters, safe in a path and a file name.
    SessionId,
    "a session ID (at most 96 letters, digits and _+=,.@- )",
    |text| crate::is_iam_name(text, 96) && !text.starts_with('.')
);

impl SessionId {
    /// Characters of the suffix, as AWS has made them since 2024.
    const SUFFIX_CHARS: usize = 26;

    /// A new session of `owner`: a user's name, or the session name of a role.
    ///
    /// An owner that would not fit, or does not start as an identifier may, is shortened or replaced by `session`.
    #[must_use]
    pub fn from_random(owner: &str, random: [u8; Self::SUFFIX_CHARS]) -> Self {
        let room = 96 - 1 - Self::SUFFIX_CHARS;
        let owner: String = owner
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c))
            .take(room)
            .collect();
        let owner = owner.trim_start_matches('.');
        let owner = if owner.is_empty() { "session" } else { owner };
        Self(format!("{owner}-{}", random::text(BASE32_LOWER, &random)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_begins_with_its_owner() {
        let id = SessionId::from_random("alice", [0; 26]);
        assert_eq!(id.as_str(), "alice-aaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(id.as_str().parse::<SessionId>().unwrap(), id);
    }

    #[test]
    fn any_owner_gives_a_valid_id() {
        for owner in ["", "..", "../../etc", &"x".repeat(200), "ä"] {
            let id = SessionId::from_random(owner, [9; 26]);
            assert!(id.as_str().parse::<SessionId>().is_ok(), "{owner:?} gave {id}");
        }
    }

    #[test]
    fn a_session_id_cannot_leave_its_directory() {
        for wrong in ["", ".", "..", "../x", "a/b", "a\0b", &"x".repeat(97)] {
            assert!(wrong.parse::<SessionId>().is_err(), "{wrong:?}");
        }
    }
}
