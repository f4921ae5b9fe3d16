//! What a caller wants to do, as policies name it.

use std::fmt;

use postern_api::{Operation, Service, ssm};

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
    /// Giving tags to a session of a role.
    TagSession,
    /// Naming, in a session of a role, who is behind it.
    SetSourceIdentity,
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
            Self::TagSession | Self::SetSourceIdentity => "sts",
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
            Self::TagSession => "TagSession",
            Self::SetSourceIdentity => "SetSourceIdentity",
        }
    }

    /// Whether clients sign for whatever region they are set to: STS and IAM have no regions here.
    pub(super) fn is_global(self) -> bool {
        matches!(self, Self::Operation(operation) if matches!(operation.service(), Service::Sts | Service::Iam))
    }

    /// Whether it may come without a signature: an agent that registers has no credentials yet, its activation
    /// code is the proof.
    pub(super) fn takes_unsigned(self) -> bool {
        self == Self::from(ssm::Operation::RegisterManagedInstance)
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
            Action::TagSession,
            Action::SetSourceIdentity,
        ];
        operations.chain(others).collect()
    }

    #[test]
    fn actions_are_named_as_in_policies() {
        assert_eq!(Action::from(ssm::Operation::StartSession).to_string(), "ssm:StartSession");
        assert_eq!(Action::OpenDataChannel.to_string(), "ssmmessages:OpenDataChannel");
    }

    #[test]
    fn exactly_one_operation_comes_unsigned_and_two_are_signed_by_nodes() {
        let named = |test: fn(Action) -> bool| -> Vec<&str> {
            Operation::ALL
                .iter()
                .filter(|operation| test(Action::from(**operation)))
                .map(|operation| operation.name())
                .collect()
        };
        assert_eq!(named(Action::takes_unsigned), ["RegisterManagedInstance"]);
        assert_eq!(
            named(Action::takes_node_key),
            ["RequestManagedInstanceRoleToken", "UpdateManagedInstancePublicKey"]
        );
    }
}
