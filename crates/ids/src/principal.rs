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
    /// An IAM group's name: `[\w+=,.@-]`, at most 128.
    GroupName,
    "a group name (letters, digits and _+=,.@- , at most 128)",
    |text| is_iam_name(text, 128)
);

text_id!(
    /// An instance profile's name: `[\w+=,.@-]`, at most 128.
    InstanceProfileName,
    "an instance profile name (letters, digits and _+=,.@- , at most 128)",
    |text| is_iam_name(text, 128)
);

text_id!(
    /// Where an identity stands among others: `/`, or `/division/team/`.
    /// Source: `pathType` of the IAM API, `(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`, at most 512.
    IamPath,
    "a path (begins and ends with /, printable ASCII, at most 512)",
    |text| text == "/"
        || ((3..=512).contains(&text.len())
            && text.starts_with('/')
            && text.ends_with('/')
            && text.bytes().all(|b| b.is_ascii_graphic()))
);

impl IamPath {
    /// The path of everything that was given none.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }
}

impl Default for IamPath {
    fn default() -> Self {
        Self::root()
    }
}

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
        let cases = [
            (PrincipalKind::User, "AIDA77777777777777777"),
            (PrincipalKind::Group, "AGPA77777777777777777"),
            (PrincipalKind::Role, "AROA77777777777777777"),
            (PrincipalKind::Policy, "ANPA77777777777777777"),
            (PrincipalKind::InstanceProfile, "AIPA77777777777777777"),
        ];
        for (kind, expected) in cases {
            assert_eq!(PrincipalId::from_random(kind, [31; 17]).as_str(), expected, "{kind:?}");
        }
    }

    #[test]
    fn names_keep_to_iams_characters() {
        assert!("alice+ops@example.com".parse::<UserName>().is_ok());
        for wrong in ["", "a/b", "a b", "ä"] {
            assert!(wrong.parse::<UserName>().is_err(), "{wrong:?}");
        }
        assert!("x".repeat(65).parse::<RoleName>().is_err());
        assert!("x".repeat(128).parse::<GroupName>().is_ok());
        assert!("x".repeat(129).parse::<InstanceProfileName>().is_err());
    }

    #[test]
    fn a_path_begins_and_ends_with_a_slash() {
        for right in ["/", "/a/", "/division/team/", "/a~!/"] {
            assert!(right.parse::<IamPath>().is_ok(), "{right:?}");
        }
        for wrong in ["", "a", "/a", "a/", "//", "/a b/", "/\u{e4}/", &format!("/{}/", "x".repeat(511))] {
            assert!(wrong.parse::<IamPath>().is_err(), "{wrong:?}");
        }
        assert_eq!(IamPath::default().as_str(), "/");
    }
}
