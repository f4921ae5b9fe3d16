//! What a record says of an operation, whoever calls it.

use postern_api::{Operation, Service, kms, logs, postern};

/// What a record says of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Described {
    /// The signing name of its service, from which [`event_source`] follows.
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    pub(crate) api_version: Option<&'static str>,
    pub(crate) is_read_only: bool,
    /// Whether it changes something that lasts, so that its intent goes on the trail first.
    pub(crate) changes: bool,
    /// Whether the answer is shown: that of calls that change something, and of those that hand out credentials.
    pub(crate) shows_answer: bool,
    /// Whether nodes do it over and over.
    pub(crate) is_routine_of_nodes: bool,
}

/// What agents do for as long as they run.
const ROUTINE: [&str; 15] = [
    "CreateControlChannel",
    "OpenControlChannel",
    "DescribeDocument",
    "GetDocument",
    "DescribeLogGroups",
    "DescribeLogStreams",
    "GetMessages",
    "ListInstanceAssociations",
    "PutLogEvents",
    "PutComplianceItems",
    "PutInventory",
    "RequestManagedInstanceRoleToken",
    "UpdateInstanceAssociationStatus",
    "UpdateInstanceInformation",
    "GetCallerIdentity",
];

/// Whoever follows a session or logs reads.
const FOLLOWING: [Operation; 2] =
    [Operation::Postern(postern::Operation::AttachSession), Operation::Logs(logs::Operation::StartLiveTail)];

impl From<Operation> for Described {
    fn from(operation: Operation) -> Self {
        let (service, name) = (operation.service(), operation.name());
        // Credentials are handed out, nothing is changed: so says CloudTrail.
        let is_of_sts = service == Service::Sts;
        let is_read_only =
            is_of_sts || is_reading(name) || FOLLOWING.contains(&operation) || works_with_key(operation);
        Self {
            service: service.signing_name(),
            name,
            api_version: service.api_version(),
            is_read_only,
            changes: !is_read_only,
            shows_answer: !is_read_only || (is_of_sts && name != "GetCallerIdentity"),
            is_routine_of_nodes: ROUTINE.contains(&name),
        }
    }
}

impl Described {
    /// The websocket of somebody who follows a session.
    pub(crate) const FOLLOW_SESSION: Self = Self {
        service: "postern",
        name: "FollowSession",
        api_version: None,
        is_read_only: true,
        changes: false,
        shows_answer: false,
        is_routine_of_nodes: false,
    };

    /// Whether something comes of the call besides what it tells: credentials, or what a key has decrypted.
    pub(super) fn hands_out(&self) -> bool {
        self.shows_answer || (self.service == Service::Kms.signing_name() && !is_reading(self.name))
    }

    /// A step in opening a channel.
    pub(crate) const fn channel(name: &'static str) -> Self {
        let is_routine_of_nodes = matches!(name.as_bytes(), b"CreateControlChannel" | b"OpenControlChannel");
        Self {
            service: "ssmmessages",
            name,
            api_version: None,
            is_read_only: false,
            changes: false,
            shows_answer: false,
            is_routine_of_nodes,
        }
    }
}

/// What records of a service's operations have as their source. Postern's own is no host of AWS's, and says so.
pub(super) fn event_source(service: &str) -> String {
    if service == Service::Postern.signing_name() {
        service.to_owned()
    } else {
        format!("{service}.amazonaws.com")
    }
}

/// What works with a key and changes nothing: so says CloudTrail.
/// Source: "Logging AWS KMS API calls with AWS CloudTrail", AWS KMS Developer Guide.
fn works_with_key(operation: Operation) -> bool {
    use kms::Operation as Kms;
    matches!(
        operation,
        Operation::Kms(
            Kms::Encrypt
                | Kms::Decrypt
                | Kms::ReEncrypt
                | Kms::GenerateDataKey
                | Kms::GenerateDataKeyWithoutPlaintext
                | Kms::GenerateRandom
        )
    )
}

fn is_reading(name: &str) -> bool {
    ["Get", "Describe", "Filter", "List", "Lookup", "Search", "Simulate"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use postern_api::{cloudtrail, iam, ssm, sts};

    use super::*;

    #[test]
    fn postern_is_no_host_of_aws() {
        assert_eq!(event_source("ssm"), "ssm.amazonaws.com");
        assert_eq!(event_source("postern"), "postern");
    }

    #[test]
    fn what_reads_and_what_shows_its_answer() {
        for (operation, is_read_only, shows_answer) in [
            (Operation::Ssm(ssm::Operation::StartSession), false, true),
            (Operation::Ssm(ssm::Operation::DescribeSessions), true, false),
            (Operation::Iam(iam::Operation::CreateAccessKey), false, true),
            (Operation::Iam(iam::Operation::SimulatePrincipalPolicy), true, false),
            (Operation::Cloudtrail(cloudtrail::Operation::LookupEvents), true, false),
            (Operation::Kms(kms::Operation::Decrypt), true, false),
            (Operation::Kms(kms::Operation::ScheduleKeyDeletion), false, true),
            (Operation::Sts(sts::Operation::AssumeRole), true, true),
            (Operation::Postern(postern::Operation::GetSessionRecording), true, false),
            (Operation::Postern(postern::Operation::SearchSessionRecordings), true, false),
            (Operation::Postern(postern::Operation::AttachSession), true, false),
            (Operation::Logs(logs::Operation::FilterLogEvents), true, false),
            (Operation::Logs(logs::Operation::StartLiveTail), true, false),
            (Operation::Logs(logs::Operation::PutLogEvents), false, true),
            (Operation::Postern(postern::Operation::RevokeSessions), false, true),
            (Operation::Sts(sts::Operation::GetCallerIdentity), true, false),
        ] {
            let described = Described::from(operation);
            assert_eq!(
                (described.is_read_only, described.shows_answer),
                (is_read_only, shows_answer),
                "{described:?}"
            );
        }
    }
}
