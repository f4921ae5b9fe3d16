//! The one place that every operation passes: may this caller do this, to these things, now?
//!
//! The policy engine's place is here. What decides until it comes: the administrator may do everything, a node
//! what its agent needs and only for itself, all others nothing but ask who they are.

use jiff::Timestamp;
use postern_api::{ApiError, CommonError, Operation, sts};

use super::{Action, Caller, Check, Principal, reach};

/// The user that the first start creates.
pub const ADMINISTRATOR: &str = "admin";

/// What a decision may depend on besides the caller and the checks: the circumstances of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The request, for the audit log.
    pub request_id: String,
    /// When it arrived.
    pub at: Timestamp,
    /// The client's description of itself.
    pub user_agent: Option<String>,
    /// Its `Referer`.
    pub referer: Option<String>,
}

/// Leave to do what was asked for. Only [`Authorizer::authorize`] makes one; whoever acts takes it.
#[derive(Debug)]
#[must_use = "a permit is asked for in order to act"]
pub struct Permit(());

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

/// Why a caller gets no permit.
#[derive(Debug, thiserror::Error)]
pub enum NotAuthorized {
    /// It may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It cannot be told whether it may, so it may not.
    #[error("An error occurred on the server side.")]
    Undecided,
}

impl From<NotAuthorized> for ApiError {
    fn from(error: NotAuthorized) -> Self {
        let code = match &error {
            NotAuthorized::Denied(_) => CommonError::AccessDenied,
            NotAuthorized::Undecided => CommonError::Internal,
        };
        Self::new(code, error.to_string())
    }
}

/// Decides.
#[derive(Debug)]
pub struct Authorizer(());

impl Authorizer {
    /// One that knows nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self(())
    }

    /// Decides whether `caller` may do what all of `checks` ask, and writes the decision to the audit log.
    ///
    /// # Errors
    /// [`NotAuthorized`], for the first check that fails.
    pub async fn authorize(
        &self,
        caller: &Caller,
        context: &RequestContext,
        checks: impl Into<Vec<Check>>,
    ) -> Result<Permit, NotAuthorized> {
        let checks = checks.into();
        // A call that asks nothing is a mistake of ours, and no way in.
        if checks.is_empty() {
            return Err(NotAuthorized::Undecided);
        }
        let failed = checks.iter().find(|check| !is_allowed(caller, check));
        for check in &checks {
            log(caller, context, check, failed.is_some());
        }
        match failed {
            None => Ok(Permit(())),
            Some(check) => Err(NotAuthorized::Denied(Denied {
                principal: caller.principal.name().to_owned(),
                action: check.action,
                resource: check.resource().to_owned(),
            })),
        }
    }
}

fn log(caller: &Caller, context: &RequestContext, check: &Check, is_denied: bool) {
    let (principal, source_ip) = (caller.principal.name(), caller.source_ip);
    let access_key_id = caller.access_key_id.as_deref().unwrap_or_default();
    let word = if is_denied { "deny" } else { "allow" };
    let (action, resource) = (check.action, check.resource());
    tracing::info!(
        target: "audit",
        decision = word, principal, access_key.id = access_key_id, %source_ip, %action, resource,
        request.id = context.request_id,
        "{word} {principal} {action} on {resource}"
    );
}

