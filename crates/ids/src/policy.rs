//! Managed policies: their names, versions and ARNs.

use std::fmt;
use std::str::FromStr;

use crate::{AccountId, IamPath, ParseError, Partition, is_iam_name, text_id};

text_id!(
    /// A policy's name, managed or inline: `[\w+=,.@-]`, at most 128.
    PolicyName,
    "a policy name (letters, digits and _+=,.@- , at most 128)",
    |text| is_iam_name(text, 128)
);

text_id!(
    /// A managed policy: `arn:aws:iam::<account or aws>:policy/<path><name>`.
    PolicyArn,
    "a managed policy's ARN",
    |text| is_policy_arn(text)
);

/// What every policy ARN begins with.
const PREFIX: &str = "arn:aws:iam::";
/// What stands in the account's place of policies that every account has.
const AMAZON: &str = "aws";

impl PolicyArn {
    /// A policy of the account.
    #[must_use]
    pub fn customer_managed(account: &AccountId, path: &IamPath, name: &PolicyName) -> Self {
        Self(format!("arn:{Partition}:iam::{account}:policy{path}{name}"))
    }

    /// A policy that every account has, without a path.
    #[must_use]
    pub fn aws_managed(name: &PolicyName) -> Self {
        Self(format!("arn:{Partition}:iam::{AMAZON}:policy/{name}"))
    }

    /// Whether it is a policy that every account has, which nobody can change.
    #[must_use]
    pub fn is_aws_managed(&self) -> bool {
        self.0.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':')).is_some_and(|(a, _)| a == AMAZON)
    }

    /// The policy's name.
    #[must_use]
    pub fn name(&self) -> PolicyName {
        let name = self.0.rsplit_once('/').map_or("", |(_, name)| name);
        PolicyName(name.to_owned())
    }

    /// The policy's path.
    #[must_use]
    pub fn path(&self) -> IamPath {
        let path = split(&self.0).and_then(|(_, resource)| resource.rfind('/').map(|end| &resource[..=end]));
        path.and_then(|path| path.parse().ok()).unwrap_or_default()
    }
}

/// The account and what follows `policy`, such as `/path/name`.
fn split(text: &str) -> Option<(&str, &str)> {
    let (account, resource) = text.strip_prefix(PREFIX)?.split_once(':')?;
    Some((account, resource.strip_prefix("policy")?))
}

fn is_policy_arn(text: &str) -> bool {
    let Some((account, resource)) = split(text) else { return false };
    let Some((path, name)) = resource.rfind('/').map(|end| resource.split_at(end + 1)) else { return false };
    (account == AMAZON || account.parse::<AccountId>().is_ok())
        && path.parse::<IamPath>().is_ok()
        && is_iam_name(name, 128)
}

/// A version of a managed policy: `v1`, `v2`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyVersionId(u32);

impl PolicyVersionId {
    /// The version that a policy is created with.
    pub const FIRST: Self = Self(1);

    /// The version with this number, which counts from 1.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for PolicyVersionId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digits = text.strip_prefix('v').filter(|digits| digits.starts_with(|c| matches!(c, '1'..='9')));
        digits
            .and_then(|digits| digits.parse().ok())
            .and_then(Self::new)
            .ok_or_else(|| ParseError::new(text, "a policy version (v and a number from 1)"))
    }
}

impl fmt::Display for PolicyVersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_arn_tells_path_and_name() {
        let account = "111122223333".parse().unwrap();
        let name: PolicyName = "Sessions".parse().unwrap();
        let plain = PolicyArn::customer_managed(&account, &IamPath::root(), &name);
        assert_eq!(plain.as_str(), "arn:aws:iam::111122223333:policy/Sessions");
        let nested = PolicyArn::customer_managed(&account, &"/team/web/".parse().unwrap(), &name);
        let amazon = PolicyArn::aws_managed(&"AdministratorAccess".parse().unwrap());
        let cases = [
            (&plain, "/", "Sessions", false),
            (&nested, "/team/web/", "Sessions", false),
            (&amazon, "/", "AdministratorAccess", true),
            (&"arn:aws:iam::aws:policy/job-function/X".parse().unwrap(), "/job-function/", "X", true),
        ];
        for (arn, path, name, is_aws_managed) in cases {
            assert_eq!((arn.path().as_str(), arn.name().as_str()), (path, name), "{arn}");
            assert_eq!(arn.is_aws_managed(), is_aws_managed, "{arn}");
            assert_eq!(arn.as_str().parse::<PolicyArn>().unwrap(), *arn);
        }
    }

    #[test]
    fn other_arns_are_no_policies() {
        for wrong in [
            "",
            "AdministratorAccess",
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:policy",
            "arn:aws:iam::111122223333:policy/",
            "arn:aws:iam::111122223333:policyX/Y",
            "arn:aws:iam::111122223333:policy//Y",
            "arn:aws:iam::1234:policy/Y",
            "arn:aws:iam::amazon:policy/Y",
            "arn:aws:iam::111122223333:policy/a b",
            "arn:aws:iam:us-east-1:111122223333:policy/Y",
        ] {
            assert!(wrong.parse::<PolicyArn>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn versions_count_from_one() {
        assert_eq!("v12".parse::<PolicyVersionId>().unwrap().to_string(), "v12");
        for wrong in ["", "1", "v", "v0", "v01", "v+1", "v-1", "V1", "v4294967296"] {
            assert!(wrong.parse::<PolicyVersionId>().is_err(), "{wrong:?}");
        }
    }
}
