//! Amazon resource names.

use std::fmt;
use std::str::FromStr;

use crate::{
    AccountId, GroupName, IamPath, InstanceProfileName, KmsAlias, KmsKeyId, NodeId, OidcIssuer, ParseError,
    Region, RoleName, SessionId, UserName,
};

/// The partition of every ARN that Postern makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Partition;

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aws")
    }
}

/// A resource name: `arn:partition:service:region:account:resource`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn(String);

impl Arn {
    /// A resource of `service`; pass `""` for a region or account that the resource does not have.
    fn new(service: &str, region: &str, account: &str, resource: fmt::Arguments<'_>) -> Self {
        Self(format!("arn:{Partition}:{service}:{region}:{account}:{resource}"))
    }

    /// An IAM user.
    #[must_use]
    pub fn user(account: &AccountId, path: &IamPath, name: &UserName) -> Self {
        Self::new("iam", "", account.as_str(), format_args!("user{path}{name}"))
    }

    /// An IAM group.
    #[must_use]
    pub fn group(account: &AccountId, path: &IamPath, name: &GroupName) -> Self {
        Self::new("iam", "", account.as_str(), format_args!("group{path}{name}"))
    }

    /// An IAM role.
    #[must_use]
    pub fn role(account: &AccountId, path: &IamPath, name: &RoleName) -> Self {
        Self::new("iam", "", account.as_str(), format_args!("role{path}{name}"))
    }

    /// An instance profile.
    #[must_use]
    pub fn instance_profile(account: &AccountId, path: &IamPath, name: &InstanceProfileName) -> Self {
        Self::new("iam", "", account.as_str(), format_args!("instance-profile{path}{name}"))
    }

    /// An OIDC provider.
    #[must_use]
    pub fn oidc_provider(account: &AccountId, issuer: &OidcIssuer) -> Self {
        Self::new("iam", "", account.as_str(), format_args!("oidc-provider/{issuer}"))
    }

    /// A session of a role: who the bearer of temporary credentials is. It does not show the role's path.
    #[must_use]
    pub fn assumed_role(account: &AccountId, role: &RoleName, session_name: &str) -> Self {
        Self::new("sts", "", account.as_str(), format_args!("assumed-role/{role}/{session_name}"))
    }

    /// A managed node.
    #[must_use]
    pub fn managed_instance(region: &Region, account: &AccountId, node: &NodeId) -> Self {
        Self::new("ssm", region.as_str(), account.as_str(), format_args!("managed-instance/{node}"))
    }

    /// A session of Session Manager.
    #[must_use]
    pub fn session(region: &Region, account: &AccountId, session: &SessionId) -> Self {
        Self::new("ssm", region.as_str(), account.as_str(), format_args!("session/{session}"))
    }

    /// An encryption key.
    #[must_use]
    pub fn kms_key(region: &Region, account: &AccountId, key: &KmsKeyId) -> Self {
        Self::new("kms", region.as_str(), account.as_str(), format_args!("key/{key}"))
    }

    /// Another name of an encryption key.
    #[must_use]
    pub fn kms_alias(region: &Region, account: &AccountId, alias: &KmsAlias) -> Self {
        Self::new("kms", region.as_str(), account.as_str(), format_args!("{alias}"))
    }

    /// A document of the account.
    #[must_use]
    pub fn document(region: &Region, account: &AccountId, name: &str) -> Self {
        Self::new("ssm", region.as_str(), account.as_str(), format_args!("document/{name}"))
    }

    /// A document that exists in every account, owned by Amazon: its ARN names no account.
    #[must_use]
    pub fn amazon_document(region: &Region, name: &str) -> Self {
        Self::new("ssm", region.as_str(), "", format_args!("document/{name}"))
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the account, such as `user/alice`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.0.splitn(6, ':').nth(5).expect("an Arn has six parts")
    }
}

impl FromStr for Arn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parts = text.splitn(6, ':');
        let is_arn =
            parts.next() == Some("arn") && parts.count() == 5 && !text.ends_with(':') && text.len() <= 2048;
        if is_arn { Ok(Self(text.to_owned())) } else { Err(ParseError::new(text, "an ARN")) }
    }
}

impl TryFrom<String> for Arn {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.0
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_written_as_aws_does() {
        let account: AccountId = "111122223333".parse().unwrap();
        let region: Region = "us-east-1".parse().unwrap();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let role: RoleName = "PosternNode".parse().unwrap();
        let (root, path) = (IamPath::root(), "/ops/eu/".parse().unwrap());
        let cases = [
            (Arn::user(&account, &root, &"alice".parse().unwrap()), "arn:aws:iam::111122223333:user/alice"),
            (
                Arn::user(&account, &path, &"alice".parse().unwrap()),
                "arn:aws:iam::111122223333:user/ops/eu/alice",
            ),
            (
                Arn::group(&account, &path, &"all".parse().unwrap()),
                "arn:aws:iam::111122223333:group/ops/eu/all",
            ),
            (Arn::role(&account, &path, &role), "arn:aws:iam::111122223333:role/ops/eu/PosternNode"),
            (
                Arn::instance_profile(&account, &root, &"web".parse().unwrap()),
                "arn:aws:iam::111122223333:instance-profile/web",
            ),
            (
                Arn::oidc_provider(&account, &"token.example.com/x".parse().unwrap()),
                "arn:aws:iam::111122223333:oidc-provider/token.example.com/x",
            ),
            (
                Arn::assumed_role(&account, &role, node.as_str()),
                "arn:aws:sts::111122223333:assumed-role/PosternNode/mi-0123456789abcdef0",
            ),
            (
                Arn::managed_instance(&region, &account, &node),
                "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0",
            ),
            (
                Arn::kms_key(&region, &account, &KmsKeyId::from_bytes([0x11; 16])),
                "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-1111-1111-111111111111",
            ),
            (
                Arn::kms_alias(&region, &account, &"alias/sessions".parse().unwrap()),
                "arn:aws:kms:us-east-1:111122223333:alias/sessions",
            ),
            (
                Arn::amazon_document(&region, "AWS-StartSSHSession"),
                "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession",
            ),
        ];
        for (arn, text) in cases {
            assert_eq!(arn.as_str(), text);
            assert_eq!(text.parse::<Arn>().unwrap(), arn);
        }
    }

    #[test]
    fn the_resource_may_hold_colons() {
        assert_eq!(
            "arn:aws:logs:us-east-1:111122223333:log-group:x:*".parse::<Arn>().unwrap().resource(),
            "log-group:x:*"
        );
        for wrong in ["", "arn", "arn:aws:iam::1", "urn:aws:iam::1:user/x", "arn:aws:iam::1:"] {
            assert!(wrong.parse::<Arn>().is_err(), "{wrong:?}");
        }
    }
}
