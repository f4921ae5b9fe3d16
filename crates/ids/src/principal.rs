//! Who acts: users, roles and their unique identifiers.

use crate::random::{self, BASE32_UPPER};
use crate::{is_iam_name, text_id};

text_id!(
    /// An IAM user's name: `[\w+=,.@-]`, at most 64.
    UserName,
    "a user name (letters, digits and _+=,.@- , at most 64)",
    |text| is_iam_name(text, 64)
);

text_id!(
    /// An IAM role's name: `[\w+=,.@-]`, at most 64.
    RoleName,
    "a role name (letters, digits and _+=,.@- , at most 64)",
    |text| is_iam_name(text, 64)
);

text_id!(
    /// The unique identifier of a user, group, role or policy: four letters of its kind and 17 characters.
    PrincipalId,
    "a unique identifier (16 to 128 letters, digits or underscores)",
    |text| (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
);

/// What a [`PrincipalId`] identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A user, `AIDA…`.
    User,
    /// A group, `AGPA…`.
    Group,
    /// A role, `AROA…`.
    Role,
    /// A managed policy, `ANPA…`.
    Policy,
    /// An instance profile, `AIPA…`.
    InstanceProfile,
}

impl PrincipalId {
    /// A new identifier of the given kind.
    #[must_use]
    pub fn from_random(kind: PrincipalKind, random: [u8; 17]) -> Self {
        let prefix = match kind {
            PrincipalKind::User => "AIDA",
            PrincipalKind::Group => "AGPA",
            PrincipalKind::Role => "AROA",
            PrincipalKind::Policy => "ANPA",
            PrincipalKind::InstanceProfile => "AIPA",
        };
        Self(format!("{prefix}{}", random::text(BASE32_UPPER, &random)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_identifiers_tell_their_kind() {
        assert_eq!(PrincipalId::from_random(PrincipalKind::Role, [31; 17]).as_str(), "AROA77777777777777777");
    }

    #[test]
    fn names_keep_to_iams_characters() {
        assert!("alice+ops@example.com".parse::<UserName>().is_ok());
        for wrong in ["", "a/b", "a b", "ä"] {
            assert!(wrong.parse::<UserName>().is_err(), "{wrong:?}");
        }
        assert!("x".repeat(65).parse::<RoleName>().is_err());
    }
}
