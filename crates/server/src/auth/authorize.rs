//! The one place that every operation passes: may this caller do this, to these things, now?
//!
//! The policy engine's place is here. What decides until it comes: the administrator may do everything, a node
//! what its agent needs and only for itself, all others nothing but ask who they are.

use postern_api::{ApiError, CommonError, Operation, ec2messages, ssm, sts};
use postern_ids::{Arn, NodeId};

use super::{Action, Caller, Principal};

/// The user that the first start creates.
pub const ADMINISTRATOR: &str = "admin";

/// What a decision may depend on besides caller, action and resources.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The request, for the audit log.
    pub request_id: &'a str,
    /// The node that the session among the resources runs on.
    pub session_node: Option<&'a NodeId>,
}

/// Leave to do one action to some resources. Only [`authorize`] makes one; whoever acts takes it.
#[derive(Debug)]
#[must_use = "a permit is asked for in order to act"]
pub struct Permit {
    action: Action,
    resources: Vec<Arn>,
}

impl Permit {
    /// What may be done.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// To what; empty for actions that are on no resource.
    #[must_use]
    pub fn resources(&self) -> &[Arn] {
        &self.resources
    }
}

/// The answer to those who may not.
///
/// Source of the text: "Troubleshoot access denied error messages", IAM User Guide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "User: {principal} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
)]
pub struct Denied {
    principal: String,
    action: Action,
    resource: String,
}

impl From<&Denied> for ApiError {
    fn from(denied: &Denied) -> Self {
        Self::new(CommonError::AccessDenied, denied.to_string())
    }
}

/// Decides whether `caller` may do `action` to all of `resources`, and writes the decision to the audit log.
///
/// # Errors
/// [`Denied`], with the first resource that it fails on.
pub fn authorize(
    caller: &Caller,
    action: Action,
    resources: &[Arn],
    context: &Context<'_>,
) -> Result<Permit, Denied> {
    let decision = decide(&caller.principal, action, resources, context);
    let (principal, source_ip) = (caller.principal.name(), caller.source_ip);
    let on = resources.iter().map(Arn::as_str).collect::<Vec<_>>().join(" ");
    let access_key_id = caller.access_key_id.as_deref().unwrap_or_default();
    let word = if decision.is_ok() { "allow" } else { "deny" };
    tracing::info!(
        target: "audit",
        decision = word, principal, access_key.id = access_key_id, %source_ip, %action, resources = on,
        request.id = context.request_id,
        "{word} {principal} {action} on [{on}]"
    );
    match decision {
        Ok(()) => Ok(Permit { action, resources: resources.to_vec() }),
        Err(resource) => Err(Denied {
            principal: principal.to_owned(),
            action,
            resource: resource.map_or_else(|| "*".to_owned(), Arn::to_string),
        }),
    }
}

/// `Err` tells the resource it fails on, `None` when there is none.
fn decide<'a>(
    principal: &Principal,
    action: Action,
    resources: &'a [Arn],
    context: &Context<'_>,
) -> Result<(), Option<&'a Arn>> {
    if action == Action::Operation(Operation::Sts(sts::Operation::GetCallerIdentity)) {
        return Ok(());
    }
    match principal {
        Principal::User { name, .. } if name.as_str() == ADMINISTRATOR => Ok(()),
        Principal::RoleSession { node: Some(node), .. } => {
            within(reach_of_agent(action), node, resources, context)
        }
        Principal::Node { node, .. } if action.takes_node_key() => {
            within(Some(Reach::Itself), node, resources, context)
        }
        Principal::Anonymous if action.takes_unsigned() => Ok(()),
        Principal::User { .. }
        | Principal::RoleSession { node: None, .. }
        | Principal::Node { .. }
        | Principal::Anonymous => Err(resources.first()),
    }
}

/// What a node's agent may do an action to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Its own managed instance; at least one resource must be named.
    Itself,
    /// Sessions on it; at least one must be named.
    ItsSessions,
    /// Any document.
    Documents,
    /// The action names no resource: a message is identified by what only its receiver knows.
    NoResource,
}

