//! The types of resources in records.
//!
//! Source: "AWS resource and property types reference", AWS CloudFormation; `AWS::SSM::Session` and the others that it
//! does not have are named after its rule.

use postern_audit::Resource;
use postern_ids::AccountId;

/// What a resource name stands for. Names with wildcards stand for nothing in particular.
pub(super) fn of_arn(arn: &str, account: &AccountId) -> Option<Resource> {
    let mut parts = arn.splitn(6, ':');
    let (service, resource) = (parts.nth(2)?, parts.nth(2)?);
    if service == "logs" {
        return of_logs(arn, resource, account);
    }
    if resource.contains('*') {
        return None;
    }
    let of = resource.split_once('/').map_or(resource, |(kind, _)| kind);
    let kind = match (service, of) {
        ("ssm", "managed-instance") => "AWS::SSM::ManagedInstance",
        ("ssm", "session") => "AWS::SSM::Session",
        ("ssm", "document") => "AWS::SSM::Document",
        ("ssm", "activation") => "AWS::SSM::Activation",
        ("ec2", "instance") => "AWS::EC2::Instance",
        ("iam", "user") => "AWS::IAM::User",
        ("iam", "group") => "AWS::IAM::Group",
        ("iam", "role") => "AWS::IAM::Role",
        ("iam", "policy") => "AWS::IAM::ManagedPolicy",
        ("iam", "instance-profile") => "AWS::IAM::InstanceProfile",
        ("iam", "mfa") => "AWS::IAM::VirtualMFADevice",
        ("iam", "oidc-provider") => "AWS::IAM::OIDCProvider",
        ("kms", "key") => "AWS::KMS::Key",
        ("kms", "alias") => "AWS::KMS::Alias",
        ("cloudtrail", "trail") => "AWS::CloudTrail::Trail",
        ("s3", _) if resource.contains('/') => "AWS::S3::Object",
        ("s3", _) => "AWS::S3::Bucket",
        _ => return None,
    };
    // The documents of every account belong to none.
    let account_id =
        Some(account.clone()).filter(|account| service == "s3" || arn.contains(account.as_str()));
    Some(Resource { arn: arn.to_owned(), account_id, kind: kind.to_owned() })
}

/// A log group or a log stream, whose names may hold slashes. Policies know a group by any stream of it.
fn of_logs(arn: &str, resource: &str, account: &AccountId) -> Option<Resource> {
    let name = resource.strip_prefix("log-group:")?;
    let (kind, arn) = match name.split_once(":log-stream:") {
        Some(("", _)) => return None,
        Some((_, "*")) => ("AWS::Logs::LogGroup", arn.strip_suffix(":log-stream:*").unwrap_or(arn)),
        Some(_) => ("AWS::Logs::LogStream", arn),
        None => ("AWS::Logs::LogGroup", arn),
    };
    Some(Resource { arn: arn.to_owned(), account_id: Some(account.clone()), kind: kind.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_resources() {
        let account = "111122223333".parse().unwrap();
        for (arn, kind) in [
            ("arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0", Some("AWS::SSM::ManagedInstance")),
            ("arn:aws:ssm:us-east-1::document/AWS-StartSSHSession", Some("AWS::SSM::Document")),
            ("arn:aws:iam::111122223333:user/division/alice", Some("AWS::IAM::User")),
            (
                "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555",
                Some("AWS::KMS::Key"),
            ),
            ("arn:aws:iam::111122223333:user/*", None),
            ("arn:aws:logs:us-east-1:111122223333:log-group:/a/b", Some("AWS::Logs::LogGroup")),
            ("arn:aws:logs:us-east-1:111122223333:log-group:/a/b:log-stream:*", Some("AWS::Logs::LogGroup")),
            ("arn:aws:logs:us-east-1:111122223333:log-group:/a:log-stream:x/y", Some("AWS::Logs::LogStream")),
            ("arn:aws:logs:us-east-1:111122223333:log-group::log-stream:*", None),
            ("arn:aws:s3:::audit", Some("AWS::S3::Bucket")),
            ("arn:aws:s3:::audit/AWSLogs/x:y", Some("AWS::S3::Object")),
            ("arn:aws:sts::111122223333:assumed-role/a/b", None),
            ("*", None),
        ] {
            let resource = of_arn(arn, &account);
            assert_eq!(resource.as_ref().map(|resource| resource.kind.as_str()), kind, "{arn}");
        }
        let document = of_arn("arn:aws:ssm:us-east-1::document/AWS-StartSSHSession", &account).unwrap();
        assert_eq!((document.account_id.as_ref(), document.name()), (None, "AWS-StartSSHSession"));
    }
}
