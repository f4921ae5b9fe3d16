//! What a caller wants to do, as policies name it.

use std::fmt;

use postern_api::{Operation, Service, kms, ssm, sts};
use postern_ids::Region;

/// Where IAM is, for a policy that asks.
const IAM_REGION: &str = "us-east-1";

/// An operation of a service, a step in opening a channel, or a permission that an operation needs besides its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// An operation of AWS's API.
    Operation(Operation),
    /// POST to `/v1/control-channel/…`.
    CreateControlChannel,
    /// The websocket of a control channel.
    OpenControlChannel,
    /// POST to `/v1/data-channel/…`.
    CreateDataChannel,
    /// The websocket of a data channel.
    OpenDataChannel,
    /// Handing a role on to a service, as `CreateActivation` does.
    PassRole,
    /// An operation of S3 by the name that policies give it.
    S3(&'static str),
    /// What `ReEncrypt` does with the key that decrypts.
    ReEncryptFrom,
    /// What `ReEncrypt` does with the key that encrypts.
    ReEncryptTo,
    /// Giving tags to a session of a role.
    TagSession,
    /// Naming, in a session of a role, who is behind it.
    SetSourceIdentity,
    /// Seeing who is signed in to the console.
    ListSignIns,
    /// Ending somebody else's sign-in to the console.
    EndSignIn,
}

impl Action {
    /// The service in a signature's scope, and before the colon.
    #[must_use]
    pub fn service(self) -> &'static str {
        match self {
            Self::Operation(operation) => operation.service().signing_name(),
            Self::CreateControlChannel
            | Self::OpenControlChannel
            | Self::CreateDataChannel
            | Self::OpenDataChannel => "ssmmessages",
            Self::PassRole => "iam",
            Self::S3(_) => "s3",
            Self::ReEncryptFrom | Self::ReEncryptTo => "kms",
            Self::TagSession | Self::SetSourceIdentity => "sts",
            Self::ListSignIns | Self::EndSignIn => "postern",
        }
    }

    /// The name after the colon.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Operation(operation) => operation.name(),
            Self::CreateControlChannel => "CreateControlChannel",
            Self::OpenControlChannel => "OpenControlChannel",
            Self::CreateDataChannel => "CreateDataChannel",
            Self::OpenDataChannel => "OpenDataChannel",
            Self::PassRole => "PassRole",
            Self::S3(name) => name,
            Self::ReEncryptFrom => "ReEncryptFrom",
            Self::ReEncryptTo => "ReEncryptTo",
            Self::TagSession => "TagSession",
            Self::SetSourceIdentity => "SetSourceIdentity",
            Self::ListSignIns => "ListSignIns",
            Self::EndSignIn => "EndSignIn",
        }
    }

    /// Whether clients sign for whatever region they are set to: STS and IAM have no regions here.
    pub(super) fn is_global(self) -> bool {
        // Clients ask in any region where a bucket is.
        matches!(self, Self::S3(_))
            || matches!(self, Self::Operation(operation) if matches!(operation.service(), Service::Sts | Service::Iam))
    }

    /// `aws:RequestedRegion`, for a server in `own`. Where any region may sign, the signature's says nothing: IAM has one
    /// endpoint, in `us-east-1`, and STS and S3 answer where the server is.
    ///
    /// Source: "AWS global condition context keys", IAM User Guide, `aws:RequestedRegion`.
    pub(crate) fn requested_region(self, own: &Region) -> String {
        match self {
            Self::Operation(Operation::Iam(_)) => IAM_REGION.to_owned(),
            _ => own.to_string(),
        }
    }

    /// Whether it may come without a signature: an agent that registers has no credentials yet, its activation
    /// code is the proof; whoever comes with a token of an OIDC provider wants to get credentials for it.
    pub(crate) fn takes_unsigned(self) -> bool {
        self == Self::from(ssm::Operation::RegisterManagedInstance)
            || self == Self::from(sts::Operation::AssumeRoleWithWebIdentity)
    }

    /// Whether a node signs it with its RSA key.
    pub(super) fn takes_node_key(self) -> bool {
        self == Self::from(ssm::Operation::RequestManagedInstanceRoleToken)
            || self == Self::from(ssm::Operation::UpdateManagedInstancePublicKey)
    }
}

impl From<Operation> for Action {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

impl From<ssm::Operation> for Action {
    fn from(operation: ssm::Operation) -> Self {
        Self::Operation(Operation::Ssm(operation))
    }
}

impl From<kms::Operation> for Action {
    fn from(operation: kms::Operation) -> Self {
        Self::Operation(Operation::Kms(operation))
    }
}

impl From<sts::Operation> for Action {
    fn from(operation: sts::Operation) -> Self {
        Self::Operation(Operation::Sts(operation))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service(), self.name())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every action that there is.
    pub(crate) fn every_action() -> Vec<Action> {
        let operations = Operation::ALL.iter().map(|operation| Action::from(*operation));
        let others = [
            Action::CreateControlChannel,
            Action::OpenControlChannel,
            Action::CreateDataChannel,
            Action::OpenDataChannel,
            Action::PassRole,
            Action::ReEncryptFrom,
            Action::ReEncryptTo,
            Action::TagSession,
            Action::SetSourceIdentity,
            Action::ListSignIns,
            Action::EndSignIn,
        ];
        operations.chain(others).collect()
    }

    #[test]
    fn actions_are_named_as_in_policies() {
        assert_eq!(Action::from(ssm::Operation::StartSession).to_string(), "ssm:StartSession");
        assert_eq!(Action::OpenDataChannel.to_string(), "ssmmessages:OpenDataChannel");
    }

    #[test]
    fn iam_is_in_one_region_and_everything_else_where_the_server_is() {
        let own = "eu-central-1".parse().unwrap();
        let iam = Operation::ALL.iter().filter(|operation| operation.service() == Service::Iam);
        for operation in iam {
            assert_eq!(Action::from(*operation).requested_region(&own), "us-east-1", "{}", operation.name());
        }
        for action in [
            Action::from(sts::Operation::AssumeRole),
            Action::from(ssm::Operation::StartSession),
            Action::S3("GetObject"),
            Action::OpenDataChannel,
        ] {
            assert_eq!(action.requested_region(&own), "eu-central-1", "{action}");
        }
    }

    #[test]
    fn exactly_two_operations_come_unsigned_and_two_are_signed_by_nodes() {
        let named = |test: fn(Action) -> bool| -> Vec<&str> {
            Operation::ALL
                .iter()
                .filter(|operation| test(Action::from(**operation)))
                .map(|operation| operation.name())
                .collect()
        };
        let mut unsigned = named(Action::takes_unsigned);
        unsigned.sort_unstable();
        assert_eq!(unsigned, ["AssumeRoleWithWebIdentity", "RegisterManagedInstance"]);
        assert_eq!(
            named(Action::takes_node_key),
            ["RequestManagedInstanceRoleToken", "UpdateManagedInstancePublicKey"]
        );
    }
}