/// What agents need: AWS's managed policy AmazonSSMManagedInstanceCore, for what exists here.
fn reach_of_agent(action: Action) -> Option<Reach> {
    use ec2messages::Operation as Messages;
    use ssm::Operation as Ssm;
    match action {
        Action::CreateControlChannel | Action::OpenControlChannel => Some(Reach::Itself),
        Action::CreateDataChannel | Action::OpenDataChannel => Some(Reach::ItsSessions),
        Action::Operation(Operation::Ssm(operation)) => match operation {
            Ssm::UpdateInstanceInformation
            | Ssm::ListInstanceAssociations
            | Ssm::UpdateInstanceAssociationStatus
            | Ssm::PutInventory
            | Ssm::PutComplianceItems => Some(Reach::Itself),
            Ssm::GetDocument | Ssm::DescribeDocument => Some(Reach::Documents),
            _ => None,
        },
        Action::Operation(Operation::Ec2messages(operation)) => match operation {
            Messages::GetMessages => Some(Reach::Itself),
            Messages::AcknowledgeMessage | Messages::FailMessage | Messages::SendReply => {
                Some(Reach::NoResource)
            }
        },
        Action::Operation(Operation::Cloudtrail(_) | Operation::Iam(_) | Operation::Sts(_)) => None,
    }
}

fn within<'a>(
    reach: Option<Reach>,
    node: &NodeId,
    resources: &'a [Arn],
    context: &Context<'_>,
) -> Result<(), Option<&'a Arn>> {
    let Some(reach) = reach else { return Err(resources.first()) };
    let is_within = |resource: &Arn| match reach {
        Reach::Itself => is_ssm(resource, "managed-instance/") == Some(node.as_str()),
        Reach::ItsSessions => is_ssm(resource, "session/").is_some() && context.session_node == Some(node),
        Reach::Documents => is_ssm(resource, "document/").is_some(),
        Reach::NoResource => false,
    };
    match resources.iter().find(|resource| !is_within(resource)) {
        Some(resource) => Err(Some(resource)),
        None if resources.is_empty() && reach != Reach::NoResource => Err(None),
        None => Ok(()),
    }
}

