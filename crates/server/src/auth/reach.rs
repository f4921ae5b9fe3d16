//! How far a node reaches: whatever its role's policies allow, it does what its agent needs, and for itself only.

use postern_api::{Operation, ec2messages, kms, logs, ssm};
use postern_ids::NodeId;

use super::{Action, Check};

/// What a node's agent may do an action to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The node itself and the sessions on it.
    Itself,
    /// What belongs to nobody: documents; messages, which are identified by what only their receiver knows.
    Anything,
}

/// Whether `node`, with credentials of its role, may ask `check` at all.
pub(super) fn is_within(check: &Check, node: &NodeId) -> bool {
    match reach_of_agent(check.action) {
        Some(Reach::Itself) => check.node.as_ref() == Some(node),
        Some(Reach::Anything) => check.node.is_none(),
        None => false,
    }
}

/// What agents need: AWS's managed policy AmazonSSMManagedInstanceCore, for what exists here.
fn reach_of_agent(action: Action) -> Option<Reach> {
    use ec2messages::Operation as Messages;
    use logs::Operation as Logs;
    use ssm::Operation as Ssm;
    match action {
        Action::CreateControlChannel
        | Action::OpenControlChannel
        | Action::CreateDataChannel
        | Action::OpenDataChannel => Some(Reach::Itself),
        Action::Operation(Operation::Ssm(operation)) => match operation {
            Ssm::UpdateInstanceInformation
            | Ssm::ListInstanceAssociations
            | Ssm::UpdateInstanceAssociationStatus
            | Ssm::PutInventory
            | Ssm::PutComplianceItems => Some(Reach::Itself),
            Ssm::GetDocument | Ssm::DescribeDocument => Some(Reach::Anything),
            _ => None,
        },
        Action::Operation(Operation::Ec2messages(operation)) => match operation {
            Messages::GetMessages => Some(Reach::Itself),
            Messages::AcknowledgeMessage | Messages::FailMessage | Messages::SendReply => {
                Some(Reach::Anything)
            }
        },
        // Its sessions' logs, and what agents ask of a bucket before.
        Action::S3("PutObject") => Some(Reach::Itself),
        Action::S3("ListBucket" | "GetEncryptionConfiguration") => Some(Reach::Anything),
        // What encrypts a session on it.
        Action::Operation(Operation::Kms(kms::Operation::Decrypt)) => Some(Reach::Itself),
        // Logs of its sessions and commands, which its agent may be told to write.
        Action::Operation(Operation::Logs(operation)) => match operation {
            Logs::CreateLogStream | Logs::DescribeLogStreams | Logs::PutLogEvents => Some(Reach::Itself),
            Logs::CreateLogGroup | Logs::DescribeLogGroups => Some(Reach::Anything),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use postern_ids::Arn;

    use super::super::action::tests::every_action;
    use super::*;

    fn node() -> NodeId {
        "mi-0123456789abcdef0".parse().unwrap()
    }

    fn of_logs(operation: logs::Operation) -> Check {
        Check::new(Operation::Logs(operation))
    }

    #[test]
    fn a_node_acts_for_itself_only() {
        let (me, other) = (node(), "mi-00000000000000000".parse().unwrap());
        let document: Arn = "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession".parse().unwrap();
        let reply = ec2messages::Operation::SendReply;
        for (check, expected) in [
            (Check::new(ssm::Operation::UpdateInstanceInformation).about_node(Some(&me)), true),
            (Check::new(ssm::Operation::UpdateInstanceInformation).about_node(Some(&other)), false),
            (Check::new(ssm::Operation::UpdateInstanceInformation), false),
            (Check::new(Action::OpenControlChannel).about_node(Some(&me)), true),
            (Check::new(Action::OpenControlChannel).about_node(Some(&other)), false),
            (Check::new(Action::CreateDataChannel).about_node(Some(&me)), true),
            (Check::new(Action::CreateDataChannel), false),
            (Check::new(ssm::Operation::GetDocument).on(document), true),
            (Check::new(ssm::Operation::GetDocument).about_node(Some(&me)), false),
            (Check::new(Action::Operation(Operation::Ec2messages(reply))), true),
            (Check::new(kms::Operation::Decrypt).about_node(Some(&me)), true),
            (Check::new(kms::Operation::Decrypt).about_node(Some(&other)), false),
            (Check::new(kms::Operation::Decrypt), false),
            (Check::new(kms::Operation::GenerateDataKey).about_node(Some(&me)), false),
            (Check::new(ssm::Operation::StartSession).about_node(Some(&me)), false),
            (Check::new(ssm::Operation::TerminateSession).about_node(Some(&me)), false),
            (Check::new(ssm::Operation::CreateActivation), false),
            (of_logs(logs::Operation::PutLogEvents).about_node(Some(&me)), true),
            (of_logs(logs::Operation::PutLogEvents).about_node(Some(&other)), false),
            (of_logs(logs::Operation::CreateLogStream), false),
            (of_logs(logs::Operation::DescribeLogGroups), true),
            (of_logs(logs::Operation::GetLogEvents).about_node(Some(&me)), false),
        ] {
            assert_eq!(is_within(&check, &me), expected, "{check:?}");
        }
    }

    #[test]
    fn nothing_reaches_another_node() {
        let other = "mi-00000000000000000".parse().unwrap();
        for action in every_action() {
            assert!(!is_within(&Check::new(action).about_node(Some(&other)), &node()), "{action}");
        }
    }
}
