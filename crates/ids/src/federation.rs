//! What vouches for people beside Postern: OIDC providers, and devices that show codes.

use crate::{AccountId, IamPath, ParseError, Partition, UserName, is_iam_name, text_id};

text_id!(
    /// An OIDC provider: its issuer URL without `https://`, in lower case up to the path, without a slash at the end.
    /// That is how IAM names it in ARNs and in condition keys such as `token.example.com:sub`.
    OidcIssuer,
    "an OIDC issuer (host and path of an https URL, at most 255)",
    |text| is_issuer(text)
);

impl OidcIssuer {
    const SCHEME: &str = "https://";

    /// The provider with this issuer URL, `https://host[:port][/path]`.
    #[must_use]
    pub fn from_url(url: &str) -> Option<Self> {
        let rest = url.strip_prefix(Self::SCHEME)?.trim_end_matches('/');
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        format!("{}{path}", host.to_ascii_lowercase()).parse().ok()
    }

    /// The issuer URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{self}", Self::SCHEME)
    }
}

fn is_issuer(text: &str) -> bool {
    let (host, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    text.len() <= 255 - OidcIssuer::SCHEME.len()
        && host.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b))
        && path.bytes().all(|b| b.is_ascii_graphic() && !b"?#".contains(&b))
        && !path.ends_with('/')
        && !host.ends_with(':')
}

text_id!(
    /// The serial number of an MFA device; a virtual one's is `arn:aws:iam::<account>:mfa/<path><name>`.
    /// Source: `serialNumberType` of the IAM API.
    MfaSerial,
    "an MFA serial number (9 to 256 letters, digits and _+=/:,.@-)",
    |text| (9..=256).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=/:,.@-".contains(&b))
);

impl MfaSerial {
    /// The serial number of a virtual device.
    ///
    /// # Errors
    /// Refuses a name with other characters than IAM's, and one that is too long together with its path.
    pub fn virtual_device(account: &AccountId, path: &IamPath, name: &str) -> Result<Self, ParseError> {
        if !is_iam_name(name, 226) {
            return Err(ParseError::new(name, "a virtual MFA device name (letters, digits and _+=,.@-)"));
        }
        format!("arn:{Partition}:iam::{account}:mfa{path}{name}").parse()
    }

    /// The serial number of a user's passkey, in the form of a FIDO security key's.
    /// Source: "IAM identifiers", IAM User Guide.
    ///
    /// # Errors
    /// Refuses an `id` with other characters than IAM's.
    pub fn passkey(account: &AccountId, user: &UserName, id: &str) -> Result<Self, ParseError> {
        format!("arn:{Partition}:iam::{account}:u2f/user/{user}/{id}").parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_named_without_its_scheme() {
        let cases = [
            ("https://token.actions.example.com", "token.actions.example.com"),
            ("https://SSO.example.com/realms/Ops/", "sso.example.com/realms/Ops"),
            ("https://localhost:8443/x", "localhost:8443/x"),
        ];
        for (url, expected) in cases {
            let issuer = OidcIssuer::from_url(url).unwrap();
            assert_eq!(issuer.as_str(), expected);
            assert_eq!(OidcIssuer::from_url(&issuer.url()), Some(issuer));
        }
    }

    #[test]
    fn what_is_no_https_url_is_no_issuer() {
        for wrong in
            ["", "https://", "http://a.example", "https:///x", "https://a?b", "https://a/b?c", "https://a b"]
        {
            assert_eq!(OidcIssuer::from_url(wrong), None, "{wrong:?}");
        }
        for wrong in ["A.example", "a/", "https://a", &"a".repeat(248)] {
            assert!(wrong.parse::<OidcIssuer>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_serial_number_has_no_spaces() {
        assert!("arn:aws:iam::111122223333:mfa/alice".parse::<MfaSerial>().is_ok());
        assert!("GAHT12345678".parse::<MfaSerial>().is_ok());
        let account = "111122223333".parse().unwrap();
        let made = MfaSerial::virtual_device(&account, &"/ops/".parse().unwrap(), "alice").unwrap();
        assert_eq!(made.as_str(), "arn:aws:iam::111122223333:mfa/ops/alice");
        assert!(MfaSerial::virtual_device(&account, &IamPath::root(), "a/b").is_err());
        let passkey = MfaSerial::passkey(&account, &"alice".parse().unwrap(), "0A1B").unwrap();
        assert_eq!(passkey.as_str(), "arn:aws:iam::111122223333:u2f/user/alice/0A1B");
        for wrong in ["", "short", "arn:aws:iam::111122223333:mfa/a b"] {
            assert!(wrong.parse::<MfaSerial>().is_err(), "{wrong:?}");
        }
    }
}