/// The name of a resource of Systems Manager whose type `prefix` is.
fn is_ssm<'a>(resource: &'a Arn, prefix: &str) -> Option<&'a str> {
    let is_of_ssm = resource.as_str().split(':').nth(2) == Some("ssm");
    resource.resource().strip_prefix(prefix).filter(|_| is_of_ssm)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use postern_ids::{AccountId, Region};

    use super::super::NodeKey;
    use super::*;

    const OWN: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0";
    const OTHER: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-00000000000000000";
    const SESSION: &str = "arn:aws:ssm:us-east-1:111122223333:session/admin-aaaaaaaaaaaaaaaaaaaaaaaaaa";
    const DOCUMENT: &str = "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession";

    fn caller(principal: Principal) -> Caller {
        Caller {
            principal,
            access_key_id: None,
            source_ip: Ipv4Addr::LOCALHOST.into(),
            token_issued_at: None,
        }
    }

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn node() -> NodeId {
        "mi-0123456789abcdef0".parse().unwrap()
    }

    fn user(name: &str) -> Caller {
        let name = name.parse().unwrap();
        let arn = Arn::user(&account(), &name);
        caller(Principal::User { name, id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap(), arn })
    }

    fn role_session(node: Option<NodeId>) -> Caller {
        let role = "PosternNode".parse().unwrap();
        let session_name = node.as_ref().map_or("someone".to_owned(), NodeId::to_string);
        let arn = Arn::assumed_role(&account(), &role, &session_name);
        let role_id = "AROAAAAAAAAAAAAAAAAAA".parse().unwrap();
        caller(Principal::RoleSession { role, role_id, session_name, arn, node })
    }

    fn rsa_node() -> Caller {
        let region: Region = "us-east-1".parse().unwrap();
        let arn = Arn::managed_instance(&region, &account(), &node());
        caller(Principal::Node { node: node(), arn, key: NodeKey::Current })
    }

    fn is_allowed(
        caller: &Caller,
        action: Action,
        resources: &[&str],
        session_node: Option<&NodeId>,
    ) -> bool {
        let resources: Vec<Arn> = resources.iter().map(|arn| arn.parse().unwrap()).collect();
        let context = Context { request_id: "r", session_node };
        match authorize(caller, action, &resources, &context) {
            Ok(permit) => {
                assert_eq!((permit.action(), permit.resources()), (action, resources.as_slice()));
                true
            }
            Err(_) => false,
        }
    }

    fn every_action() -> Vec<Action> {
        let mut all: Vec<Action> = Operation::ALL.iter().map(|operation| Action::from(*operation)).collect();
        all.extend([
            Action::CreateControlChannel,
            Action::OpenControlChannel,
            Action::CreateDataChannel,
            Action::OpenDataChannel,
        ]);
        all
    }

    const CALLER_IDENTITY: Action = Action::Operation(Operation::Sts(sts::Operation::GetCallerIdentity));

    #[test]
    fn the_administrator_may_do_everything() {
        for action in every_action() {
            assert!(is_allowed(&user(ADMINISTRATOR), action, &[OWN], None), "{action}");
        }
    }

    #[test]
    fn others_may_only_ask_who_they_are() {
        for who in [user("alice"), user("Admin"), role_session(None)] {
            for action in every_action() {
                assert_eq!(is_allowed(&who, action, &[OWN], None), action == CALLER_IDENTITY, "{action}");
            }
        }
    }

    #[test]
    fn whoever_is_not_signed_may_only_register() {
        for action in every_action() {
            let expected =
                action == ssm::Operation::RegisterManagedInstance.into() || action == CALLER_IDENTITY;
            assert_eq!(is_allowed(&caller(Principal::Anonymous), action, &[], None), expected, "{action}");
        }
    }

    #[test]
    fn a_nodes_rsa_key_is_good_for_two_operations_on_itself() {
        for action in every_action() {
            let expected = action.takes_node_key() || action == CALLER_IDENTITY;
            assert_eq!(is_allowed(&rsa_node(), action, &[OWN], None), expected, "{action}");
            assert_eq!(
                is_allowed(&rsa_node(), action, &[OTHER], None),
                action == CALLER_IDENTITY,
                "{action}"
            );
        }
    }

    #[test]
    fn a_node_acts_for_itself_only() {
        let me = role_session(Some(node()));
        let other: NodeId = "mi-00000000000000000".parse().unwrap();
        let update = Action::from(ssm::Operation::UpdateInstanceInformation);
        let get_document = Action::from(ssm::Operation::GetDocument);
        let reply = Action::Operation(Operation::Ec2messages(ec2messages::Operation::SendReply));
        for (action, resources, session_node, expected) in [
            (update, &[OWN][..], None, true),
            (update, &[OTHER], None, false),
            (update, &[OWN, OTHER], None, false),
            (update, &[], None, false),
            (
                update,
                &["arn:aws:ec2:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0"],
                None,
                false,
            ),
            (Action::CreateControlChannel, &[OWN], None, true),
            (Action::OpenControlChannel, &[OTHER], None, false),
            (Action::OpenControlChannel, &[], None, false),
            (Action::OpenDataChannel, &[SESSION], Some(&node()), true),
            (Action::OpenDataChannel, &[SESSION], Some(&other), false),
            (Action::CreateDataChannel, &[SESSION], None, false),
            (Action::CreateDataChannel, &[], Some(&node()), false),
            (Action::CreateDataChannel, &[OWN], Some(&node()), false),
            (get_document, &[DOCUMENT], None, true),
            (get_document, &[OWN], None, false),
            (reply, &[], None, true),
            (reply, &[OTHER], None, false),
        ] {
            assert_eq!(
                is_allowed(&me, action, resources, session_node),
                expected,
                "{action} on {resources:?}"
            );
        }
        for operation in
            [ssm::Operation::StartSession, ssm::Operation::TerminateSession, ssm::Operation::CreateActivation]
        {
            assert!(!is_allowed(&me, operation.into(), &[OWN], Some(&node())), "{operation:?}");
        }
        for action in every_action() {
            let on_other = is_allowed(&me, action, &[OTHER], Some(&other));
            assert_eq!(on_other, action == CALLER_IDENTITY, "{action}");
        }
    }

    #[test]
    fn a_denial_is_told_in_aws_words() {
        let context = Context { request_id: "r", session_node: None };
        let start = Action::from(ssm::Operation::StartSession);
        let denied = authorize(&user("alice"), start, &[OWN.parse().unwrap()], &context).unwrap_err();
        assert_eq!(
            denied.to_string(),
            format!(
                "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: ssm:StartSession on resource: {OWN} \
                 because no identity-based policy allows the ssm:StartSession action"
            )
        );
        let denied = authorize(&user("alice"), start, &[], &context).unwrap_err();
        assert!(denied.to_string().contains("on resource: * because"), "{denied}");
        assert_eq!(ApiError::from(&denied).code.name(), "AccessDeniedException");
    }
}
