//! How a request names its operation.

use crate::{Operation, Service};

impl Operation {
    /// The operation that an `X-Amz-Target` header names, such as `AmazonSSM.StartSession`.
    #[must_use]
    pub fn from_target(target: &str) -> Option<Self> {
        let (prefix, name) = target.rsplit_once('.')?;
        let service = Service::from_target_prefix(prefix)?;
        service.operations().find(|operation| operation.name() == name)
    }

    /// The operation that `Version` and `Action` of a form name, such as `2011-06-15` and `GetCallerIdentity`.
    #[must_use]
    pub fn from_action(version: &str, action: &str) -> Option<Self> {
        let service = Service::from_api_version(version)?;
        service.operations().find(|operation| operation.name() == action)
    }

    /// The `X-Amz-Target` of a request; `None` for services that do not use it.
    #[must_use]
    pub fn target(self) -> Option<String> {
        Some(format!("{}.{}", self.service().target_prefix()?, self.name()))
    }

    /// The action that policies allow or deny, such as `ssm:StartSession`.
    #[must_use]
    pub fn action(self) -> String {
        format!("{}:{}", self.service().signing_name(), self.name())
    }
}

/// What AWS's documentation and older SDKs write where the model says `com.amazonaws.cloudtrail.v20131101.…`; AWS
/// takes both. Source: "Welcome", CloudTrail API Reference, sample requests.
const CLOUDTRAIL_SHORT_PREFIX: &str = "CloudTrail_20131101";

impl Service {
    /// The service of an `X-Amz-Target` header, by what stands before its last dot.
    #[must_use]
    pub fn from_target_prefix(prefix: &str) -> Option<Self> {
        if prefix == CLOUDTRAIL_SHORT_PREFIX {
            return Some(Self::Cloudtrail);
        }
        Self::ALL.iter().copied().find(|service| service.target_prefix() == Some(prefix))
    }

    /// The service of a form, by its `Version`. Services that use `X-Amz-Target` take no forms.
    #[must_use]
    pub fn from_api_version(version: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|service| service.target_prefix().is_none() && service.api_version() == Some(version))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Operation, cloudtrail, ec2messages, iam, postern, ssm, sts};

    #[test]
    fn targets() {
        let cases = [
            ("AmazonSSM.StartSession", Some(Operation::Ssm(ssm::Operation::StartSession))),
            (
                "EC2WindowsMessageDeliveryService.GetMessages",
                Some(Operation::Ec2messages(ec2messages::Operation::GetMessages)),
            ),
            (
                "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents",
                Some(Operation::Cloudtrail(cloudtrail::Operation::LookupEvents)),
            ),
            (
                "CloudTrail_20131101.LookupEvents",
                Some(Operation::Cloudtrail(cloudtrail::Operation::LookupEvents)),
            ),
            ("v20131101.CloudTrail_20131101.LookupEvents", None),
            ("Postern_20261101.RevokeSessions", Some(Operation::Postern(postern::Operation::RevokeSessions))),
            ("AmazonSSM.NoSuchOperation", None),
            ("AmazonSSM.startsession", None),
            ("StartSession", None),
            ("Amazon.SSM.StartSession", None),
            ("", None),
        ];
        for (target, operation) in cases {
            assert_eq!(Operation::from_target(target), operation, "{target}");
        }
    }

    #[test]
    fn every_operation_finds_itself() {
        for operation in Operation::ALL {
            match operation.target() {
                Some(target) => assert_eq!(Operation::from_target(&target), Some(*operation)),
                None => {
                    let version = operation.service().api_version().unwrap();
                    assert_eq!(Operation::from_action(version, operation.name()), Some(*operation));
                }
            }
        }
    }

    #[test]
    fn actions() {
        assert_eq!(Operation::Sts(sts::Operation::GetCallerIdentity).action(), "sts:GetCallerIdentity");
        assert_eq!(Operation::from_action("2014-11-06", "StartSession"), None);
        let get_user = Operation::Iam(iam::Operation::GetUser);
        assert_eq!(Operation::from_action("2010-05-08", "GetUser"), Some(get_user));
        assert_eq!(get_user.action(), "iam:GetUser");
        assert_eq!(Operation::from_action("2011-06-15", "GetUser"), None);
    }
}