fn is_allowed(caller: &Caller, check: &Check) -> bool {
    let action = check.action;
    if action == Action::Operation(Operation::Sts(sts::Operation::GetCallerIdentity)) {
        return true;
    }
    match &caller.principal {
        Principal::User { name, .. } => name.as_str() == ADMINISTRATOR,
        Principal::RoleSession { node: Some(node), .. } => reach::is_within(check, node),
        Principal::Node { node, .. } => action.takes_node_key() && check.node.as_ref() == Some(node),
        Principal::Anonymous => action.takes_unsigned(),
        Principal::RoleSession { node: None, .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use postern_api::ssm;
    use postern_ids::{AccountId, Arn, NodeId, Region};

    use super::super::NodeKey;
    use super::super::action::tests::every_action;
    use super::*;

    const OWN: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0";

    fn caller(principal: Principal) -> Caller {
        Caller::unsigned(principal, Ipv4Addr::LOCALHOST.into())
    }

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn node() -> NodeId {
        "mi-0123456789abcdef0".parse().unwrap()
    }

    fn user(name: &str) -> Caller {
        let arn = format!("arn:aws:iam::111122223333:user/{name}").parse().unwrap();
        let name = name.parse().unwrap();
        caller(Principal::User { name, id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap(), arn })
    }

    fn role_session(node: Option<NodeId>) -> Caller {
        let role = "PosternNode".parse().unwrap();
        let session_name = node.as_ref().map_or("someone".to_owned(), NodeId::to_string);
        let arn = Arn::assumed_role(&account(), &role, &session_name);
        let role_id = "AROAAAAAAAAAAAAAAAAAA".parse().unwrap();
        let role_arn = "arn:aws:iam::111122223333:role/PosternNode".parse().unwrap();
        caller(Principal::RoleSession { role, role_id, role_arn, session_name, arn, node })
    }

    fn rsa_node() -> Caller {
        let region: Region = "us-east-1".parse().unwrap();
        let arn = Arn::managed_instance(&region, &account(), &node());
        caller(Principal::Node { node: node(), arn, key: NodeKey::Current })
    }

    fn context() -> RequestContext {
        RequestContext {
            request_id: "r".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            user_agent: None,
            referer: None,
        }
    }

    async fn is_allowed(caller: &Caller, check: Check) -> bool {
        Authorizer::new().authorize(caller, &context(), [check]).await.is_ok()
    }

    const CALLER_IDENTITY: Action = Action::Operation(Operation::Sts(sts::Operation::GetCallerIdentity));

    #[tokio::test]
    async fn the_administrator_may_do_everything() {
        for action in every_action() {
            assert!(is_allowed(&user(ADMINISTRATOR), Check::new(action)).await, "{action}");
        }
    }

    #[tokio::test]
    async fn others_may_only_ask_who_they_are() {
        for who in [user("alice"), user("Admin"), role_session(None)] {
            for action in every_action() {
                let allowed = is_allowed(&who, Check::new(action)).await;
                assert_eq!(allowed, action == CALLER_IDENTITY, "{action}");
            }
        }
    }

    #[tokio::test]
    async fn whoever_is_not_signed_may_only_register() {
        for action in every_action() {
            let expected = action.takes_unsigned() || action == CALLER_IDENTITY;
            let allowed = is_allowed(&caller(Principal::Anonymous), Check::new(action)).await;
            assert_eq!(allowed, expected, "{action}");
        }
    }

    #[tokio::test]
    async fn a_nodes_rsa_key_is_good_for_two_operations_on_itself() {
        let other = "mi-00000000000000000".parse().unwrap();
        for action in every_action() {
            let check = || Check::new(action);
            let expected = action.takes_node_key() || action == CALLER_IDENTITY;
            assert_eq!(
                is_allowed(&rsa_node(), check().about_node(Some(&node()))).await,
                expected,
                "{action}"
            );
            let on_other = is_allowed(&rsa_node(), check().about_node(Some(&other))).await;
            assert_eq!(on_other, action == CALLER_IDENTITY, "{action}");
        }
    }

    #[tokio::test]
    async fn every_check_must_be_allowed_and_none_is_no_leave() {
        let me = role_session(Some(node()));
        let good = || Check::new(Action::OpenControlChannel).about_node(Some(&node()));
        let bad = || Check::new(ssm::Operation::StartSession).about_node(Some(&node()));
        let authorizer = Authorizer::new();
        assert!(authorizer.authorize(&me, &context(), [good(), good()]).await.is_ok());
        assert!(authorizer.authorize(&me, &context(), [good(), bad()]).await.is_err());
        let nothing = authorizer.authorize(&me, &context(), []).await.unwrap_err();
        assert_eq!(ApiError::from(nothing).code.name(), "InternalServerError");
    }

    #[tokio::test]
    async fn a_denial_is_told_in_aws_words() {
        let check = Check::new(ssm::Operation::StartSession).on(OWN.parse().unwrap());
        let denied = Authorizer::new().authorize(&user("alice"), &context(), [check]).await.unwrap_err();
        assert_eq!(
            denied.to_string(),
            format!(
                "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: ssm:StartSession on resource: {OWN} \
                 because no identity-based policy allows the ssm:StartSession action"
            )
        );
        assert_eq!(ApiError::from(denied).code.name(), "AccessDeniedException");
    }
}
